"""Which images make up a batch: every dataset in each, and under `balanced` every class alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hemashift.training.recipe import Recipe

Indices = npt.NDArray[np.int64]


class BatchSampler:
    """Draws the batch of a step as a pure function of seed and step, so that training resumes.

    Under `balanced`, an image's chance is its dataset's share, divided by the classes that this
    dataset has, divided by the images of that class there. Under `natural`, each epoch is one
    shuffled pass, in which the datasets mix by their sizes (as in the paper).

    Args:
        classes: `(N,)` class index of each training image.
        datasets: `(N,)` dataset name of each training image.
        recipe: Batch size, sampling, shares, seed.

    Examples:
        >>> from hemashift.training.recipe import recipe
        >>> classes, datasets = np.array([0] * 90 + [1] * 10), np.array(["a"] * 100)
        >>> sampler = BatchSampler(classes, datasets, recipe("robust", batch_size=50))
        >>> batch = sampler.batch(step=3)
        >>> bool(np.mean(classes[batch]) > 0.25), sampler.steps_per_epoch
        (True, 2)
    """

    def __init__(self, classes: Indices, datasets: npt.NDArray[np.str_], recipe: Recipe) -> None:
        self.recipe = recipe
        self.count = len(classes)
        # A last batch of one image would break batch normalisation, so a remainder is left out.
        self.steps_per_epoch = max(1, self.count // recipe.batch_size)
        self.chances = self._chances(classes, datasets) if recipe.sampling == "balanced" else None

    def _chances(self, classes: Indices, datasets: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
        names, sizes = np.unique(datasets, return_counts=True)
        shares = np.array(
            [self.recipe.shares.get(str(n), np.sqrt(s)) for n, s in zip(names, sizes, strict=True)]
        )
        chances = np.zeros(self.count)
        for name, share in zip(names, shares / shares.sum(), strict=True):
            here = datasets == name
            present = np.unique(classes[here])
            for label in present:
                members = here & (classes == label)
                chances[members] = share / len(present) / members.sum()
        return chances / chances.sum()

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Indices:
        """Return the indices that device `rank` of `world` takes in the `step`-th batch."""
        size = min(self.recipe.batch_size, self.count)
        if self.chances is not None:
            rng = np.random.default_rng([self.recipe.seed, 1, step])
            drawn = rng.choice(self.count, size, p=self.chances)
        else:
            epoch, place = divmod(step, self.steps_per_epoch)
            order = np.random.default_rng([self.recipe.seed, 1, epoch]).permutation(self.count)
            drawn = order[place * size : (place + 1) * size]
        return np.asarray(drawn[rank::world], dtype=np.int64)
