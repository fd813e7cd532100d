"""Rows that a benchmark has finished, kept in a file, and what its tables have in common."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hemashift.evaluation.intervals import t_interval

Key = tuple[str, ...]
KEY_LENGTH = 5


def read_store(path: Path) -> dict[Key, list[float]]:
    """Return the rows that are there: five words that say what was scored, and the scores."""
    if not path.exists():
        return {}
    with path.open(newline="") as stream:
        rows = list(csv.reader(stream))
    return {tuple(row[:KEY_LENGTH]): list(map(float, row[KEY_LENGTH:])) for row in rows}


def append(path: Path, key: Key, values: Sequence[float]) -> None:
    """Keep a row, and print it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", newline="") as stream:
        csv.writer(stream).writerow([*key, *values])
    print(*key[1:], *(f"{value:.3f}" for value in values), flush=True)


def commit() -> str:
    """Return the commit of the code, marked where it was changed since."""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


def shown(values: np.ndarray) -> str:
    """Return the mean of draws with its 95 % t-interval."""
    limits = t_interval(values)
    return f"{limits.estimate:.3f} ({limits.low:.3f} to {limits.high:.3f})"
