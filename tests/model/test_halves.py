"""The two halves together are the network, and only the upper one can change."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from hemashift.model.architectures import MLP, Network, build, get_architecture  # noqa: E402
from hemashift.model.halves import Halves  # noqa: E402

IMAGES = torch.rand(3, 3, 64, 64)


@pytest.fixture(params=["efficientnet_lite0", "efficientnet_lite0_pair", "no stages"])
def network(request: pytest.FixtureRequest) -> Network:
    if request.param != "no stages":
        return build(request.param, pretrained=False).eval()
    trunk = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 5), torch.nn.Flatten(), torch.nn.LazyLinear(9)
    )
    trunk(IMAGES)
    trunk.num_features = 9
    return Network(get_architecture("vgg16"), trunk, MLP(128, 6), "random").eval()


@torch.no_grad()
def test_the_halves_together_are_the_network(network: Network) -> None:
    halves = Halves(network)
    torch.testing.assert_close(halves.logits(halves.below(IMAGES)), network(IMAGES))


def test_a_step_moves_the_weights_of_the_upper_half_alone(network: Network) -> None:
    halves = Halves(network)
    before = {name: weight.clone() for name, weight in network.named_parameters()}
    with torch.no_grad():
        below = halves.below(IMAGES)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    halves.logits(below).square().sum().backward()
    optimiser.step()
    upper = {id(weight) for weight in halves.parameters()}
    for name, weight in network.named_parameters():
        moved = not torch.equal(weight, before[name])
        assert not moved or id(weight) in upper, name
    assert any(not torch.equal(one, before[name]) for name, one in network.named_parameters())
    if hasattr(network.trunk, "conv_head"):
        assert id(network.trunk.conv_stem.weight) not in upper
