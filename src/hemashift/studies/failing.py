"""A part that is known to fail, so that the other parts of its study do not."""

from __future__ import annotations

from functools import partial

from hemashift.errors import HemashiftError
from hemashift.studies.contract import Part, Result


def failing_part(name: str, error: HemashiftError) -> Part:
    """Return a part that says why it cannot be made, when it is to be made.

    Args:
        name: What it is about.
        error: What went wrong as the part was being named.

    Examples:
        >>> part = failing_part("jslh", HemashiftError("too few cells"))
        >>> part.make()
        Traceback (most recent call last):
        hemashift.errors.HemashiftError: too few cells
    """
    return Part(name, {}, partial(_fail, error))


def _fail(error: HemashiftError) -> Result:
    raise error
