"""Batch-norm statistics of a laboratory's own images, by OpenVINO; no PyTorch needed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hemashift.model.bundle import Bundle
from hemashift.model.runtime import read_graph

_MEAN, _VARIANCE = 3, 4  # the inputs of a batch-norm node that are statistics


def with_statistics_of(images: npt.NDArray[np.uint8], bundle: Bundle, source_weight: int) -> Bundle:
    """Mix the batch-norm statistics of a model's encoder with those of a laboratory's images.

    With N for `source_weight` and n images, mean and variance become N / (N + n) of the old and
    n / (N + n) of the new (Schneider et al. 2020, arXiv 2006.16971), layer by layer: each layer
    sees what the layers before it, already changed, make of the images. No label is used.

    Args:
        images: uint8 `(n, S, S, 3)`, prepared by the model's `Preprocessing`. All are in memory
            together, since each layer needs the mean over all of them: 64 take about 1 GB.
        bundle: The model.
        source_weight: N, 0 or above; 0 forgets the source.

    Returns:
        The model with the new statistics; its head was made for the old ones. A model without
        batch norm comes back as it is.
    """
    share = np.float32(len(images) / (len(images) + source_weight))
    with read_graph(bundle, len(images)) as (core, graph):
        names = _mix(graph, share)
        if not names:
            return bundle
        compiled = core.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    values = compiled(images)
    return bundle.with_statistics({name: values[2 + place] for place, name in enumerate(names)})


def _mix(graph: Any, share: np.float32) -> list[str]:
    """Let each batch-norm node take mixed statistics; they become outputs, and are named here."""
    from openvino import opset13 as ops

    names, results = [], []
    for node in graph.get_ordered_ops():
        if node.get_type_name() != "BatchNormInference":
            continue
        x = node.input(0).get_source_output()
        rank = len(x.get_partial_shape())
        across = np.array([axis for axis in range(rank) if axis != 1], np.int64)
        mean = ops.reduce_mean(x, across, keep_dims=True)
        variance = ops.reduce_mean(ops.squared_difference(x, mean), across, keep_dims=False)
        mean = ops.squeeze(mean, across)
        for place, new in ((_MEAN, mean), (_VARIANCE, variance)):
            old = node.input(place).get_source_output()
            mixed = ops.add(ops.multiply(old, 1 - share), ops.multiply(new, share))
            node.input(place).replace_source_output(mixed.output(0))
            names.append(old.get_node().get_friendly_name())
            results.append(ops.result(mixed))
    graph.add_results(results)
    return names
