"""Names of people, ids of events, and times, as a project writes them."""

from __future__ import annotations

from datetime import UTC, datetime

from hemashift.app.refusals import ProjectError

_LONGEST = 100


def now() -> str:
    """Return the time in UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def printable(text: str) -> str:
    r"""Return a text as one line, without control characters and needless spaces.

    Examples:
        >>> printable("  Dr.\tA. B.\n")
        'Dr. A. B.'
    """
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def one_line(text: str, what: str = "name") -> str:
    """Return a name as one line, see `printable`.

    Args:
        text: As it was typed.
        what: What it is, for the message.

    Raises:
        ProjectError: Nothing is left, or more than 100 characters.
    """
    name = printable(text)
    if not 0 < len(name) <= _LONGEST:
        raise ProjectError(
            f"the {what} is missing" if not name else f"the {what} is too long",
            expected=f"1 to {_LONGEST} characters",
            found=f"{len(name)}",
        )
    return name
