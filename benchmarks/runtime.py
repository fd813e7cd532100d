"""Which runtime for the CPU: OpenVINO or ONNX Runtime, how exact, how fast.

    python benchmarks/runtime.py [--model FOLDER] [--images FOLDER] [--repeats 3]

Prints a Markdown table: images per second of the bare encoder (best of the repeats) at batch
sizes 1, 8 and 32 with 1 and 2 threads, and the largest and mean difference of probabilities from
PyTorch in float32. "ours" is `hemashift.model.runtime.Encoder`: one image a request, one stream
a thread. Needs the extras `train` and `benchmark`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from hemashift.errors import ImageError
from hemashift.images import list_images, read_image
from hemashift.model.bundle import GRAPH, Bundle, default_model, load_model
from hemashift.model.checkpoint import load_network
from hemashift.model.heads import Encoded
from hemashift.model.runtime import Encoder, openvino_module

Encode = Callable[[np.ndarray], Encoded]


def onnx_runtime(folder: Path, threads: int) -> Encode:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(folder / GRAPH, options)
    return lambda images: Encoded(*session.run(None, {"images": images}))


def openvino_batch(folder: Path, threads: int, precision: str, batch: int) -> Encode:
    core = openvino_module().Core()
    model = core.read_model(folder / GRAPH)
    shape = list(model.input().partial_shape)
    model.reshape([batch, *(d.get_length() for d in shape[1:])])
    settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads}
    compiled = core.compile_model(model, "CPU", settings)

    def encode(images: np.ndarray) -> Encoded:
        result = compiled(images)
        return Encoded(result[0].copy(), result[1].copy())

    return encode


def pytorch(bundle: Bundle, threads: int) -> Encode:
    network = load_network(bundle)

    def encode(images: np.ndarray) -> Encoded:
        torch.set_num_threads(threads)
        with torch.inference_mode():
            x = network.normalise(torch.from_numpy(images))
            features, embedding = network.encode(x.contiguous(memory_format=torch.channels_last))
        return Encoded(features.numpy(), embedding.numpy())

    return encode


def run(encode: Encode, images: np.ndarray, batch: int) -> Encoded:
    parts = [encode(images[start : start + batch]) for start in range(0, len(images), batch)]
    return Encoded(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.embedding for part in parts]),
    )


def speed(encode: Encode, images: np.ndarray, batch: int, repeats: int) -> float:
    encode(images[:batch])
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        run(encode, images, batch)
        seconds.append(time.perf_counter() - started)
    return len(images) / min(seconds)


def load_images(bundle: Bundle, folder: Path | None, n: int) -> np.ndarray:
    size = bundle.card.preprocessing.size
    if folder is None:
        return np.random.default_rng(0).integers(0, 256, (n, size, size, 3), dtype=np.uint8)
    images = []
    paths = list_images(folder)
    for path in paths[:: max(1, len(paths) // n)]:
        try:
            images.append(bundle.card.preprocessing(read_image(path)))
        except ImageError:
            continue
    return np.stack(images[: len(images) // 32 * 32][:n])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model")
    parser.add_argument("--images", type=Path, help="real images make the differences meaningful")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("-n", type=int, default=64)
    arguments = parser.parse_args()
    bundle = load_model(arguments.model) if arguments.model else default_model()
    images = load_images(bundle, arguments.images, arguments.n)
    head = bundle.head
    expected = head.probabilities(run(pytorch(bundle, 1), images, 32))
    started = time.perf_counter()
    Encoder(bundle, threads=1)
    print(f"{len(images)} images; ours is ready after {time.perf_counter() - started:.2f} s\n")
    print("| runtime | threads | batch | images/s | largest difference | mean | other class |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle.write_files(folder)
        for threads in (1, 2):
            kinds: dict[str, Callable[[int], Encode]] = {
                "PyTorch float32": lambda _, t=threads: pytorch(bundle, t),
                "ONNX Runtime float32": lambda _, t=threads: onnx_runtime(folder, t),
                "OpenVINO float32": lambda b, t=threads: openvino_batch(folder, t, "f32", b),
                "OpenVINO bfloat16": lambda b, t=threads: openvino_batch(folder, t, "bf16", b),
                "ours float32": lambda _, t=threads: Encoder(bundle, t, "float32").encode,
                "ours bfloat16": lambda _, t=threads: Encoder(bundle, t, "bfloat16").encode,
            }
            for kind, make in kinds.items():
                for batch in (1, 8, 32):
                    encode = make(batch)
                    rate = speed(encode, images, batch, arguments.repeats)
                    found = head.probabilities(run(encode, images, batch))
                    difference = np.abs(found - expected)
                    other = np.mean(found.argmax(1) != expected.argmax(1))
                    print(
                        f"| {kind} | {threads} | {batch} | {rate:.0f} | {difference.max():.1e} "
                        f"| {difference.mean():.1e} | {other:.1%} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
