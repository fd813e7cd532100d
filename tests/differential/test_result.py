"""What is known of a sample, and what a result is worth."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from hemashift.differential import Result, Subject
from hemashift.errors import HemashiftError


def test_all_about_the_subject_may_be_empty() -> None:
    assert not Subject().names_patient
    assert Subject(sample_id="S1").names_patient is False
    assert Subject(patient_id="P1").names_patient


@pytest.mark.parametrize(
    "values",
    [
        {"birth_date": "2.1.1970"},
        {"birth_date": "19700102"},
        {"birth_date": "1970-02-30"},
        {"sex": "f"},
        {"collected": "yesterday"},
        {"collected": "20260102"},
        {"collected": "2026-W01-1"},
    ],
)
def test_what_other_programs_could_not_read_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(HemashiftError) as refused:
        Subject(**values)
    assert next(iter(values.values())) in str(refused.value)


def test_a_day_is_not_made_into_a_time() -> None:
    assert Subject(collected="2024-05-06").collected_at == date(2024, 5, 6)
    assert Subject(collected="2024-05-06T07:08").collected_at == datetime(2024, 5, 6, 7, 8)


def test_status(signed: Result, draft: Result) -> None:
    assert (signed.status, draft.status) == ("amended", "draft")
