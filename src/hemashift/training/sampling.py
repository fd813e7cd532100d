"""Which images make up a batch: every dataset in each, and under `balanced` every class alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hemashift.errors import HemashiftError
from hemashift.training.recipe import Recipe

Indices = npt.NDArray[np.int64]


class BatchSampler:
    """Draws the batch of a step as a pure function of seed and step, so that training resumes.

    Under `balanced`, each dataset fills its share of every batch, and each class of a dataset an
    equal part of that, up to rounding; which image of the class is drawn at random. Under
    `natural`, each epoch is one shuffled pass, in which the datasets mix by their sizes (as in the
    paper).

    Args:
        classes: `(N,)` class index of each training image.
        datasets: `(N,)` dataset name of each training image.
        recipe: Batch size, sampling, shares, seed.

    Raises:
        HemashiftError: The recipe gives a share to a dataset that is not there, or to none.

    Examples:
        >>> from hemashift.training.recipe import recipe
        >>> classes, datasets = np.array([0] * 90 + [1] * 10), np.array(["a"] * 100)
        >>> sampler = BatchSampler(classes, datasets, recipe("robust", batch_size=50))
        >>> batch = sampler.batch(step=3)
        >>> int(np.sum(classes[batch] == 1)), sampler.steps_per_epoch
        (25, 2)
    """

    def __init__(self, classes: Indices, datasets: npt.NDArray[np.str_], recipe: Recipe) -> None:
        self.recipe = recipe
        self.count = len(classes)
        whole = recipe.sampling == "natural"
        self.batch_size = min(recipe.batch_size, self.count) if whole else recipe.batch_size
        # A last batch of one image would break batch normalisation, so a remainder is left out.
        self.steps_per_epoch = max(1, self.count // recipe.batch_size)
        self._members: list[Indices] = []
        chances: list[float] = []
        for name, share in _shares(datasets, recipe.shares).items():
            here = datasets == name
            labels = np.unique(classes[here])
            self._members += [np.flatnonzero(here & (classes == label)) for label in labels]
            chances += [share / len(labels)] * len(labels)
        self._upto = np.cumsum(chances)

    def check_devices(self, world: int) -> None:
        """Refuse to share out a batch among so many devices that one gets a single image.

        Raises:
            HemashiftError: It would; batch normalisation needs two.
        """
        if self.batch_size < 2 * world:
            raise HemashiftError(
                "a device would get fewer than two images of a batch",
                found=f"{self.batch_size} images for {world} devices",
                hint="give more images, a larger batch, or fewer devices",
            )

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Indices:
        """Return the indices that device `rank` of `world` takes in the `step`-th batch."""
        drawn = self._natural(step) if self.recipe.sampling == "natural" else self._balanced(step)
        return np.asarray(drawn[rank::world], dtype=np.int64)

    def _balanced(self, step: int) -> Indices:
        rng = np.random.default_rng([self.recipe.seed, 1, step])
        size = self.batch_size
        # Systematic sampling: evenly spaced points with one random offset.
        points = (np.arange(size) + rng.random()) / size * self._upto[-1]
        places = np.minimum(
            np.searchsorted(self._upto, points, side="right"), len(self._members) - 1
        )
        drawn = [rng.choice(self._members[place]) for place in places]
        return rng.permutation(np.array(drawn, dtype=np.int64))

    def _natural(self, step: int) -> Indices:
        epoch, place = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng([self.recipe.seed, 1, epoch]).permutation(self.count)
        size = self.batch_size
        return order[place * size : (place + 1) * size]


def _shares(datasets: npt.NDArray[np.str_], wanted: dict[str, float]) -> dict[str, float]:
    """Return each dataset's share of a batch; they sum to 1."""
    names, sizes = np.unique(datasets, return_counts=True)
    shares = {
        str(n): wanted.get(str(n), float(s) ** 0.5) for n, s in zip(names, sizes, strict=True)
    }
    unknown = sorted(set(wanted) - set(shares))
    total = sum(shares.values())
    if unknown or min(shares.values()) < 0 or total <= 0:
        raise HemashiftError(
            "the shares of the datasets in a batch cannot be met",
            expected=f"numbers from 0 up for {', '.join(shares)}",
            found=str(wanted),
        )
    return {name: share / total for name, share in shares.items()}
