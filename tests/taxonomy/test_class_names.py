"""A class has a name that tables and pages can hold."""

from __future__ import annotations

import pytest

from hemashift.taxonomy import CLASSES, class_name_fault
from hemashift.taxonomy.classes import RESERVED
from hemashift.trust.unidentified import UNIDENTIFIED


@pytest.mark.parametrize(
    "name",
    [
        *("", "  ", "outside", "Unidentified", "a\nb", "a\x00", "a\u202eb", "x" * 101),
        *("=1+1", "+a", "-a", "@a", "\ta", "\ra", " =1"),
    ],
)
def test_what_is_no_name_of_a_class(name: str) -> None:
    fault = class_name_fault(name)
    assert fault is not None and fault.isprintable()


@pytest.mark.parametrize("name", [*CLASSES, "lymphocyte (reactive)", "Zelle, groß", "細胞", "NK+"])
def test_what_is_one(name: str) -> None:
    assert class_name_fault(name) is None


def test_labels_that_are_no_class_are_reserved() -> None:
    assert UNIDENTIFIED in RESERVED
