"""Results to write: a signed one with awkward names, and a draft."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from PIL import Image

from hemashift.differential import (
    Differential,
    FlagRule,
    ModelFacts,
    Result,
    Signature,
    Subject,
    flags,
)

NAME = "Åsa | Жук ^ & 李 <b>"


@pytest.fixture
def signed() -> Result:
    """An amended result, all fields of which are filled."""
    count = Differential.of(
        {
            "neutrophil": 120,
            "lymphocyte": 65,
            "basophil": 5,
            "monocyte": 10,
            "our & own": 0,
            "erythroblast": 7,
            "outside": 3,
        }
    )
    return Result(
        count,
        Subject(
            "P|1", NAME, "1970-01-02", "female", "S&1", "2024-05-06T07:08:00+02:00", "Lab ~ North"
        ),
        flags(count, [FlagRule("erythroblast", "above", 1), FlagRule("neutrophil", "below", 70)]),
        ModelFacts("ours", "ab" * 32, 3),
        Signature("Dr. A. B.", datetime(2024, 5, 7, 1, 2, 3, tzinfo=UTC), 2, 1, "a slip"),
        "first line\nsecond line",
        200,
        4,
        "smears",
        "cd" * 32,
    )


@pytest.fixture
def draft() -> Result:
    """A result of which nothing is known but the counts."""
    return Result(Differential.of({"neutrophil": 1, "erythroblast": 0}))


@pytest.fixture
def picture() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 90, 160)).save(content, "JPEG")
    return content.getvalue()
