"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


def find_real_data() -> Path | None:
    """Return the folder of real cell images, or None where there is none."""
    named = os.environ.get("HEMASHIFT_DATA")
    folder = Path(named) if named else CHECKOUT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real cell images; the test is skipped where there is none."""
    folder = find_real_data()
    if folder is None:
        pytest.skip("no real images here: set HEMASHIFT_DATA or put them in ../shared/data")
    return folder
