from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from hemashift.cells import CellTable
from hemashift.cli.main import app
from hemashift.cli.training_display import TrainingDisplay
from hemashift.errors import HemashiftError, MissingExtraError
from hemashift.model.bundle import Bundle
from hemashift.model.classifier import Classifier
from hemashift.training.checkpoint import Checkpoint
from hemashift.training.frames import preprocessing_of
from hemashift.training.history import draw_history
from hemashift.training.recipe import Recipe, recipe
from hemashift.training.scoring import score_model
from hemashift.training.source import train


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["train", *map(str, arguments)])


@dataclass
class Run:
    folder: Path
    model: Path
    interrupted: Result
    steps_kept: int
    images_kept: int
    finished: Result


@pytest.fixture(scope="module")
def made(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A model trained by the command line, interrupted once on the way."""
    place = tmp_path_factory.mktemp("made")
    folder, model = place / "run", place / "tiny"
    arguments = (
        *("--output", model, "--run-folder", folder, "--weights", "random"),
        *("--data", folders["large"], "--data", folders["small"], "--score", folders["other"]),
        *("--epochs", 3, "--size", 32, "--devices", 1, "--seed", 5),
        *("--architecture", "efficientnet_lite0"),
    )
    with pytest.MonkeyPatch.context() as patch:

        def ctrl_c(self: TrainingDisplay, row: dict[str, float]) -> None:
            if row["epoch"] == 2:
                raise KeyboardInterrupt

        patch.setattr(TrainingDisplay, "epoch", ctrl_c)
        interrupted = invoke(*arguments)
    kept = Checkpoint.load(folder / "checkpoint.safetensors").step
    stores = len(list(folder.glob("*.npy")))
    return Run(folder, model, interrupted, kept, stores, invoke(*arguments))


def settings() -> Recipe:
    lite0 = "efficientnet_lite0"
    return recipe("robust", architecture=lite0, size=32, epochs=3, weights="random", seed=5)


def test_an_interrupted_training_says_that_it_goes_on(made: Run) -> None:
    assert made.interrupted.exit_code == 130
    assert "goes on from the last checkpoint" in " ".join(made.interrupted.output.split())
    assert made.steps_kept == 1
    assert made.finished.exit_code == 0, made.finished.output
    assert "epoch 1:" not in made.finished.output
    assert "epoch 3:" in made.finished.output


def test_the_scores_are_printed_and_the_papers_only_for_its_datasets(made: Run) -> None:
    for word in ("large", "small", "other", "F1", "held out", "not adapted", "history.png"):
        assert word in " ".join(made.finished.output.split())
    assert "Chossegros" not in made.finished.output


def test_the_course_of_the_training_is_kept(made: Run) -> None:
    history = json.loads((made.folder / "history.json").read_text())
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert all(0 <= row["large/accuracy"] <= 1 for row in history)
    with Image.open(made.folder / "history.png") as picture:
        assert picture.width > picture.height > 100


def test_decoded_images_are_kept_until_the_model_is_finished(made: Run) -> None:
    assert made.images_kept == 2
    assert not list(made.folder.glob("*.npy"))


def test_the_card_says_what_the_model_was_made_of(made: Run) -> None:
    card = Bundle.load(made.model).card
    assert card.name == "tiny"
    assert card.classes == ("lymphocyte", "monocyte", "neutrophil")
    assert card.preprocessing == preprocessing_of(settings())
    assert card.preprocessing.scale is not None
    assert card.turns == settings().turns == 2
    assert [(item.name, sum(item.counts.values())) for item in card.training_data] == [
        ("large", 30),
        ("small", 15),
    ]
    assert card.provenance["recipe"] == settings().model_dump(mode="json")


def test_the_scores_on_the_card_are_those_of_the_file(made: Run, other: CellTable) -> None:
    bundle = Bundle.load(made.model)
    metrics: dict[str, Any] = bundle.card.metrics
    assert metrics["held_out"].keys() == {"large", "small"}
    assert metrics["no_adaptation"].keys() == {"other"}
    again = score_model(bundle, other)["other"]
    assert metrics["no_adaptation"]["other"] == pytest.approx(again, abs=1e-4)
    assert again["cells"] == 9


def test_the_model_file_answers_as_the_network_does(made: Run) -> None:
    from hemashift.model.architectures import build

    saved = Checkpoint.load(made.folder / "checkpoint.safetensors")
    network = build("efficientnet_lite0", 3, pretrained=False, turns=2)
    network.load_state_dict(saved.average)
    network.eval()
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    with torch.inference_mode():
        logits = network(network.normalise(torch.from_numpy(images)))
    found = Classifier(Bundle.load(made.model)).predict(images).probabilities
    assert np.abs(found - logits.softmax(1).numpy()).max() < 1e-3


def test_other_settings_do_not_overwrite_the_run(made: Run, folders: dict[str, Path]) -> None:
    arguments = ("-o", made.model, "--run-folder", made.folder, "--weights", "random")
    data = ("--data", folders["large"], "--data", folders["small"])
    lite0 = ("--architecture", "efficientnet_lite0")
    result = invoke(*arguments, *data, *lite0, "--epochs", 4, "--size", 32)
    assert isinstance(result.exception, HemashiftError)
    assert "epochs" in str(result.exception)
    result = invoke(*arguments, *data, "--epochs", 3, "--size", 32)
    assert "architecture" in str(result.exception)


def test_a_second_training_in_the_folder_is_refused_while_one_is_at_work(
    tables: list[CellTable], tmp_path: Path
) -> None:
    def meanwhile(done: int, total: int) -> None:
        with pytest.raises(HemashiftError, match="another run is writing"):
            train(tables, tmp_path / "model", settings(), run_folder=tmp_path / "run")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(
            tables,
            tmp_path / "model",
            settings(),
            run_folder=tmp_path / "run",
            on_images=meanwhile,
        )
    assert not list((tmp_path / "run").glob("*.lock"))


def test_a_dataset_trained_on_is_no_target(tables: list[CellTable], tmp_path: Path) -> None:
    with pytest.raises(HemashiftError, match="target dataset"):
        train(
            tables,
            tmp_path / "model",
            settings(),
            run_folder=tmp_path / "run",
            targets=[tables[1]],
        )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--data", "nowhere"), "neither a dataset nor a folder"),
        (("--devices", "many"), "--devices"),
        (("--architecture", "lenet"), "unknown architecture"),
    ],
)
def test_what_cannot_be_used_is_named(
    arguments: tuple[str, ...], found: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    data = () if "--data" in arguments else ("--data", folders["large"])
    result = invoke("-o", tmp_path / "model", "--run-folder", tmp_path / "run", *data, *arguments)
    assert isinstance(result.exception, HemashiftError)
    assert found in str(result.exception)


def test_without_pytorch_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "lightning_fabric", None)
    result = invoke("-o", tmp_path / "model")
    assert isinstance(result.exception, MissingExtraError)
    assert "[train]" in str(result.exception)


def test_a_history_without_scores_is_drawn(tmp_path: Path) -> None:
    draw_history([{"epoch": 1.0, "loss": 1.0}], tmp_path / "history.png")
    assert (tmp_path / "history.png").stat().st_size > 1000
