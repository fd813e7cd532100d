"""The encoder on the CPU, by OpenVINO; no PyTorch needed.

Each image is one request of a batch of one, and as many run side by side as there are threads.
This is at least as fast as larger batches, which outgrow the processor's cache, and it makes the
result for an image independent, bit by bit, of what else is in its batch.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from hemashift.errors import HemashiftError, ImageError, ModelFileError
from hemashift.model.bundle import GRAPH, Bundle
from hemashift.model.card import Card
from hemashift.model.heads import Encoded

Precision = Literal["auto", "float32", "bfloat16"]


class Encoder:
    """Images to features and embeddings.

    Args:
        bundle: The model.
        threads: CPU threads; by default those this process may use.
        precision: ``"float32"`` gives the same numbers on every computer up to rounding;
            ``"bfloat16"`` computes with 8 significant bits, 1.6 to 1.8 times as fast where the
            CPU has instructions for it. ``"auto"`` is float32: bfloat16 moves probabilities, by
            up to 0.035 where ``benchmarks/runtime.py`` measured it, and doubtful cells may then
            change class.

    Raises:
        HemashiftError: The options are not usable.
        ModelFileError: The runtime refuses the graph.
    """

    def __init__(
        self, bundle: Bundle, threads: int | None = None, precision: Precision = "auto"
    ) -> None:
        self.threads = threads or available_threads()
        if self.threads < 1:
            raise HemashiftError("threads must be at least 1", found=str(threads))
        if precision not in ("auto", "float32", "bfloat16"):
            raise HemashiftError(
                "unknown precision", expected="auto, float32 or bfloat16", found=precision
            )
        self.precision: Literal["float32", "bfloat16"] = (
            "bfloat16" if precision == "bfloat16" else "float32"
        )
        self.size = bundle.card.preprocessing.size
        self.n_features = bundle.card.n_features
        self.n_embedding = bundle.card.n_embedding
        self._queue = _compile(bundle, self.threads, self.precision)
        self._queue.set_callback(_store)
        # Ctrl-C may end `encode` with requests on their way. The queue would wait for them when it
        # goes, holding the lock of the interpreter that their callbacks wait for: for ever.
        weakref.finalize(self, self._queue.wait_all)
        self._lock = threading.Lock()

    def encode(self, images: npt.NDArray[np.uint8]) -> Encoded:
        """Encode images; several threads may call this, one at a time is served.

        Args:
            images: uint8 (N, S, S, 3), prepared by the model's `Preprocessing`; N may be 0.

        Returns:
            Features float32 (N, D) and embedding float32 (N, E), 128 numbers a network.

        Raises:
            ImageError: Shape or type are not those above.
        """
        if images.dtype != np.uint8 or images.shape[1:] != (self.size, self.size, 3):
            raise ImageError(
                "the encoder cannot take these images",
                expected=f"uint8 (N, {self.size}, {self.size}, 3)",
                found=f"{images.dtype} {images.shape}",
                hint="prepare them with the model's preprocessing",
            )
        features = np.empty((len(images), self.n_features), np.float32)
        embedding = np.empty((len(images), self.n_embedding), np.float32)
        with self._lock:
            for row in range(len(images)):
                target = (features[row], embedding[row])
                self._queue.start_async({0: images[row : row + 1]}, target)
            self._queue.wait_all()
        return Encoded(features, embedding)


def available_threads() -> int:
    """Return how many CPU threads this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _store(request: Any, target: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]) -> None:
    for index, row in enumerate(target):
        row[:] = request.get_output_tensor(index).data[0]


@cache
def openvino_module() -> Any:
    """Import OpenVINO; on import it reports its use to its makers, which is kept from it here.

    Images of patients are looked at: nothing is to leave the computer.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


@contextmanager
def read_graph(bundle: Bundle, n_images: int) -> Iterator[tuple[Any, Any]]:
    """Read the graph of a model for a fixed number of images a request.

    Compile it before the context is left: OpenVINO 2026.4 reads the weights no earlier.

    Yields:
        The OpenVINO core that compiles it, and the graph.

    Raises:
        ModelFileError: The graph gives other vectors than the card says.
    """
    core = openvino_module().Core()
    # The weights are copied, so that the folder below can go when they are, on Windows too.
    core.set_property({"ENABLE_MMAP": False})
    size = bundle.card.preprocessing.size
    # From a folder of our own, written from the bytes whose hashes were checked.
    with tempfile.TemporaryDirectory(prefix="hemashift-") as folder:
        bundle.write_files(Path(folder))
        graph = core.read_model(Path(folder) / GRAPH)
        graph.reshape([n_images, size, size, 3])
        _check_outputs(graph, n_images, bundle.card)
        yield core, graph


def _check_outputs(graph: Any, n_images: int, card: Card) -> None:
    found = [str(output.partial_shape) for output in graph.outputs[:2]]
    expected = [f"[{n_images},{length}]" for length in (card.n_features, card.n_embedding)]
    if found != expected:
        raise ModelFileError(
            "the network graph gives other features or another embedding than the card says",
            expected=" and ".join(expected),
            found=" and ".join(found),
            where=GRAPH,
            hint="get the model again from where it came from",
        )


def _compile(bundle: Bundle, threads: int, precision: str) -> Any:
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bfloat16" else "f32",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": threads,
    }
    with read_graph(bundle, 1) as (core, graph):
        compiled = core.compile_model(graph, "CPU", settings)
    # One request more than streams, so that no stream waits while Python fetches a result.
    return openvino_module().AsyncInferQueue(compiled, threads + 1)
