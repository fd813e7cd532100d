from __future__ import annotations

import numpy as np
import pytest

from hemashift.errors import ModelFileError
from hemashift.model.bundle import GRAPH, WEIGHTS, Bundle
from hemashift.model.graph import external_tensors
from hemashift.model.tensors import load_tensors, overwrite, save_tensors, spans, to_storage

TENSORS = {
    "matrix": np.arange(6, dtype=np.float16).reshape(2, 3),
    "vector": np.arange(4, dtype=np.float32),
}


def test_spans_point_at_the_values() -> None:
    data = save_tensors(TENSORS)
    for name, span in spans(data).items():
        raw = data[span.offset : span.offset + span.length]
        values = np.frombuffer(raw, TENSORS[name].dtype).reshape(span.shape)
        np.testing.assert_array_equal(values, TENSORS[name])


def test_overwriting_keeps_layout_and_the_rest() -> None:
    data = save_tensors(TENSORS)
    changed = overwrite(data, {"matrix": np.full((2, 3), 0.1, np.float64)})
    assert spans(changed) == spans(data)
    assert load_tensors(changed)["matrix"].dtype == np.float16
    np.testing.assert_array_equal(load_tensors(changed)["vector"], TENSORS["vector"])


@pytest.mark.parametrize("cut", [0, 4, 30, -1])
def test_cut_weights_are_refused(cut: int) -> None:
    with pytest.raises(ModelFileError):
        spans(save_tensors(TENSORS)[:cut])


def test_storage_types_and_their_limits() -> None:
    assert to_storage("w", np.zeros((2, 2), np.float32)).dtype == np.float16
    assert to_storage("b", np.zeros(2, np.float32)).dtype == np.float32
    with pytest.raises(ModelFileError, match="float16"):
        to_storage("w", np.full((2, 2), 7e4, np.float32))
    assert to_storage("b", np.full(2, 7e4, np.float32)).max() == np.float32(7e4)


def test_every_weight_is_found_in_the_graph(bundle: Bundle) -> None:
    found = {tensor.name: tensor for tensor in external_tensors(bundle.contents[GRAPH])}
    assert set(found) == set(bundle.weights())
    assert {tensor.location for tensor in found.values()} == {WEIGHTS}
    assert (
        found["trunk.conv_stem.weight"].span
        == spans(bundle.contents[WEIGHTS])["trunk.conv_stem.weight"]
    )


def test_external_data_is_found_wherever_it_hides() -> None:
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper

    def hidden(name: str) -> object:
        tensor = helper.make_tensor(name, onnx.TensorProto.FLOAT, [1], [0.0])
        tensor.ClearField("float_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../secret")
        return tensor

    inner = helper.make_graph(
        [helper.make_node("Constant", [], ["y"], value=hidden("in a subgraph"))],
        "inner",
        [],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])],
    )
    branch = helper.make_node("If", ["c"], ["z"], then_branch=inner, else_branch=inner)
    graph = helper.make_graph([branch], "outer", [], [], [hidden("in the graph")])
    function = helper.make_function(
        "own",
        "f",
        [],
        ["y"],
        [helper.make_node("Constant", [], ["y"], value=hidden("in a function"))],
        [helper.make_opsetid("", 20)],
    )
    model = helper.make_model(graph, functions=[function])
    found = external_tensors(model.SerializeToString())
    assert {tensor.name for tensor in found} == {"in the graph", "in a subgraph", "in a function"}
    assert {tensor.location for tensor in found} == {"../secret"}


@pytest.mark.parametrize("data", [b"\xff" * 40, b"\x3a\x7f", b"\x3a\x02\x2a\x7f"])
def test_bytes_that_are_no_graph_are_refused(data: bytes) -> None:
    with pytest.raises(ModelFileError, match="graph is damaged"):
        external_tensors(data)


def test_deep_nesting_is_refused_not_followed() -> None:
    message = b""
    for _ in range(200):  # graph > node > attribute > graph > ...
        for field in (6, 5, 1):
            length = len(message)
            size = bytes([length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, length >> 14])
            message = bytes([field << 3 | 2]) + size + message
    length = len(message)
    size = bytes([length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, length >> 14])
    with pytest.raises(ModelFileError, match="nested too deeply"):
        external_tensors(bytes([7 << 3 | 2]) + size + message)
