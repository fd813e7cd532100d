"""A look into an ONNX graph without the onnx package: which external data does it point to?

A graph from elsewhere could name any file of the computer as the place of its weights. So,
before a runtime sees it, every tensor in it is visited, and the ones that lie outside the graph
must be exactly those of the weights file beside it. ONNX is Protocol Buffers; the few field
numbers needed here are fixed by its specification (onnx.proto).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hemashift.errors import ModelFileError
from hemashift.model.tensors import Span

# Field numbers of onnx.proto that lead from a ModelProto to every TensorProto in it.
_CHILDREN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_DIMS, _DATA_TYPE, _NAME, _EXTERNAL_DATA, _DATA_LOCATION = 1, 2, 8, 13, 14
_DTYPES = {1: "F32", 10: "F16"}
_MAX_DEPTH = 32


class ExternalTensor(NamedTuple):
    """A tensor of a graph whose values lie in another file."""

    name: str
    location: str
    span: Span


def external_tensors(graph: bytes) -> list[ExternalTensor]:
    """List the tensors of an ONNX model whose values lie outside it.

    Args:
        graph: The ONNX file.

    Raises:
        ModelFileError: The bytes are not an ONNX model.

    Examples:
        >>> external_tensors(b"")
        []
    """
    try:
        return [
            tensor for found in _walk(graph, "model", 0) if (tensor := _external(found)) is not None
        ]
    except (IndexError, ValueError, UnicodeDecodeError) as error:
        raise ModelFileError(
            "the network graph is damaged",
            found=str(error),
            where="encoder.onnx",
            hint="get the model again from where it came from",
        ) from error


def check_external(graph: bytes, location: str, weights: dict[str, Span]) -> None:
    """Check that everything outside the graph is a tensor of the weights file.

    Args:
        graph: The ONNX file.
        location: Name of the weights file.
        weights: Where each tensor lies in it.

    Raises:
        ModelFileError: The graph points to another file, or to a tensor that is not there.
    """
    found = external_tensors(graph)
    for name, place, span in found:
        if place != location or weights.get(name) != span:
            raise ModelFileError(
                f"the network graph and the weights do not belong together: {name}",
                expected=f"{location} {weights.get(name)}",
                found=f"{place} {span}",
                where="encoder.onnx",
                hint="get the model again from where it came from",
            )
    unused = set(weights) - {tensor.name for tensor in found}
    if unused:
        raise ModelFileError(
            "the weights file holds tensors that the graph does not use",
            found=", ".join(sorted(unused)[:5]),
            where=location,
        )


def _walk(data: bytes | memoryview, kind: str, depth: int) -> Iterator[memoryview]:
    """Yield the bytes of every TensorProto at or below a message."""
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deeply")
    view = memoryview(data)
    if kind == "tensor":
        yield view
        return
    children = _CHILDREN[kind]
    for field, value in _fields(view):
        if field in children and isinstance(value, memoryview):
            yield from _walk(value, children[field], depth + 1)


def _external(tensor: memoryview) -> ExternalTensor | None:
    name, data_type, dims, is_external = "", 0, [], False
    entries: dict[str, str] = {}
    for field, value in _fields(tensor):
        if field == _DIMS:
            # Packed or one by one, both are allowed.
            dims += [value] if isinstance(value, int) else list(_varints(value))
        elif field == _DATA_TYPE and isinstance(value, int):
            data_type = value
        elif field == _DATA_LOCATION and value == 1:
            is_external = True
        elif field == _NAME and isinstance(value, memoryview):
            name = str(value, "utf-8")
        elif field == _EXTERNAL_DATA and isinstance(value, memoryview):
            is_external = True
            pair = {
                key: str(text, "utf-8")
                for key, text in _fields(value)
                if isinstance(text, memoryview)
            }
            entries[pair.get(1, "")] = pair.get(2, "")
    if not is_external:
        return None
    span = Span(
        _DTYPES.get(data_type, "?"),
        tuple(dims),
        int(entries.get("offset", "-1")),
        int(entries.get("length", "-1")),
    )
    return ExternalTensor(name, entries.get("location", ""), span)


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield (field number, value) of one Protocol Buffers message."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        field, wire = key >> 3, key & 7
        if wire == 0:
            number, position = _varint(data, position)
            yield field, number
            continue
        if wire == 2:
            length, position = _varint(data, position)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ValueError(f"unknown wire type {wire}")
        if position + length > len(data):
            raise ValueError("cut short")
        yield field, data[position : position + length]
        position += length


def _varints(data: memoryview) -> Iterator[int]:
    position = 0
    while position < len(data):
        value, position = _varint(data, position)
        yield value


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")
