from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hemashift.errors import HemashiftError  # noqa: E402
from hemashift.model.architectures import Network, build, join_layers, read_layers  # noqa: E402
from hemashift.model.bundle import Bundle  # noqa: E402
from hemashift.model.checkpoint import load_network  # noqa: E402
from hemashift.model.classifier import Classifier  # noqa: E402
from hemashift.model.export import card_of, export  # noqa: E402
from hemashift.model.heads import LinearHead, MixedHead, MLPHead  # noqa: E402
from hemashift.model.members import join_members  # noqa: E402
from hemashift.model.preprocessing import Preprocessing  # noqa: E402
from hemashift.model.saliency import Saliency  # noqa: E402

CLASSES = ("basophil", "eosinophil", "erythroblast", "lymphocyte", "monocyte", "neutrophil")


@pytest.fixture(scope="module")
def pair() -> tuple[Network, Network]:
    torch.manual_seed(3)
    one, two = (build("efficientnet_lite0", pretrained=False) for _ in range(2))
    with torch.no_grad():  # so that batch norm is not the same in both
        one.train()(torch.rand(4, 3, 32, 32))
        two.train()(torch.rand(4, 3, 32, 32) * 3)
    return one.eval(), two.eval()


@pytest.fixture(scope="module")
def bundle(pair: tuple[Network, Network], tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    network = join_members(pair)
    network.turns = 2
    card = card_of(network, "pair", CLASSES, Preprocessing(size=64))
    return export(network, card, tmp_path_factory.mktemp("pair") / "model")


def test_logits_are_the_mean_and_features_stand_side_by_side(
    pair: tuple[Network, Network],
) -> None:
    x = torch.rand(2, 3, 64, 64)
    both = join_members(pair)
    with torch.no_grad():
        torch.testing.assert_close(both(x), (pair[0](x) + pair[1](x)) / 2, rtol=1e-3, atol=1e-4)
        features, embedding = both.encode(x)
        parts = [read_layers(one.trunk, x) for one in pair]
        wanted = join_layers(tuple(torch.cat(two, dim=1) for two in zip(*parts, strict=True)))
        torch.testing.assert_close(features, wanted)
        torch.testing.assert_close(embedding, torch.cat([one.encode(x)[1] for one in pair], dim=1))


def test_a_model_of_a_turned_pair_answers_as_its_network(bundle: Bundle) -> None:
    assert bundle.card.architecture == "efficientnet_lite0_pair"
    assert (bundle.card.n_features, bundle.card.n_embedding) == (2 * 1984, 256)
    network = load_network(bundle)
    assert network.turns == bundle.card.turns == 2
    images = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3), dtype=np.uint8)
    with torch.no_grad():
        wanted = network(network.normalise(torch.from_numpy(images))).softmax(dim=1).numpy()
    found = Classifier(bundle).predict(images).probabilities
    np.testing.assert_allclose(found, wanted, atol=2e-3)


def test_a_pair_with_a_mixed_head_is_read_as_a_network(bundle: Bundle) -> None:
    source = bundle.head
    assert isinstance(source, MLPHead)
    weight = np.random.default_rng(0).normal(size=(6, bundle.card.n_features)).astype(np.float32)
    linear = LinearHead(CLASSES, weight, np.zeros(6, np.float32), on="features", l2=True)
    adapted = bundle.with_head(MixedHead(linear, source, 0.5))
    network = load_network(adapted)
    images = np.random.default_rng(1).integers(0, 255, (2, 64, 64, 3), dtype=np.uint8)
    with torch.no_grad():
        wanted = network(network.normalise(torch.from_numpy(images))).softmax(dim=1).numpy()
    found = Classifier(adapted).predict(images).probabilities
    np.testing.assert_allclose(found, wanted, atol=2e-3)
    assert Saliency(adapted)(images[0], "monocyte").shape == (64, 64)


def test_a_pair_is_saved_and_has_a_map(bundle: Bundle, tmp_path: Path) -> None:
    bundle.save(tmp_path / "copy")
    again = Bundle.load(tmp_path / "copy")
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    assert Saliency(again)(image, "monocyte").shape == (64, 64)


def test_what_has_no_architecture_is_refused(pair: tuple[Network, Network]) -> None:
    with pytest.raises(HemashiftError, match="no architecture"):
        join_members([*pair, pair[0]])
