"""Which labelled cells belong together: copies of one image, and cells of one smear or patient."""

from __future__ import annotations

from collections.abc import Sequence

# As many as the folds of cross-validation.
_LEAST = 5


def grouped(
    hashes: Sequence[str], named: Sequence[str], labels: Sequence[str]
) -> tuple[tuple[str, ...], list[str]]:
    """Group cells that share a named group or the content of their file.

    Cells of one patient look alike. Cross-validated without the others of its group, each is
    predicted as a cell of a patient to come will be. The names are passed over where that would
    leave fewer than five groups, or all cells of a class in one: nothing could then be
    cross-validated.

    Args:
        hashes: N hashes of files.
        named: N smears or patients; empty where the label file does not say.
        labels: N classes.

    Returns:
        N groups, empty where the hashes alone say it; and what is worth knowing, in sentences.

    Examples:
        >>> patients = ["1", "1", "2", "3", "4", "5"]
        >>> grouped(list("abcdef"), patients, ["MO", "LY", "MO", "LY", "MO", "LY"])[0]
        ('a', 'a', 'c', 'd', 'e', 'f')
    """
    joined = _joined(hashes, named)
    count = len(set(joined))
    if count == len(set(hashes)):
        return (), []
    if count < _LEAST:
        return (), [_passed_over(f"{_LEAST} or more are needed, and there are {count}")]
    for label in sorted(set(labels)):
        rows = [row for row, one in enumerate(labels) if one == label]
        if len({hashes[row] for row in rows}) > 1 and len({joined[row] for row in rows}) == 1:
            return (), [_passed_over(f"all cells of {label} are of one")]
    return joined, [
        f"Cells of one smear or patient stay together in cross-validation: {count} groups."
    ]


def _joined(hashes: Sequence[str], named: Sequence[str]) -> tuple[str, ...]:
    """Name each group by the hash of its first cell."""
    parent = list(range(len(hashes)))

    def first_of(row: int) -> int:
        while parent[row] != row:
            row = parent[row]
        return row

    seen: dict[tuple[str, str], int] = {}
    for row, keys in enumerate(zip(hashes, named, strict=True)):
        for kind, key in zip(("hash", "name"), keys, strict=True):
            if key:
                ends = sorted((first_of(row), first_of(seen.setdefault((kind, key), row))))
                parent[ends[1]] = ends[0]
    return tuple(hashes[first_of(row)] for row in range(len(hashes)))


def _passed_over(why: str) -> str:
    return (
        f"The smears or patients in the label file were not kept apart in cross-validation: {why}. "
        "The scores may be too good for new patients; label cells of more."
    )
