"""A field under the microscope, painted with three stains, and how a laboratory's camera sees it.

Colours are mixed as in the microscope: each stain absorbs light by the law of Beer and Lambert,
so that where two lie over each other their optical densities add.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Plane = NDArray[np.float64]

SIDE = 120  # pixels of a picture


@dataclass(frozen=True)
class Laboratory:
    """How a laboratory's pictures look.

    Attributes:
        light: Red, green and blue of the empty background, 0..255.
        azure: Optical density of the nuclear stain in red, green and blue.
        eosin: The same for the stain of red cells and of eosinophil granules.
        blue: The same for the stain of basic cytoplasm.
        strength: Factor on all densities.
        scale: Pixels a micrometre.
        blur: Standard deviation of the optics, in pixels.
        noise: Standard deviation of the camera, in grey levels.
    """

    light: tuple[int, int, int]
    azure: tuple[float, float, float]
    eosin: tuple[float, float, float]
    blue: tuple[float, float, float]
    strength: float
    scale: float
    blur: float
    noise: float


LABORATORIES: dict[str, Laboratory] = {
    "a": Laboratory(
        light=(252, 230, 212),
        azure=(0.50, 0.74, 0.26),
        eosin=(0.13, 0.32, 0.26),
        blue=(0.30, 0.24, 0.09),
        strength=1.0,
        scale=3.4,
        blur=0.6,
        noise=2.0,
    ),
    "b": Laboratory(
        light=(244, 240, 178),
        azure=(0.50, 0.92, 0.40),
        eosin=(0.16, 0.38, 0.20),
        blue=(0.16, 0.26, 0.15),
        strength=0.85,
        scale=5.4,
        blur=1.0,
        noise=4.0,
    ),
}
"""Two laboratories: "a" has a common Romanowsky stain, "b" a yellow one and a larger picture."""


class Slide:
    """A field under the microscope: densities of three stains, painted over each other.

    Lengths are in micrometres from the middle of the picture.
    """

    def __init__(self, laboratory: Laboratory, rng: np.random.Generator) -> None:
        self.laboratory = laboratory
        self.rng = rng
        half = SIDE / laboratory.scale / 2
        self.half = half
        step = (np.arange(SIDE) + 0.5) / laboratory.scale - half
        self.x, self.y = np.meshgrid(step, step)
        self.azure, self.eosin, self.blue = np.zeros((3, SIDE, SIDE))

    def blob(
        self, x: float, y: float, radius: float, rough: float = 0.04, edge: float = 0.2
    ) -> Plane:
        """Return a roundish patch, 1 inside and 0 outside, with an uneven and soft edge."""
        dx, dy = self.x - x, self.y - y
        distance = np.hypot(dx, dy)
        near = distance < (1 + 5 * rough) * radius + 3 * edge  # the rest is 0, and most of it
        angle = np.arctan2(dy[near], dx[near])
        reach = np.full_like(angle, radius)
        for wave in (2, 3, 4, 5):
            height = self.rng.normal(0, rough * radius / wave**0.5)
            reach += height * np.cos(wave * angle + self.rng.uniform(0, 2 * np.pi))
        patch: Plane = np.zeros_like(distance)
        patch[near] = 1 / (1 + np.exp(np.clip((distance[near] - reach) / (edge / 2), -40, 40)))
        return patch

    def texture(self, grain: float) -> Plane:
        """Return noise of mean 0 and deviation 1 whose spots are `grain` micrometres wide."""
        rough = self.rng.normal(size=(SIDE, SIDE))
        smooth = gaussian_filter(rough, grain * self.laboratory.scale / 2, mode="wrap")
        return np.asarray(smooth / smooth.std())

    def granules(self, within: Plane, count: int, size: float) -> Plane:
        """Return a layer of round grains that lie where `within` is high."""
        spots = np.zeros_like(within)
        chosen = self.rng.choice(within.size, count, p=within.ravel() / within.sum())
        spots.ravel()[chosen] = 1
        sigma = size * self.laboratory.scale / 2
        layer = gaussian_filter(spots, sigma) * 2 * np.pi * sigma**2
        return np.asarray(np.clip(layer, 0, 1.2))

    def red_cell(self, x: float, y: float) -> None:
        """Paint a red cell with its pale middle."""
        radius = self.rng.normal(3.6, 0.25)
        disc = self.blob(x, y, radius, 0.03, 0.35)
        pale = self.blob(x, y, radius * self.rng.uniform(0.35, 0.5), 0.05, 1.6)
        self.eosin += disc * (1 - 0.65 * pale) * self.rng.uniform(0.5, 0.7)

    def surroundings(self, clear: float) -> None:
        """Paint red cells and platelets, away from the cell in the middle."""
        reach = self.half + 3
        for _ in range(round(0.011 * (2 * reach) ** 2)):
            x, y = self.rng.uniform(-reach, reach, 2)
            if np.hypot(x, y) > clear + 3.2:
                self.red_cell(x, y)
        for _ in range(self.rng.poisson(0.0015 * (2 * self.half) ** 2)):
            x, y = self.rng.uniform(-self.half, self.half, 2)
            if np.hypot(x, y) > clear + 1.5:
                platelet = self.blob(x, y, self.rng.uniform(0.7, 1.2), 0.12, 0.5)
                self.azure += platelet * (0.5 + 0.2 * self.texture(0.4))

    def nucleus(self, shape: Plane, density: float, grain: float, contrast: float) -> None:
        """Paint chromatin: coarse clumps where `contrast` is high."""
        self.azure += shape * np.clip(density + contrast * self.texture(grain), 0.25, 1.6)

    def picture(self) -> NDArray[np.uint8]:
        """Return what the camera sees, uint8 (SIDE, SIDE, 3)."""
        lab, rng = self.laboratory, self.rng
        density = sum(
            layer[..., None] * np.array(stain)
            for layer, stain in (
                (self.azure, lab.azure),
                (self.eosin, lab.eosin),
                (self.blue, lab.blue),
            )
        )
        tilt = rng.normal(0, 0.012, 2)
        uneven = 1 + (tilt[0] * self.x + tilt[1] * self.y) / self.half
        strength = lab.strength * rng.normal(1, 0.06)
        light = np.array(lab.light) * uneven[..., None] * 10 ** (-strength * density)
        seen = gaussian_filter(light, (lab.blur, lab.blur, 0))
        noisy = seen + rng.normal(0, lab.noise, seen.shape)
        return np.asarray(np.clip(np.rint(noisy), 0, 255), dtype=np.uint8)
