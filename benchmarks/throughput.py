"""How much of the bare network's speed is left when images come from disk, and memory.

    python benchmarks/throughput.py [--model FOLDER] [--images FOLDER] [-n 1000] [--memory]

Prints images per second of the bare encoder on images in memory, and of the whole of `classify`
from files to output, on the same cores, in turns; then the ratio of the medians (0.6 or more
is the aim). With --memory also the peak memory of a run over 1,000 and 20,000 images. Without
--images, 200 JPEG images of 360 x 360 pixels are generated.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from hemashift.classification import classify
from hemashift.errors import ImageError
from hemashift.images import list_images, read_image
from hemashift.model.bundle import Bundle, default_model, load_model
from hemashift.model.classifier import Classifier
from hemashift.model.runtime import available_threads


def generate(folder: Path, n: int = 200) -> Path:
    rng = np.random.default_rng(0)
    for k in range(n):
        coarse = rng.integers(90, 256, (24, 24, 3), dtype=np.uint8)
        smooth = Image.fromarray(coarse).resize((360, 360), Image.Resampling.BICUBIC)
        noise = rng.normal(0, 4, (360, 360, 3))
        pixels = np.clip(np.asarray(smooth.filter(ImageFilter.GaussianBlur(3))) + noise, 0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{k:04d}.jpg", quality=95)
    return folder


def bare(classifier: Classifier, prepared: np.ndarray, n: int) -> float:
    started = time.perf_counter()
    done = 0
    while done < n:
        done += len(classifier.predict(prepared).labels)
    return done / (time.perf_counter() - started)


def whole(bundle: Bundle, files: list[Path], options: argparse.Namespace, out: Path) -> float:
    # From the first image on: start-up is reported apart, it does not grow with the images.
    times: list[float] = []
    classify(
        files,
        bundle,
        out,
        threads=options.threads,
        workers=options.workers,
        precision=options.precision,
        progress=lambda done, total: times.append(time.perf_counter()),
    )
    return len(files) / (time.perf_counter() - times[0])


def peak_memory(options: argparse.Namespace, images: Path, n: int) -> str:
    code = (
        "import resource, sys; sys.argv = ['throughput'];"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r}); import throughput as t;"
        f"files = t.repeated(t.Path({str(images)!r}), {n});"
        f"t.classify(files, t.load({str(options.model) if options.model else None!r}),"
        f" {str(images.parent / 'memory.csv')!r}, precision={options.precision!r});"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return f"{float(done.stdout.split()[-1]):.0f} MiB"


def repeated(folder: Path, n: int) -> list[Path]:
    return list(islice(cycle(list_images(folder)), n))


def load(model: str | Path | None) -> Bundle:
    return load_model(model) if model else default_model()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model")
    parser.add_argument("--images", type=Path)
    parser.add_argument("-n", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=available_threads())
    parser.add_argument("--workers", type=int, default=available_threads())
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    bundle = load(options.model)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "images").mkdir()
        images = options.images or generate(folder / "images")
        files = repeated(images, options.n)
        started = time.perf_counter()
        classifier = Classifier(bundle, options.threads, options.precision)
        print(f"start of the network: {time.perf_counter() - started:.2f} s")
        prepared = []
        for path in files[:64]:
            try:
                prepared.append(bundle.card.preprocessing(read_image(path)))
            except ImageError:
                continue
        stack = np.stack(prepared)
        rates: dict[str, list[float]] = {"bare": [], "whole": []}
        for _ in range(options.repeats):
            rates["bare"].append(bare(classifier, stack, options.n))
            rates["whole"].append(whole(bundle, files, options, folder / "out.csv"))
            print(f"bare {rates['bare'][-1]:.0f}/s, whole {rates['whole'][-1]:.0f}/s", flush=True)
        medians = {kind: statistics.median(found) for kind, found in rates.items()}
        print(
            f"{options.precision}, {options.threads} threads, {options.workers} workers, "
            f"{os.cpu_count()} CPUs: bare {medians['bare']:.0f} images/s, "
            f"whole {medians['whole']:.0f} images/s, ratio {medians['whole'] / medians['bare']:.2f}"
        )
        if options.memory:
            for n in (1000, 20000):
                print(f"peak memory, {n} images: {peak_memory(options, images, n)}", flush=True)


if __name__ == "__main__":
    main()
