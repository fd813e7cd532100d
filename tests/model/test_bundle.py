from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from hemashift.errors import ModelFileError
from hemashift.model import bundle as module
from hemashift.model.bundle import (
    CARD,
    DEFAULT,
    FILES,
    GRAPH,
    HEAD,
    TRUST,
    TWO_SOURCES,
    WEIGHTS,
    Bundle,
    default_model,
    load_model,
    shipped_models,
)
from hemashift.model.card import TrustSpec
from hemashift.model.heads import LinearHead
from hemashift.model.runtime import Encoder
from hemashift.model.tensors import save_tensors


@pytest.fixture
def folder(bundle: Bundle, tmp_path: Path) -> Path:
    return bundle.save(tmp_path / "model")


def linear_head(bundle: Bundle, seed: int = 0) -> LinearHead:
    rng = np.random.default_rng(seed)
    shape = (len(bundle.card.classes), bundle.card.n_features)
    weight = rng.normal(size=shape).astype(np.float32)
    return LinearHead(
        bundle.card.classes, weight, np.zeros(shape[0], np.float32), on="features", temperature=2.0
    )


def test_saved_model_is_read_back_whole(bundle: Bundle, folder: Path) -> None:
    again = Bundle.load(folder)
    assert again.card == bundle.card
    assert again.hash == bundle.hash
    assert dict(again.contents) == dict(bundle.contents)
    assert {path.name for path in folder.iterdir()} == {CARD, *FILES}


def test_weights_are_stored_once_and_small(folder: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert sizes[WEIGHTS] < 8e6, "3.4 million weights at two bytes each, and vectors at four"
    assert sizes[GRAPH] < 3e5, "the graph holds no weights"


def test_saving_again_replaces_a_model(bundle: Bundle, folder: Path) -> None:
    child = bundle.with_head(linear_head(bundle), name="adapted")
    child.save(folder)
    assert Bundle.load(folder).card.name == "adapted"
    assert [path.name for path in folder.parent.iterdir()] == ["model"], "nothing is left aside"


def test_what_is_no_model_is_not_overwritten(bundle: Bundle, tmp_path: Path) -> None:
    notes = tmp_path / "thesis" / "notes.txt"
    notes.parent.mkdir()
    notes.write_text("precious")
    with pytest.raises(ModelFileError, match="not overwritten"):
        bundle.save(notes.parent)
    with pytest.raises(ModelFileError, match="not overwritten"):
        bundle.save(notes)
    assert notes.read_text() == "precious"


def test_a_model_with_extra_files_is_not_overwritten(bundle: Bundle, folder: Path) -> None:
    (folder / "results.csv").write_text("mine")
    with pytest.raises(ModelFileError, match="not overwritten") as caught:
        bundle.save(folder)
    assert "results.csv" in str(caught.value)
    assert (folder / "results.csv").read_text() == "mine"


def test_a_failed_write_leaves_the_old_model(
    bundle: Bundle, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Bundle, folder: Path) -> None:
        (folder / CARD).write_text("{")
        raise OSError(errno.ENOSPC, "disk full")

    monkeypatch.setattr(Bundle, "write_files", fail)
    with pytest.raises(OSError, match="disk full") as caught:
        bundle.save(folder)
    assert caught.value.filename == str(folder)
    assert Bundle.load(folder).hash == bundle.hash
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_is_noticed(folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(ModelFileError, match=f"{name} was changed or damaged"):
        Bundle.load(folder)


@pytest.mark.parametrize("name", [CARD, *FILES])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelFileError, match="missing") as caught:
        Bundle.load(folder)
    assert name in str(caught.value)


def edit_card(folder: Path, **changes: object) -> None:
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps({**card, **changes}))


def test_a_newer_format_says_to_upgrade(folder: Path) -> None:
    edit_card(folder, format_version=99, something_new=True)
    with pytest.raises(ModelFileError, match="newer hemashift") as caught:
        Bundle.load(folder)
    assert "upgrade" in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"classes": ["one"]},
        {"classes": ["a", "a", "b", "c", "d", "e"]},
        {"classes": ["a\n", "b", "c", "d", "e", "f"]},
        {"classes": ["outside", "b", "c", "d", "e", "f"]},
        {"temperature": 0},
        {"files": {"../../etc/passwd": "0" * 64}},
        {"surprise": 1},
        {"preprocessing": {"size": -1}},
        {"format_version": "one"},
    ],
)
def test_a_bad_card_is_refused(folder: Path, changes: dict[str, object]) -> None:
    edit_card(folder, **changes)
    with pytest.raises(ModelFileError):
        Bundle.load(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "\udcff", "[" * 100_000])
def test_a_card_that_is_no_card_is_refused(folder: Path, text: str) -> None:
    (folder / CARD).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ModelFileError):
        Bundle.load(folder)


def test_a_file_or_nothing_in_place_of_the_folder(folder: Path, tmp_path: Path) -> None:
    for path in (folder / GRAPH, tmp_path / "nowhere"):
        with pytest.raises(ModelFileError, match="no model here"):
            Bundle.load(path)


def test_a_head_of_another_shape_is_refused(bundle: Bundle) -> None:
    head = bundle.head.to_tensors()
    head["output.weight"] = head["output.weight"][:-1]
    with pytest.raises(ModelFileError, match=r"output\.weight"):
        type(bundle.head)(bundle.card.classes, head)  # type: ignore[call-arg]


def test_a_new_head_shares_the_encoder(bundle: Bundle, tmp_path: Path, images: np.ndarray) -> None:
    head = linear_head(bundle)
    child = Bundle.load(bundle.with_head(head, name="adapted").save(tmp_path / "child"))
    assert child.card.parent == bundle.hash
    assert child.card.files[WEIGHTS] == bundle.card.files[WEIGHTS]
    assert child.card.files[HEAD] != bundle.card.files[HEAD]
    assert (child.card.head.kind, child.card.head.on) == ("linear", "features")
    assert child.card.temperature == 2.0
    encoded = Encoder(child, threads=1).encode(images)
    np.testing.assert_array_equal(child.head.probabilities(encoded), head.probabilities(encoded))


def test_new_weights_need_no_export(bundle: Bundle, images: np.ndarray) -> None:
    name = "trunk.bn2.running_mean"
    moved = bundle.weights()[name] + np.float32(0.5)
    child = bundle.with_weights({name: moved})
    before = Encoder(bundle, threads=1).encode(images).features
    after = Encoder(child, threads=1).encode(images).features
    assert np.abs(after - before).max() > 0.005
    np.testing.assert_array_equal(child.weights()[name], moved)
    assert child.contents[GRAPH] == bundle.contents[GRAPH]
    assert child.card.parent == bundle.hash


@pytest.mark.parametrize(
    "weights",
    [
        {"trunk.bn2.running_mean": np.zeros(3, np.float32)},
        {"trunk.no_such": np.zeros(3, np.float32)},
        {"embedding.bias": np.full(128, np.nan, np.float32)},
        {"embedding.weight": np.full((128, 1280), 1e6, np.float32)},
    ],
)
def test_weights_that_do_not_fit_are_refused(
    bundle: Bundle, weights: dict[str, np.ndarray]
) -> None:
    with pytest.raises(ModelFileError):
        bundle.with_weights(weights)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("embedding.weight", np.nan),
        ("trunk.bn2.weight", np.inf),
        ("trunk.bn2.bias", -np.inf),
        ("trunk.bn2.running_var", -1.0),
    ],
)
def test_weights_that_cannot_be_computed_with_are_refused(
    bundle: Bundle, name: str, value: float
) -> None:
    weights = bundle.weights()
    damaged = weights[name].copy()
    damaged.flat[-1] = value
    data = save_tensors({**weights, name: damaged})
    with pytest.raises(ModelFileError, match=f"{name} holds values"):
        Bundle.create(bundle.card, bundle.contents[GRAPH], data, bundle.head)


def test_a_head_for_other_vectors_is_refused(bundle: Bundle) -> None:
    tensors = bundle.head.to_tensors()
    tensors["hidden.weight"] = tensors["hidden.weight"][:, :7]
    mlp = type(bundle.head)(bundle.card.classes, tensors)  # type: ignore[call-arg]
    linear = LinearHead(bundle.card.classes, np.ones((6, 7), np.float32), np.zeros(6, np.float32))
    for head in (mlp, linear):
        with pytest.raises(ModelFileError, match="do not belong together"):
            bundle.with_head(head)


def test_weights_of_another_network_are_refused(bundle: Bundle) -> None:
    others = save_tensors({"other.weight": np.zeros((2, 2), np.float16)})
    with pytest.raises(ModelFileError, match="do not belong together"):
        Bundle.create(bundle.card, bundle.contents[GRAPH], others, bundle.head)


def test_a_graph_that_points_elsewhere_is_refused(bundle: Bundle) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(bundle.contents[GRAPH])
    external = next(tensor for tensor in model.graph.initializer if tensor.external_data)
    entry = next(entry for entry in external.external_data if entry.key == "location")
    for place in ("../../etc/passwd", "/etc/passwd", "card.json"):
        entry.value = place
        with pytest.raises(ModelFileError, match="do not belong together") as caught:
            Bundle.create(
                bundle.card, model.SerializeToString(), bundle.contents[WEIGHTS], bundle.head
            )
        assert place in str(caught.value)


def test_without_a_shipped_model_the_error_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "shipped_models", dict)
    with pytest.raises(ModelFileError, match="without a model") as caught:
        default_model()
    assert "--model" in str(caught.value)


def test_the_default_model_is_the_shipped_one(
    folder: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "shipped_models", lambda: {"model": folder})
    assert default_model().hash == bundle.hash


def test_models_are_loaded_by_name_unless_a_folder_has_it(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = shipped_models()
    if not {DEFAULT, TWO_SOURCES} <= shipped.keys():
        pytest.skip("this checkout has not both shipped models")
    assert default_model().card.name == load_model(DEFAULT).card.name == DEFAULT
    sources = {one.name for one in load_model(TWO_SOURCES).card.training_data}
    assert sources == {"barcelona", "munich_2019"}
    with pytest.raises(ModelFileError, match="no model here"):
        load_model("lite0-unknown")
    bundle.save(tmp_path / DEFAULT)
    monkeypatch.chdir(tmp_path)
    assert load_model(DEFAULT).hash == bundle.hash


def test_the_hash_of_a_model_is_that_of_its_card_whenever_it_was_made() -> None:
    for folder in shipped_models().values():
        written = hashlib.sha256((folder / CARD).read_bytes()).hexdigest()
        assert Bundle.load(folder).hash == written


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_is_not_replaced(bundle: Bundle, folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder, target_is_directory=True)
    with pytest.raises(ModelFileError, match="not overwritten"):
        bundle.save(link)
    shutil.rmtree(folder)


def test_trust_data_belong_to_a_head_and_its_weights(bundle: Bundle, tmp_path: Path) -> None:
    spec = TrustSpec(labels=2)
    child = bundle.with_trust(spec, {"targets": np.array([0, 1])})
    kept = Bundle.load(child.save(tmp_path / "model"))
    assert kept.card.trust == spec and kept.card.format_version == 2
    assert kept.trust_tensors()["targets"].tolist() == [0, 1]
    assert kept.save(tmp_path / "model"), "a model with trust data is a model, too"
    for other in (kept.with_head(linear_head(bundle)), kept.with_weights({})):
        assert other.card.trust is None and other.trust_tensors() == {}
        assert set(other.contents) == set(FILES)
        assert other.card.format_version == 1


def test_a_model_without_trust_data_keeps_its_hash(bundle: Bundle, folder: Path) -> None:
    """Its card is written as it was before there were any: adapted models name it by its hash."""
    assert "trust" not in json.loads((folder / CARD).read_text())
    assert bundle.card.format_version == 1
    assert TRUST not in {path.name for path in folder.iterdir()}


def test_trust_data_that_the_card_does_not_know_are_refused(bundle: Bundle, folder: Path) -> None:
    files = {**bundle.card.files, TRUST: "0" * 64}
    edit_card(folder, files=files)
    with pytest.raises(ModelFileError, match="lists other files"):
        Bundle.load(folder)
