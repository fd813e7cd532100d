"""From a PyTorch network to a model folder (extra ``train``)."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from hemashift.model.architectures import Network, encode
from hemashift.model.bundle import WEIGHTS, Bundle
from hemashift.model.card import Card, Normalisation
from hemashift.model.checkpoint import encoder_tensors, head_of
from hemashift.model.extra import train_extra_missing
from hemashift.model.preprocessing import Preprocessing
from hemashift.model.tensors import Span, save_tensors, spans, to_storage
from hemashift.model.versions import versions

try:
    import onnx
    import torch
    from torch import Tensor, nn
except ImportError as error:  # pragma: no cover - depends on the installation
    raise train_extra_missing() from error

if TYPE_CHECKING:
    from onnx import ModelProto


# A graph without weights has about 100 kB.
_GRAPHS: dict[tuple[Any, ...], bytes] = {}


def export(network: Network, card: Card, folder: str | Path | None = None) -> Bundle:
    """Turn a network into a model, and write its folder.

    Args:
        network: The trained network; it is not changed.
        card: What the model is, for instance from `card_of`. The hashes of the files and the
            kind of the head are filled in.
        folder: Where to write the model, or None to keep it in memory.

    Returns:
        The model.

    Raises:
        ModelFileError: A weight is not finite, or something that is no model is at `folder`.
    """
    weights = {name: to_storage(name, value) for name, value in encoder_tensors(network).items()}
    data = save_tensors(weights)
    graph = _graph(network, card.preprocessing.size, spans(data))
    head = head_of(network, card.classes, card.temperature)
    bundle = Bundle.create(card, graph, data, head)
    if folder is not None:
        bundle.save(folder)
    return bundle


def card_of(
    network: Network,
    name: str,
    classes: tuple[str, ...],
    preprocessing: Preprocessing,
    **fields: Any,
) -> Card:
    """Make a card with everything that a network says about itself.

    Args:
        network: The network.
        name: Name of the model.
        classes: Names of the K classes in the order of the output.
        preprocessing: How images are prepared for it.
        **fields: Further fields of `Card`, such as ``metrics`` or ``training_data``.
    """
    architecture = network.architecture
    own: dict[str, Any] = {
        "architecture": architecture.name,
        "normalisation": Normalisation(mean=architecture.mean, std=architecture.std),
        "n_features": network.n_features,
        "n_embedding": network.embedding.out_features,
        "turns": network.turns,
        "created": datetime.now(UTC),
        "versions": versions(),
    }
    return Card(name=name, classes=classes, preprocessing=preprocessing, **{**own, **fields})


def _graph(network: Network, size: int, layout: dict[str, Span]) -> bytes:
    """Return the graph of a network, which points to its weights by their place in the file.

    It takes the exporter half a minute and more, and is the same whatever the weights are, so that
    it is made once for networks of one architecture.
    """
    name, turns = network.architecture.name, network.turns
    key = (name, network.depth, turns, size, tuple(sorted(layout.items())))
    if key not in _GRAPHS:
        model = _trace(network, size)
        _move_weights_out(model, layout)
        _GRAPHS[key] = model.SerializeToString()
    return _GRAPHS[key]


class _Encoder(nn.Module):
    """Images as the camera gives them to features and embedding; what the graph holds."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.trunk = copy.deepcopy(network.trunk)
        self.embedding = copy.deepcopy(network.embedding)
        self.mean = torch.tensor(network.architecture.mean)
        self.std = torch.tensor(network.architecture.std)
        self.depth, self.turns = network.depth, network.turns
        _simplify(self.trunk)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        x = ((images.to(torch.float32) - self.mean) / self.std).permute(0, 3, 1, 2)
        return encode(self.trunk, self.embedding, x, self.depth, self.turns)


class _Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3), keepdim=True)


class _Clamp(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.clamp(0.0, 6.0)


def _simplify(module: nn.Module) -> None:
    """Replace what the exporter takes to pieces.

    Adaptive pooling to one pixel is a mean; as such it exports to one node, not to fifteen. And
    ReLU6 is a clamp: the graph is the same, and there in half the time.
    """
    for name, child in module.named_children():
        if isinstance(child, nn.AdaptiveAvgPool2d) and child.output_size in (1, (1, 1)):
            setattr(module, name, _Mean())
        elif isinstance(child, nn.ReLU6):
            setattr(module, name, _Clamp())
        else:
            _simplify(child)


def _trace(network: Network, size: int) -> ModelProto:
    import onnx_ir.passes.common as passes
    import onnxscript.optimizer

    encoder = _Encoder(network).cpu().float().eval()
    example = torch.zeros(2, size, size, 3, dtype=torch.uint8)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            encoder,
            (example,),
            dynamo=True,
            optimize=False,  # would fold batch norm into weights, which then had no name
            input_names=["images"],
            output_names=["features", "embedding"],
            dynamic_shapes={"images": {0: torch.export.Dim("batch", min=1)}},
            verbose=False,
        )
    assert program is not None
    named = set(network.state_dict())
    onnxscript.optimizer.fold_constants(
        program.model,
        # What is computed from a weight alone would lose its name, and its place in the file.
        should_fold=lambda node: (
            False
            if any(value is not None and value.name in named for value in node.inputs)
            else None
        ),
    )
    for step in (
        passes.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0),
        passes.RemoveUnusedNodesPass(),
        passes.RemoveUnusedFunctionsPass(),  # type: ignore[no-untyped-call]
        passes.RemoveUnusedOpsetsPass(),
        passes.ClearMetadataAndDocStringPass(),
    ):
        step(program.model)
    model = program.model_proto
    del model.graph.value_info[:]
    return cast("ModelProto", model)


def _move_weights_out(model: ModelProto, layout: dict[str, Span]) -> None:
    """Let the graph's weights point into the safetensors file; float16 ones are cast back."""
    casts = []
    renamed = {}
    for tensor in model.graph.initializer:
        span = layout.get(tensor.name)
        if span is None:
            continue
        for field in ("raw_data", "float_data"):
            tensor.ClearField(field)
        tensor.data_type = (
            onnx.TensorProto.FLOAT16 if span.dtype == "F16" else onnx.TensorProto.FLOAT
        )
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", WEIGHTS), ("offset", span.offset), ("length", span.length)):
            tensor.external_data.add(key=key, value=str(value))
        if span.dtype == "F16":
            renamed[tensor.name] = f"{tensor.name}.float32"
            casts.append(
                onnx.helper.make_node(
                    "Cast", [tensor.name], [renamed[tensor.name]], to=onnx.TensorProto.FLOAT
                )
            )
    nodes = list(model.graph.node)
    for node in nodes:
        for position, name in enumerate(node.input):
            node.input[position] = renamed.get(name, name)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])
