from __future__ import annotations

import numpy as np
import pytest

from hemashift.errors import HemashiftError
from hemashift.training.recipe import recipe
from hemashift.training.sampling import BatchSampler

CLASSES = np.repeat([0, 1, 2, 0, 1, 2], [400, 200, 40, 6, 5, 60]).astype(np.int64)
DATASETS = np.repeat(["large", "small"], [640, 71])


def sampler(**changes: object) -> BatchSampler:
    return BatchSampler(CLASSES, DATASETS, recipe("robust", **{"batch_size": 24, **changes}))


def test_every_batch_has_every_dataset_and_all_classes_alike() -> None:
    made = sampler(shares={"large": 3.0, "small": 1.0})
    for step in range(20):
        batch = made.batch(step)
        large = DATASETS[batch] == "large"
        assert large.sum() == 18
        assert np.bincount(CLASSES[batch][large]).tolist() == [6, 6, 6]
        assert np.bincount(CLASSES[batch][~large]).tolist() == [2, 2, 2]


def test_without_shares_a_small_dataset_gets_more_than_its_size() -> None:
    drawn = np.concatenate([sampler().batch(step) for step in range(50)])
    share = float(np.mean(DATASETS[drawn] == "small"))
    expected = 71**0.5 / (71**0.5 + 640**0.5)
    assert share == pytest.approx(expected, abs=0.02)


def test_within_a_class_all_images_are_drawn() -> None:
    drawn = np.concatenate([sampler().batch(step) for step in range(200)])
    rare = np.flatnonzero((DATASETS == "small") & (CLASSES == 1))
    counts = np.bincount(drawn, minlength=len(CLASSES))[rare]
    assert counts.min() > 0.5 * counts.mean()


def test_a_batch_depends_on_seed_and_step_only() -> None:
    first, again = sampler(), sampler()
    first.batch(0)
    assert np.array_equal(first.batch(7), again.batch(7))
    assert not np.array_equal(first.batch(7), first.batch(8))
    assert not np.array_equal(first.batch(7), sampler(seed=1).batch(7))


def test_natural_sampling_is_one_shuffled_pass_an_epoch() -> None:
    made = sampler(sampling="natural")
    steps = made.steps_per_epoch
    assert steps == len(CLASSES) // 24
    epochs = [
        np.concatenate([made.batch(epoch * steps + i) for i in range(steps)]) for epoch in (0, 1)
    ]
    for epoch in epochs:
        assert len(np.unique(epoch)) == steps * 24
    assert not np.array_equal(*epochs)


@pytest.mark.parametrize("sampling", ["natural", "balanced"])
def test_devices_share_out_a_batch(sampling: str) -> None:
    made = sampler(sampling=sampling)
    parts = [made.batch(5, rank, 3) for rank in range(3)]
    assert [len(part) for part in parts] == [8, 8, 8]
    assert sorted(np.concatenate(parts)) == sorted(made.batch(5))


@pytest.mark.parametrize("shares", [{"lisc": 1.0}, {"large": -1.0}, {"large": 0, "small": 0}])
def test_shares_that_cannot_be_met_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(HemashiftError, match="shares"):
        sampler(shares=shares)
