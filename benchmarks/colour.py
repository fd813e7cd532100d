"""Time a colour transform of one 224 x 224 image on one core: `python benchmarks/colour.py`.

The transforms and torchstain's Reinhard take turns on the same image, so that whatever else the
machine does falls on all of them alike. Prints the median and the fastest tenth in milliseconds.
"""

from __future__ import annotations

# ruff: noqa: E402  (numpy must be imported after the number of threads is set)
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    # Read by numpy when it is imported.
    os.environ[variable] = "1"

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hemashift.colour import TRANSFORMS, Reinhard, create
from hemashift.images import Pixels, read_image, resize

SIZE = 224


def drawn_cell(seed: int = 0) -> Pixels:
    """Return a picture with the colours of a blood film: field, red cells, one white cell."""
    generator = np.random.default_rng(seed)
    image = np.full((SIZE, SIZE, 3), (250, 228, 200), float)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    discs = [(*generator.uniform(0, SIZE, 2), 22, (205, 160, 155)) for _ in range(12)]
    discs += [(112, 112, 48, (170, 150, 190)), (108, 116, 30, (80, 45, 110))]
    for row, column, radius, colour in discs:
        image[(rows - row) ** 2 + (columns - column) ** 2 < radius**2] = colour
    return np.clip(image + generator.normal(0, 4, image.shape), 0, 255).astype(np.uint8)


def torchstain_reinhard(reference: Pixels) -> Callable[[Pixels], object] | None:
    """Return torchstain's Reinhard on its numpy backend, or None where it is not installed."""
    try:
        import cv2
        import torchstain
    except ImportError:
        return None
    cv2.setNumThreads(1)
    normalizer = torchstain.normalizers.ReinhardNormalizer(backend="numpy")
    normalizer.fit(reference)
    return normalizer.normalize


def measure(
    candidates: dict[str, Callable[[Pixels], object]], image: Pixels, repeats: int
) -> dict[str, np.ndarray]:
    """Return each candidate's times in milliseconds, taken in turns."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(repeats + 3):
        for name, transform in candidates.items():
            start = time.perf_counter()
            transform(image)
            times[name].append((time.perf_counter() - start) * 1e3)
    return {name: np.array(taken[3:]) for name, taken in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=300)
    parser.add_argument("--image", type=Path, help="a real image in place of the drawn one")
    options = parser.parse_args()
    image = resize(read_image(options.image), SIZE) if options.image else drawn_cell()
    candidates: dict[str, Callable[[Pixels], object]] = {
        name: create(name) for name in TRANSFORMS if name != "none"
    }
    candidates["reinhard, ignore_black"] = Reinhard(ignore_black=True)
    other = torchstain_reinhard(drawn_cell(1))
    if other is None:
        print("torchstain is not installed (extra: benchmark); left out\n")
    else:
        candidates["torchstain Reinhard (numpy)"] = other
    print(f"{SIZE} x {SIZE}, one thread, {options.repeats} turns, milliseconds an image")
    print(f"{'transform':<30}{'median':>9}{'fastest tenth':>16}")
    for name, taken in measure(candidates, image, options.repeats).items():
        print(f"{name:<30}{np.median(taken):>9.2f}{np.quantile(taken, 0.1):>16.2f}")


if __name__ == "__main__":
    main()
