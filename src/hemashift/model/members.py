"""Several networks, each trained by itself, as one network whose logits are their mean.

An ensemble (Lakshminarayanan et al. 2017, arXiv 1612.01474) of which every part can be read: the
features of all members stand side by side, so that a probe weighs them as the labels say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from hemashift.errors import HemashiftError
from hemashift.model.architectures import ARCHITECTURES, MLP, Members, Network


def join_members(networks: Sequence[Network]) -> Network:
    """Put networks of one architecture side by side.

    The embedding of the result is theirs, one after the other. Its head is one MLP with the hidden
    nodes of all heads, where weights between one member and another are 0; its logits are the
    mean of theirs.

    Args:
        networks: Networks with an MLP head, in evaluation mode.

    Returns:
        The network, in evaluation mode, of the architecture that has such members.

    Raises:
        HemashiftError: No architecture has so many members of this kind.

    Examples:
        >>> from hemashift.model.architectures import build
        >>> one, two = (build("efficientnet_lite0", pretrained=False).eval() for _ in range(2))
        >>> x = torch.rand(1, 3, 32, 32)
        >>> with torch.no_grad():
        ...     both = join_members([one, two])(x)
        ...     torch.allclose(both, (one(x) + two(x)) / 2, atol=1e-4)
        True
    """
    kind = networks[0].architecture.name
    wanted = (kind, len(networks))
    found = [one for one in ARCHITECTURES.values() if (one.member, one.members) == wanted]
    if not found:
        raise HemashiftError("no architecture has such members", found=f"{len(networks)} {kind}")
    heads = [cast(MLP, network.head) for network in networks]
    count = cast(nn.Linear, heads[0].get_submodule("output")).out_features
    embeddings = [network.embedding for network in networks]
    n_hidden = sum(cast(nn.Linear, head.get_submodule("hidden")).out_features for head in heads)
    dropout = cast(nn.Dropout, heads[0].get_submodule("dropout")).p
    n_inputs = sum(one.out_features for one in embeddings)
    head = MLP(n_inputs, count, dropout, n_hidden)
    states = [one.state_dict() for one in heads]
    head.load_state_dict(
        {name: _joined(name, [state[name] for state in states]) for name in head.state_dict()}
    )
    trunk = Members([network.trunk for network in networks])
    whole = Network(found[0], trunk, head, networks[0].weights)
    with torch.no_grad():
        whole.embedding.weight.copy_(_side_by_side([one.weight for one in embeddings]))
        whole.embedding.bias.copy_(torch.cat([one.bias for one in embeddings]))
    return whole.eval()


def _joined(name: str, parts: list[Tensor]) -> Tensor:
    """Join one tensor of several MLP heads."""
    if name == "hidden.weight":
        return _side_by_side(parts)
    if name == "output.weight":
        return torch.cat(parts, dim=1) / len(parts)
    if name == "output.bias":
        return torch.stack(parts).mean(dim=0)
    return parts[0] if parts[0].ndim == 0 else torch.cat(parts)


def _side_by_side(weights: Sequence[Tensor]) -> Tensor:
    """Return a matrix with the given ones along its diagonal, 0 elsewhere."""
    return cast(Tensor, torch.block_diag(*weights))  # type: ignore[no-untyped-call]
