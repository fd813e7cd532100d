"""Maps of why: what they promise on any network, and whether they hold on real cells."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from hemashift.errors import HemashiftError, ImageError  # noqa: E402
from hemashift.images import read_image  # noqa: E402
from hemashift.model import saliency as module  # noqa: E402
from hemashift.model.architectures import N_EMBEDDING, Linear, Network, build  # noqa: E402
from hemashift.model.bundle import Bundle, default_model, shipped_models  # noqa: E402
from hemashift.model.classifier import Classifier  # noqa: E402
from hemashift.model.heads import LinearHead, MixedHead, MLPHead, head_from_tensors  # noqa: E402
from hemashift.model.saliency import Saliency  # noqa: E402

if TYPE_CHECKING:
    from hemashift.model.heads import Float, Output

CLASSES = ("basophil", "eosinophil", "erythroblast", "lymphocyte", "monocyte", "neutrophil")


def linear_head(bundle: Bundle, on: Output, l2: bool, seed: int = 0) -> LinearHead:
    width = {"features": 1984, "embedding": N_EMBEDDING, "both": 1984 + N_EMBEDDING}[on]
    rng = np.random.default_rng(seed)
    weight = rng.normal(size=(len(CLASSES), width)).astype(np.float32)
    return LinearHead(CLASSES, weight, np.zeros(len(CLASSES), np.float32), on=on, l2=l2)


def correlation(one: Float, other: Float) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def test_a_map_has_the_shape_of_the_image_and_is_the_same_twice(
    bundle: Bundle, images: np.ndarray
) -> None:
    ask = Saliency(bundle)
    first, second = ask(images[0]), ask(images[0])
    assert first.shape == images[0].shape[:2]
    assert first.dtype == np.float32
    assert first.min() >= 0 and first.max() == 1
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, Saliency(bundle)(images[0]))


def test_without_a_label_it_is_of_the_class_that_is_predicted(
    bundle: Bundle, images: np.ndarray
) -> None:
    predicted = Classifier(bundle).predict(images[:1]).labels[0]
    ask = Saliency(bundle)
    np.testing.assert_array_equal(ask(images[0]), ask(images[0], predicted))
    other = next(name for name in bundle.card.classes if name != predicted)
    assert not np.array_equal(ask(images[0], predicted), ask(images[0], other))


@pytest.mark.parametrize(
    ("on", "l2"), [("features", True), ("embedding", False), ("both", True), ("both", False)]
)
def test_every_linear_head_has_a_map(
    bundle: Bundle, images: np.ndarray, on: Output, l2: bool
) -> None:
    found = Saliency(bundle.with_head(linear_head(bundle, on, l2)))(images[0])
    assert found.max() == 1 and found.std() > 0


def test_a_mixed_head_has_a_map_of_what_both_heads_say(bundle: Bundle, images: np.ndarray) -> None:
    linear, source = linear_head(bundle, "features", True), bundle.head
    assert isinstance(source, MLPHead)
    maps = [
        Saliency(bundle.with_head(MixedHead(linear, source, share)))(images[0], CLASSES[0])
        for share in (0.0, 5.0)
    ]
    alone = Saliency(bundle.with_head(linear))(images[0], CLASSES[0])
    np.testing.assert_allclose(maps[0], alone, atol=1e-4)
    assert not np.allclose(maps[1], alone, atol=1e-2)


def test_a_class_that_must_never_be_predicted_does_no_harm(
    bundle: Bundle, images: np.ndarray
) -> None:
    head = linear_head(bundle, "embedding", False)
    head.bias[0] = -np.inf
    ask = Saliency(bundle.with_head(head))
    assert np.isfinite(ask(images[0])).all()
    assert np.isfinite(ask(images[0], CLASSES[0])).all()


def test_the_positions_add_up_to_what_the_class_is_worth(network: Network) -> None:
    """On a linear head nothing is lost: the sum over the map is the difference of two logits."""
    probe = Linear(network.n_features + N_EMBEDDING, 2, "both", l2=False)
    torch.manual_seed(0)
    torch.nn.init.normal_(probe.linear.weight)
    changed = Network(network.architecture, network.trunk, probe, "random")
    changed.embedding = network.embedding
    changed = changed.eval().requires_grad_(False)
    # The features are of length 1 each; only what is linear adds up.
    probe.linear.weight[:, : network.n_features] = 0
    x = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    logits, maps = module._pooled_maps(changed, x)
    odds = module._log_odds(logits, 0)
    added = module._grad_cam(odds, maps, side=2, turns=1).sum((1, 2))
    weight = (probe.linear.weight[0] - probe.linear.weight[1])[network.n_features :]
    constant = weight @ network.embedding.bias + probe.linear.bias[0] - probe.linear.bias[1]
    torch.testing.assert_close(added + constant, odds.detach(), rtol=1e-4, atol=1e-4)
    network.requires_grad_(True)


def test_the_map_of_a_turned_network_turns_with_the_cell(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SHIFTS", (0,))
    made = Network(network.architecture, network.trunk, network.head, "random", turns=4).eval()
    made.embedding = network.embedding
    monkeypatch.setattr(module, "load_network", lambda bundle: made)
    card = SimpleNamespace(classes=CLASSES, preprocessing=SimpleNamespace(size=96))
    ask = Saliency(SimpleNamespace(card=card))  # type: ignore[arg-type]
    network.requires_grad_(True)
    image = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    upright, turned = (ask(np.rot90(image, k).copy(), CLASSES[0]) for k in (0, 1))
    np.testing.assert_allclose(turned, np.rot90(upright), atol=1e-3)
    assert correlation(turned, upright) < 0.99


@pytest.mark.parametrize("name", ["vgg16", "resnet101", "inception_v3", "vit"])
def test_every_architecture_has_a_map(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    made = build(name, len(CLASSES), pretrained=False).eval()
    monkeypatch.setattr(module, "load_network", lambda bundle: made)
    monkeypatch.setattr(module, "_SHIFTS", (0,))
    size = 224 if name == "vit" else 96
    card = SimpleNamespace(classes=CLASSES, preprocessing=SimpleNamespace(size=size))
    image = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
    ask = Saliency(SimpleNamespace(card=card))  # type: ignore[arg-type]
    maps = [ask(image, label) for label in CLASSES]
    assert all(one.shape == (size, size) for one in maps)
    assert max(one.max() for one in maps) == 1


def test_wrong_images_and_classes_are_refused(bundle: Bundle, images: np.ndarray) -> None:
    ask = Saliency(bundle)
    with pytest.raises(HemashiftError, match="does not know this class"):
        ask(images[0], "blast")
    with pytest.raises(ImageError, match="not prepared"):
        ask(images[0][:32])
    with pytest.raises(ImageError, match="not prepared"):
        ask(images[0].astype(np.float32))


@pytest.fixture(scope="module")
def model() -> Bundle:
    """The model that is shipped."""
    if not shipped_models():
        pytest.skip("this checkout has no shipped model")
    return default_model()


@pytest.fixture(scope="module")
def prepared(real_data: Path, model: Bundle) -> np.ndarray:
    """A cell of each class of Barcelona, and six of Jiangxi, prepared."""
    barcelona = real_data / "barcelona" / "PBC_dataset_normal_DIB"
    jiangxi = real_data / "jiangxi_tecom"
    table = jiangxi / "Class Labels of Dataset 1.csv"
    if not barcelona.is_dir() or not table.is_file():
        pytest.skip("the datasets barcelona and jiangxi_tecom are not there")
    files = [path for name in CLASSES for path in sorted((barcelona / name).glob("*.jpg"))[:1]]
    with table.open(encoding="utf-8") as stream:
        names = [f"{int(row['image ID']):03d}.bmp" for row in csv.DictReader(stream)]
    files += [jiangxi / "Dataset 1" / name for name in names[:30:5]]
    return np.stack([model.card.preprocessing(read_image(path)) for path in files])


@pytest.fixture(scope="module")
def maps(prepared: np.ndarray, model: Bundle) -> list[Float]:
    """The map of each of these cells, of the class that is predicted."""
    ask = Saliency(model)
    return [ask(image) for image in prepared]


def cover(image: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Paint what is not kept in the colour of the upper and lower edge."""
    empty = np.median(np.concatenate([image[:4], image[-4:]]), axis=(0, 1))
    return np.where(kept[..., None], image, empty.astype(np.uint8))


def test_covering_what_is_salient_costs_more_than_covering_what_is_not(
    model: Bundle, prepared: np.ndarray, maps: list[Float]
) -> None:
    ranks = [one.ravel().argsort(kind="stable").argsort().reshape(one.shape) for one in maps]
    n = prepared[0].shape[0] ** 2
    most = [cover(one, rank < 0.75 * n) for one, rank in zip(prepared, ranks, strict=True)]
    least = [cover(one, rank >= 0.25 * n) for one, rank in zip(prepared, ranks, strict=True)]
    classifier = Classifier(model)
    before = classifier.predict(prepared)
    wanted = before.probabilities.argmax(axis=1)
    lost = [
        float(
            np.mean(
                before.confidence
                - classifier.predict(np.stack(covered)).probabilities[
                    np.arange(len(wanted)), wanted
                ]
            )
        )
        for covered in (most, least)
    ]
    assert lost[0] > lost[1] + 0.2, lost


def test_a_head_that_has_learnt_nothing_gives_another_map(
    model: Bundle, prepared: np.ndarray, maps: list[Float]
) -> None:
    """The sanity check of Adebayo et al. 2018: a map that stays would show the image alone."""
    known = model.head.to_tensors()
    wanted = Classifier(model).predict(prepared).labels
    same = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        tensors = {
            name: rng.permutation(known[name].ravel()).reshape(known[name].shape)
            for name in sorted(known)  # a file gives its tensors in no order
        }
        head = head_from_tensors(model.card.head, model.card.classes, tensors)
        forgetful = Saliency(model.with_head(head))
        same += [
            correlation(forgetful(prepared[row], wanted[row]), maps[row])
            for row in range(2 * seed, len(maps), 6)
        ]
    assert np.mean(same) < 0.6, same
