"""What long work tells, while it goes on, to whoever shows it."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with the number done and the total."""

StageProgress = Callable[[str, int, int], None]
"""Called with what is being done, the number done, and the total."""


def of_stage(progress: StageProgress | None, what: str) -> Progress | None:
    """Return what one stage of the work calls; None where nobody is told.

    Args:
        progress: Who is told of all stages.
        what: The name of the stage.

    Examples:
        >>> of_stage(print, "reading images")(10, 300)
        reading images 10 300
    """
    return None if progress is None else lambda done, total: progress(what, done, total)


def of_part(progress: Progress | None, before: int, total: int) -> Progress | None:
    """Return what one part of some work calls, which counts from 0; None where nobody is told.

    Args:
        progress: Who is told of all parts together.
        before: The number done in the parts before.
        total: The total of all parts.

    Examples:
        >>> of_part(print, before=256, total=300)(10, 44)
        266 300
    """
    return None if progress is None else lambda done, _: progress(before + done, total)
