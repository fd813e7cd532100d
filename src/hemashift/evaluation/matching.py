"""Bringing predictions and truth together by image path, and saying what did not fit."""

from __future__ import annotations

import posixpath
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from hemashift.files import forward_slashes


@dataclass(frozen=True)
class Matching:
    """What happened to the rows of both tables on the way to an evaluation.

    Attributes:
        matched: Cells with a prediction and a known class, before exclusion.
        without_prediction: Paths in the truth that were not predicted.
        without_truth: Paths predicted whose truth is not known.
        repeated_truth: Paths given more than once in the truth, always with one label
            (counted once).
        contradictory_truth: Paths given several labels (left out).
        repeated_predictions: Paths predicted more than once (left out unless identical).
        unlabelled: Paths in the truth with an empty label (left out).
        outside: Label -> number of cells whose label belongs to no class (left out).
        outside_called: Label, a class or `outside` or `unidentified` -> how many of the cells
            outside were called so.
        excluded: Paths left out because the model was adapted with them, or on request.
        unchecked: Number of cells whose image was not found, so that it could not be told
            whether the model had been adapted with them.
        same_group: Number of evaluated cells that share a group with an excluded cell.
        failed: Path -> reason, for images with a label that could not be classified (left out).
    """

    matched: int = 0
    without_prediction: tuple[str, ...] = ()
    without_truth: tuple[str, ...] = ()
    repeated_truth: tuple[str, ...] = ()
    contradictory_truth: tuple[str, ...] = ()
    repeated_predictions: tuple[str, ...] = ()
    unlabelled: tuple[str, ...] = ()
    outside: Mapping[str, int] = field(default_factory=dict)
    outside_called: Mapping[str, int] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    unchecked: int = 0
    same_group: int = 0
    failed: Mapping[str, str] = field(default_factory=dict)

    def warnings(self) -> list[str]:
        """Return one sentence for each thing that a reader must know."""
        found = []
        if self.excluded:
            found.append(
                f"{_cells(len(self.excluded))} left out because the model was adapted with "
                f"{'it' if len(self.excluded) == 1 else 'them'}, or on request."
            )
        if self.unchecked:
            found.append(
                f"{_cells(self.unchecked)} may have been used to adapt the model: the image "
                "was not found, so this could not be checked. The scores may be too good."
            )
        if self.same_group:
            found.append(
                f"{_cells(self.same_group)} evaluated although of the same patient or smear as a "
                "cell left out. The scores may be too good."
            )
        if self.failed:
            found.append(
                f"{_cells(len(self.failed))} not evaluated because classification failed, "
                f"the first: {_first(self.failed)} ({next(iter(self.failed.values()))})."
            )
        for paths, what in (
            (self.without_prediction, "in the labels but without a prediction"),
            (self.without_truth, "predicted but not in the labels"),
            (self.contradictory_truth, "with contradictory labels, left out"),
            (self.repeated_predictions, "with several different predictions, left out"),
            (self.repeated_truth, "labelled more than once with the same label, counted once"),
            (self.unlabelled, "with an empty label, left out"),
        ):
            if paths:
                found.append(f"{_cells(len(paths))} {what}, the first: {_first(paths)}.")
        if self.outside:
            labels = _counted(self.outside)
            called = _counted(self.outside_called)
            found.append(
                f"{_cells(sum(self.outside.values()))} of no class of the model, left out "
                f"({labels}). The model called them {called or 'nothing'}."
            )
        return found


def match_paths(
    truth: Sequence[str],
    predicted: Sequence[str],
    *,
    truth_root: str = "",
    predicted_root: str = "",
    boxes: tuple[Sequence[Hashable], Sequence[Hashable]] | None = None,
) -> list[int | None]:
    """Find the prediction that belongs to each row of the truth.

    Two paths mean the same image when they are the same as written, or the same after the
    roots are put before them, or when one is the end of the other (`blood/7.png` and
    `/data/blood/7.png`) and no other path fits as well.

    Args:
        truth: M paths, all different.
        predicted: N paths. One that occurs twice, as of an image with two cells where the truth
            knows no boxes, fits nothing.
        truth_root: Folder that relative paths in the truth start from, if known.
        predicted_root: Folder that relative predicted paths start from, if known.
        boxes: One box for each path of both lists, when several cells share an image.

    Returns:
        M positions in `predicted`, or None.

    Examples:
        >>> match_paths(["a/1.png", "2.png"], ["/data/a/1.png", "/data/b/1.png"])
        [0, None]
    """
    left, right = [normalise_path(p) for p in truth], [normalise_path(p) for p in predicted]
    box_left, box_right = boxes or ([None] * len(left), [None] * len(right))
    cells = Counter(zip(right, box_right, strict=True))
    exact = {key: i for i, key in enumerate(zip(right, box_right, strict=True)) if cells[key] == 1}
    rooted = {(join_path(predicted_root, path), box): i for (path, box), i in exact.items()}
    ends: dict[tuple[str, Hashable], list[int]] = defaultdict(list)
    for i, (path, box) in enumerate(zip(right, box_right, strict=True)):
        for end in path_ends(path):
            ends[end, box].append(i)
    found: list[int | None] = []
    for path, box in zip(left, box_left, strict=True):
        hit = exact.get((path, box))
        if hit is None:
            hit = rooted.get((join_path(truth_root, path), box))
        if hit is None:
            candidates = set(ends.get((path, box), ()))
            candidates.update(exact[end, box] for end in path_ends(path) if (end, box) in exact)
            hit = candidates.pop() if len(candidates) == 1 else None
        found.append(hit)
    # A prediction that two rows of the truth end in belongs to neither.
    claims = Counter(hit for hit in found if hit is not None)
    return [hit if hit is not None and claims[hit] == 1 else None for hit in found]


def normalise_path(path: str) -> str:
    r"""Write a path with forward slashes, accents with their letters, and without detours.

    Leading `..` are dropped: where they start from is not known.

    Examples:
        >>> normalise_path("..\\smears\\.\\a.png")
        'smears/a.png'
    """
    plain = posixpath.normpath(forward_slashes(unicodedata.normalize("NFC", path.strip())))
    while plain.startswith("../"):
        plain = plain[3:]
    return plain


def join_path(root: str, path: str) -> str:
    """Put a root before a relative, normalised path."""
    return normalise_path(posixpath.join(forward_slashes(root), path)) if root else path


def path_ends(path: str) -> list[str]:
    """Return the path and all that remains when leading folders are taken away.

    Examples:
        >>> path_ends("/data/a/1.png")
        ['data/a/1.png', 'a/1.png', '1.png']
    """
    parts = path.strip("/").split("/")
    return ["/".join(parts[i:]) for i in range(len(parts))]


def _cells(n: int) -> str:
    return f"{n:,} cell" if n == 1 else f"{n:,} cells"


def _first(paths: Mapping[str, str] | Sequence[str]) -> str:
    return next(iter(paths))


def _counted(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    text = ", ".join(f"{name} {n}" for name, n in ordered[:6])
    return text + (", ..." if len(ordered) > 6 else "")
