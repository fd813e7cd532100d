from __future__ import annotations

from pathlib import Path

import pytest

from hemashift.errors import HemashiftError
from hemashift.studies.settings import PRESETS, read_settings
from hemashift.training.recipe import recipe


def read(folder: Path, text: str, preset: str = "quick") -> object:
    file = folder / "mine.toml"
    file.write_text(text)
    return read_settings(preset, file)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_whole(preset: str) -> None:
    settings = read_settings(preset)
    assert len(settings.study.ablation.conditions) == 6
    for model in settings.models.values():
        recipe(model.preset, **model.recipe)


def test_the_preset_paper_has_the_budgets_of_the_paper() -> None:
    settings = read_settings("paper")
    workflow = settings.models["workflow"]
    made = recipe(workflow.preset, **workflow.recipe)
    assert (made.epochs, made.batch_size, made.learning_rate) == (15, 16, 1e-4)
    assert settings.draws == 10
    assert settings.cells is None and workflow.per_class is None
    assert settings.study.sample_size.sizes == (30, 45, 60, 75, 90, 100)


def test_a_new_dataset_needs_no_code(tmp_path: Path) -> None:
    text = 'targets = ["ours"]\n[datasets.ours]\nfolder = "cells"\nlabels = 60\n'
    settings = read(tmp_path, text)
    assert settings.targets == ("ours",)
    assert settings.datasets["ours"].folder == tmp_path / "cells"
    assert settings.models == read_settings("quick").models


def test_a_file_changes_only_what_it_names(tmp_path: Path) -> None:
    settings = read(tmp_path, "[models.workflow]\nrecipe = { epochs = 7 }\n")
    before = read_settings("quick").models["workflow"]
    assert settings.models["workflow"].recipe == {**before.recipe, "epochs": 7}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("draw = 3", "draw"),
        ("[study.ablation]\nfurthr = []", "study.ablation.furthr"),
        ("draws = 0", "draws = 0"),
        ('targets = ["nowhere"]', "nowhere"),
        ('[datasets.ours]\nfolder = "x"', "ours"),
        ('targets = ["barcelona"]', "barcelona"),
        ("targets = []", "targets = []"),
        ("[datasets.jiangxi_tecon]\nlabels = 30", "jiangxi_tecon"),
        ('[study.errors]\ntargets = ["jiangxi_tecon"]', "jiangxi_tecon"),
        ('[study.pictures]\ntargets = ["jiangxi_tecon"]', "jiangxi_tecon"),
        ("[models.workflow.recipe]\nepoch = 3", "epoch"),
        ("[models.workflow.recipe]\nepochs = 0", "epochs"),
        ('[models.workflow.recipe]\ncolour = "pink"', "pink"),
        ('[models.own]\nkind = "folder"', "not given"),
        ('[models.own]\nfolder = "x"', "x"),
        ('[models.own]\nkind = "folder"\nfolder = "nowhere"', "nowhere"),
        ('[approaches.own]\ncolour = "pink"', "pink"),
        ('[study.datasets]\ntransforms = ["pink"]', "pink"),
        ("[study.architectures.recipe]\nepoch = 3", "epoch"),
        ("[study.architectures]\nnames = []", "names"),
        ("[study.targets]\napproaches = []", "approaches"),
        ("[study.ablation]\nconditions = []", "conditions"),
        ("[study.sample_size]\nsizes = []", "sizes"),
        ("[study.sample_size]\nsizes = [0, 30]", "sizes"),
        ("[study.sample_size]\napproaches = []", "approaches"),
        (f"seed = {2**32}", "seed"),
        ('[study.targets]\napproaches = ["magic"]', "magic"),
        ('[approaches.x]\ntitle = "x"\nmodel = "nobody"\nmethod = "probe"', "nobody"),
        ('[approaches.x]\ntitle = "x"\nmodel = "own"\nmethod = "guess"', "guess"),
        ('[study.pictures]\nwithout_transform = "nobody"', "nobody"),
        ("draws = ", "Invalid value"),
    ],
)
def test_what_is_not_known_is_named_before_any_work(text: str, found: str, tmp_path: Path) -> None:
    with pytest.raises(HemashiftError) as caught:
        read(tmp_path, text)
    assert found in str(caught.value.found)
    assert "mine.toml" in str(caught.value.where)


@pytest.mark.parametrize(
    "text",
    [
        '[models.workflow.recipe]\narchitecture = "resnet9000"',
        '[study.architectures]\nnames = ["efficientnet_b0", "resnet9000"]',
    ],
)
def test_an_unknown_network_is_named_before_any_work(text: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    with pytest.raises(HemashiftError, match="unknown architecture") as caught:
        read(tmp_path, text)
    assert caught.value.found == "resnet9000"


def test_the_place_of_a_bad_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(HemashiftError) as caught:
        read(tmp_path, "[models.lab.recipe]\nepoch = 3")
    assert str(caught.value.where).endswith("mine.toml, models.lab")


def test_a_missing_file_or_preset_is_named(tmp_path: Path) -> None:
    with pytest.raises(HemashiftError, match="cannot be read"):
        read_settings("quick", tmp_path / "none.toml")
    with pytest.raises(HemashiftError, match="preset"):
        read_settings("fast")
