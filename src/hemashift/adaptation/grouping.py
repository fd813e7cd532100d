"""Which labelled cells belong together: copies of one image, and cells of one smear or patient."""

from __future__ import annotations

from collections.abc import Sequence

from hemashift.splitting import linked

# As many as the folds of cross-validation.
_LEAST = 5


def grouped(
    hashes: Sequence[str], named: Sequence[str], labels: Sequence[str]
) -> tuple[tuple[str, ...], list[str]]:
    """Group cells that share a named group or the content of their file.

    Cells of one patient look alike. Cross-validated without the others of its group, each is
    predicted as a cell of a patient to come will be. The names are passed over where they would
    leave fewer than five groups, and for a class all of whose cells would be in one: no model
    could then be scored on it that has seen the class.

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
    groups = joined(hashes, named)
    count = len(set(groups))
    if count == len(set(hashes)):
        return (), []
    if count < _LEAST:
        return (), [_passed_over(f"{_LEAST} or more are needed, and there are {count}")]
    alone = [label for label in sorted(set(labels)) if _of_one(label, hashes, groups, labels)]
    if alone:
        kept = ["" if label in alone else name for name, label in zip(named, labels, strict=True)]
        groups = joined(hashes, kept)
        count = len(set(groups))
    if count == len(set(hashes)):
        each = " each" if len(alone) > 1 else ""
        return (), [_passed_over(f"all cells of {', '.join(alone)} are of one{each}")]
    said = [f"Cells of one smear or patient stay together in cross-validation: {count} groups."]
    if alone:
        said.append(
            f"But for {', '.join(alone)}: all these are of one smear or patient, and what is said "
            "of them may be too good for new patients; label such cells of more."
        )
    return groups, said


def _of_one(
    label: str, hashes: Sequence[str], groups: Sequence[str], labels: Sequence[str]
) -> bool:
    """Tell whether a class has several cells, and all of them in one group."""
    rows = [row for row, one in enumerate(labels) if one == label]
    return len({hashes[row] for row in rows}) > 1 and len({groups[row] for row in rows}) == 1


def joined(hashes: Sequence[str], named: Sequence[str]) -> tuple[str, ...]:
    """Return N groups of cells that share a hash or a name, and of what these share.

    Args:
        hashes: N hashes of files, or anything else that says which cells belong together.
        named: N names of groups; empty for a cell without.

    Returns:
        For each cell the hash of the first cell of its group.

    Examples:
        >>> joined(["a", "b", "c", "d"], ["1", "2", "2", ""])
        ('a', 'b', 'b', 'd')
    """
    return tuple(hashes[row] for row in linked([hashes, named]))


def _passed_over(why: str) -> str:
    return (
        f"The smears or patients in the label file were not kept apart in cross-validation: {why}. "
        "The scores may be too good for new patients; label cells of more."
    )
