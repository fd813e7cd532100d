"""From a space to its map and its numbers, as tidy rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from hemashift.evaluation.embedding_map import Map, draw_map, faithfulness
from hemashift.evaluation.separability import class_separation, domain_auc, domain_purity
from hemashift.studies.pictures.spaces import Space

ALL = "all"
"""In the columns `class`, `first` and `second`: of all of them together."""

LEAST = 10
"""Cells of a class, for it to count in the mean over classes."""

COLUMNS = ["map", "measure", "class", "first", "second", "cells", "value"]


def points_of(space: Space, kinds: Sequence[Map], seed: int, perplexity: float) -> pd.DataFrame:
    """Lay out a space by every kind of map.

    Returns:
        One row a cell and kind: `map`, `kind`, `dataset`, `class`, `x`, `y`.
    """
    frame = space.cells.frame
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "map": space.name,
                    "kind": kind,
                    "dataset": frame["dataset"].to_numpy(),
                    "class": frame["class"].to_numpy(),
                    "x": layout[:, 0],
                    "y": layout[:, 1],
                }
            )
            for kind in kinds
            for layout in (draw_map(space.vectors, kind, seed, perplexity),)
        ],
        ignore_index=True,
    )


def numbers_of(space: Space, points: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Measure a space, and how faithful its maps are.

    Args:
        space: The cells as points.
        points: Its maps, from `points_of`.
        seed: Seed of the folds of the linear probe.

    Returns:
        Rows with `map`, `measure`, `class`, `first` and `second` (the datasets told apart),
        `cells` and `value`. Measures are `silhouette`, `purity` and `chance` (purity at random)
        of each class, `domain_auc` and `domain_purity` of two datasets within a class, and
        `faithful_<kind>`.
    """
    frame = space.cells.frame
    classes = frame["class"].to_numpy(dtype=np.str_)
    rows: list[tuple[str, str, str, str, str, int, float]] = []
    for one in class_separation(space.vectors, classes.tolist()):
        for measure in ("silhouette", "purity", "chance"):
            value = float(getattr(one, measure))
            rows.append((space.name, measure, one.name, ALL, ALL, one.cells, value))
    rows += _domains(space, seed)
    for kind, part in points.groupby("kind"):
        value = faithfulness(space.vectors, part[["x", "y"]].to_numpy())
        rows.append((space.name, f"faithful_{kind}", ALL, ALL, ALL, len(part), value))
    return pd.DataFrame(rows, columns=COLUMNS)


def _domains(space: Space, seed: int) -> list[tuple[str, str, str, str, str, int, float]]:
    """Return how far apart every two datasets are within every class that they share."""
    frame = space.cells.frame
    datasets = frame["dataset"].to_numpy(dtype=np.str_)
    classes = frame["class"].to_numpy(dtype=np.str_)
    groups = frame["group"].to_numpy(dtype=np.str_)
    rows = []
    for name in np.unique(classes):
        for first_name, second_name in combinations(np.unique(datasets[classes == name]), 2):
            chosen = (classes == name) & np.isin(datasets, (first_name, second_name))
            vectors, second = space.vectors[chosen], datasets[chosen] == second_name
            measured = {
                "domain_auc": domain_auc(vectors, second, groups[chosen].tolist(), seed),
                "domain_purity": domain_purity(vectors, second, seed),
            }
            pair = (str(name), str(first_name), str(second_name), len(second))
            rows += [
                (space.name, measure, *pair, value)
                for measure, value in measured.items()
                if not np.isnan(value)  # too few cells say nothing
            ]
    return rows


def overview(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of every measure over classes and pairs of datasets, a map a row.

    Classes of fewer than `LEAST` cells are left out: what one cell does should not be a sixth of
    the result.
    """
    told = numbers[numbers["cells"] >= LEAST]
    means = told.groupby(["figure", "map", "measure"], sort=False)["value"].mean()
    wide = means.unstack("measure").reset_index()
    wide.columns.name = None
    return wide
