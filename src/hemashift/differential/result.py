"""A result: a differential count with everything that a report needs to say about it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from hemashift.differential.core import Differential
from hemashift.differential.flags import Flag
from hemashift.errors import HemashiftError

Status = Literal["draft", "final", "amended"]
_WITH_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")
SEXES = ("", "female", "male", "other", "unknown")


@dataclass(frozen=True)
class Subject:
    """Who and what was sampled. All is given by the user and may be empty.

    Attributes:
        patient_id: Identifier of the patient.
        patient_name: Name in full.
        birth_date: YYYY-MM-DD.
        sex: One of `SEXES`.
        sample_id: Identifier of the sample.
        collected: When it was taken, ISO 8601.
        laboratory: Who reports.

    Raises:
        HemashiftError: A date, time or sex is given and is none.
    """

    patient_id: str = ""
    patient_name: str = ""
    birth_date: str = ""
    sex: str = ""
    sample_id: str = ""
    collected: str = ""
    laboratory: str = ""

    def __post_init__(self) -> None:
        if self.sex not in SEXES:
            raise _not_usable("sex", ", ".join(filter(None, SEXES)), self.sex)
        if self.birth_date and not _is_date(self.birth_date):
            raise _not_usable("date of birth", "YYYY-MM-DD", self.birth_date)
        try:
            _ = self.collected_at
        except ValueError:
            expected = "YYYY-MM-DD or YYYY-MM-DDThh:mm"
            raise _not_usable("time of collection", expected, self.collected) from None

    @property
    def collected_at(self) -> datetime | date | None:
        """When the sample was taken: a time, or a day where only that is known."""
        if not self.collected:
            return None
        if _is_date(self.collected):
            return date.fromisoformat(self.collected)
        # Python also reads days without hyphens and weeks, and gives them a time of its own.
        if not _WITH_TIME.match(self.collected):
            raise ValueError(self.collected)
        return datetime.fromisoformat(self.collected)

    @property
    def names_patient(self) -> bool:
        """Whether anything is known of the patient."""
        return bool(self.patient_id or self.patient_name or self.birth_date or self.sex)


def _is_date(text: str) -> bool:
    """Whether a text is a day, written with hyphens."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _not_usable(what: str, expected: str, found: str) -> HemashiftError:
    return HemashiftError(
        f"the {what} is not usable", expected=f"{expected}, or nothing", found=found
    )


@dataclass(frozen=True)
class Signature:
    """Who signed, when, and which version it is.

    Attributes:
        by: Who.
        at: When, with time zone.
        version: 1, 2, ...
        amends: Version that it takes the place of, or None.
        reason: Why it was amended, or empty.
    """

    by: str
    at: datetime
    version: int
    amends: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class ModelFacts:
    """The model that classified the cells before the review.

    Attributes:
        name: Its name.
        hash: Its hash.
        version: Version within the project, or None.
    """

    name: str
    hash: str
    version: int | None = None


@dataclass(frozen=True)
class Result:
    """A differential count with everything that a report needs.

    Attributes:
        differential: The count.
        subject: Who and what was sampled.
        flags: What the user's rules say.
        model: The model that classified the cells, or None.
        signature: Who signed it, or None for a draft.
        comment: The signer's remark.
        reviewed: Cells whose class a person decided.
        unreadable: Images that could not be read, so that their cells are missing.
        project: Name of the project.
        audit_head: Hash of the audit trail just before the signature, or empty.
        copies: Images that are copies of another one and are counted as well.
    """

    differential: Differential
    subject: Subject = field(default_factory=Subject)
    flags: tuple[Flag, ...] = ()
    model: ModelFacts | None = None
    signature: Signature | None = None
    comment: str = ""
    reviewed: int = 0
    unreadable: int = 0
    project: str = ""
    audit_head: str = ""
    copies: int = 0

    @property
    def status(self) -> Status:
        """What the result is worth: a draft is signed by nobody."""
        if self.signature is None:
            return "draft"
        return "final" if self.signature.amends is None else "amended"
