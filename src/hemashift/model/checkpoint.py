"""Between a model and a PyTorch network, in both directions (extra ``train``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np

from hemashift.errors import ModelFileError
from hemashift.model.architectures import MLP, Linear, Mixed, Network, build
from hemashift.model.bundle import Bundle
from hemashift.model.extra import train_extra_missing
from hemashift.model.heads import SOURCE, Float, Head, LinearHead, MixedHead, MLPHead
from hemashift.model.tensors import Array

try:
    import torch
    from torch import Tensor, nn
except ImportError as error:  # pragma: no cover - depends on the installation
    raise train_extra_missing() from error


def load_network(bundle: Bundle) -> Network:
    """Make the PyTorch network of a model, to be trained further.

    Args:
        bundle: The model.

    Returns:
        The network in evaluation mode, float32, on the CPU. A linear head becomes a `Linear`,
        with its standardisation folded into the weights, a mixed one a `Mixed` of it.

    Raises:
        ModelFileError: The weights do not fit the architecture that the card names.
    """
    card = bundle.card
    network = build(
        card.architecture,
        len(card.classes),
        pretrained=False,
        n_features=card.n_features,
        turns=card.turns,
    )
    head = bundle.head
    if isinstance(head, MixedHead):
        tensors = head.to_tensors()
        n_hidden = len(head.source.tensors["hidden.bias"])
        source = MLP(card.n_embedding, len(head.source.classes), n_hidden=n_hidden)
        _load(source, {n: tensors[SOURCE + n] for n in head.source.tensors})
        probe = _probe(head.linear, card.n_embedding)
        network.head = Mixed(probe, source, head.share, card.n_embedding)
    elif isinstance(head, LinearHead):
        network.head = _probe(head, card.n_embedding)
    else:
        _load(network.head, head.to_tensors())
    _load(network, bundle.weights(), prefixes=("trunk.", "embedding."))
    network.weights = "model"
    return network.eval()


def encoder_tensors(network: Network) -> dict[str, Array]:
    """Return the floating-point weights of trunk and embedding, as a model names them."""
    return {
        name: tensor.detach().cpu().numpy()
        for name, tensor in network.state_dict().items()
        if name.startswith(("trunk.", "embedding.")) and tensor.is_floating_point()
    }


def head_of(network: Network, classes: tuple[str, ...], temperature: float = 1.0) -> Head:
    """Return the network's head for the CPU runtime.

    Args:
        network: The network; its head is an `MLP` or a `Linear`.
        classes: Names of the K classes.
        temperature: Divides the logits.
    """
    assert not isinstance(network.head, Mixed)
    tensors = {
        name: cast(Float, tensor.detach().cpu().float().numpy().copy())
        for name, tensor in network.head.state_dict().items()
        if tensor.is_floating_point()
    }
    if isinstance(network.head, MLP):
        return MLPHead(classes, tensors, temperature)
    return LinearHead(
        classes,
        tensors["linear.weight"],
        tensors["linear.bias"],
        on=network.head.on,
        l2=network.head.l2,
        temperature=temperature,
    )


def _probe(head: LinearHead, n_embedding: int) -> Linear:
    n_classes, n_inputs = head.weight.shape
    probe = Linear(n_inputs, n_classes, head.on, head.l2, n_embedding)
    weight, bias = _fold_standardisation(head)
    probe.linear.load_state_dict({"weight": _tensor(weight), "bias": _tensor(bias)})
    return probe


def _fold_standardisation(head: LinearHead) -> tuple[Array, Array]:
    tensors = {name: value.astype(np.float64) for name, value in head.to_tensors().items()}
    weight = tensors["weight"] / tensors["scale"]
    return weight, tensors["bias"] - weight @ tensors["mean"]


def _tensor(array: Array) -> Tensor:
    return torch.from_numpy(array.astype(np.float32))


def _load(
    module: nn.Module, arrays: Mapping[str, Array], prefixes: tuple[str, ...] = ("",)
) -> None:
    try:
        state = {name: _tensor(array) for name, array in arrays.items()}
        missing, unexpected = module.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise ModelFileError(
            "the weights do not fit the architecture in the card", found=str(error)
        ) from error
    # Batch norm counts its batches only to choose a momentum that is not used here.
    missing = [
        name
        for name in missing
        if name.startswith(prefixes) and not name.endswith("num_batches_tracked")
    ]
    if missing or unexpected:
        raise ModelFileError(
            "the weights do not fit the architecture in the card",
            expected=", ".join(missing[:3]) or None,
            found=", ".join(unexpected[:3]) or None,
        )
