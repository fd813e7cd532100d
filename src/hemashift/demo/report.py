"""The page of a demonstration: what was done, what came of it, and what to look at."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hemashift.demo.data import DRAWN
from hemashift.demo.workplace import Workplace
from hemashift.evaluation import Evaluation
from hemashift.reports.figures import draw_confusion
from hemashift.reports.page import write_page
from hemashift.reports.parts import (
    before_after,
    card_facts,
    class_table,
    how_sure,
    label_table,
    limits,
    overall_table,
    percent,
)
from hemashift.reports.pictures import read_picture
from hemashift.reports.sections import (
    Facts,
    Gallery,
    Notices,
    Number,
    Numbers,
    Pictures,
    Plate,
    Section,
    Table,
    Text,
    Thumbnail,
)
from hemashift.reports.style import class_colours

if TYPE_CHECKING:
    from hemashift.demo.run import DemoResult

_SHOWN_A_CLASS = 6
_SHOWN_UNSURE = 18
_SIDE = 112  # pixels of a small picture


def write_demo_report(result: DemoResult, place: Workplace) -> None:
    """Write the page.

    Args:
        result: What the demonstration did.
        place: Where its images are, and where the page goes.
    """
    final = result.after or result.before
    sections: list[Section] = [
        Notices("Read this first", _warnings(result)),
        _numbers(result),
        Notices("Limits of these scores", final.warnings, serious=False),
        Text("What was done", _story(result)),
        _labels(result, place),
        Notices("Of the adaptation", _adaptation_notes(result), serious=False),
        *_comparison(result),
        _confusions(result),
        _cells(final, place.images, f"Some of the {len(final)} cells that were not labelled"),
        _unsure(final, place.images),
        class_table(final, "Each class, in the end"),
        Facts("Do it yourself", [(words[1], command_line(words)) for words in result.commands]),
        _about_data(result),
        card_facts(final.model),
    ]
    write_page(
        place.report,
        "Drawn cells: a demonstration"
        if result.data.drawn
        else "A model moves to a new laboratory",
        sections,
        subtitle=f"{result.data.title}: {len(result.labelled)} labelled cells, "
        f"{len(final)} to be scored on",
        made=datetime.now(UTC).astimezone(),
    )


def command_line(words: Sequence[str]) -> str:
    """Write a command as one would type it.

    Examples:
        >>> command_line(["hemashift", "classify", "images"])
        'hemashift classify images'
    """
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def _warnings(result: DemoResult) -> list[str]:
    found = [DRAWN] if result.data.drawn else []
    if result.refusal:
        found.append(f"The adaptation was refused, so the model is as it came. {result.refusal}")
    return found


def _adaptation_notes(result: DemoResult) -> tuple[str, ...]:
    return result.adapted.notes if result.adapted is not None else ()


def _numbers(result: DemoResult) -> Numbers:
    items = []
    named = [("before", result.before), ("after", result.after)]
    for score, label in (("accuracy", "Accuracy"), ("macro_f1", "Macro F1")):
        for name, evaluation in named:
            if evaluation is not None:
                value = evaluation.overall[score]
                items.append(Number(f"{label} {name}", percent(value.estimate), limits(value)))
    items.append(Number("Labels", f"{len(result.labelled)}", "cells, drawn at random"))
    items.append(Number("Time", f"{result.seconds:.0f} s", "from images to scores"))
    return Numbers("In short", items, note=how_sure(result.before))


def _story(result: DemoResult) -> list[str]:
    n, rest = len(result.labelled), len(result.before)
    kind = "drawn by this program" if result.data.drawn else "from a laboratory"
    told = [
        f"The model was trained elsewhere. It is shown {n + rest} images of cells {kind} whose "
        "stain, microscope and camera it has never seen.",
        f"{n} of the cells, drawn at random whatever their class, get a label. The model is "
        f"adapted with them, and then classifies all cells. It is scored on the {rest} others, "
        "whose labels nothing but the scoring has seen.",
    ]
    if result.data.origin == "download":
        told.append("The images were downloaded, and are what they were by their SHA-256.")
    return told


def _labels(result: DemoResult, place: Workplace) -> Table:
    rows = [line.rsplit(",", 1)[1] for line in place.labels.read_text("utf-8").splitlines()[1:]]
    counts = {name: rows.count(name) for name in result.before.classes}
    return label_table(counts)


def _comparison(result: DemoResult) -> list[Section]:
    if result.after is None or result.adapted is None:
        return [overall_table({"as it comes": result.before.overall})]
    few, many = f"on the {len(result.labelled)} labels", f"on the {len(result.after)} others"
    foretold = overall_table(
        {
            f"before, {few}": result.adapted.before.overall,
            f"before, {many}": result.before.overall,
            f"after, cross-validated {few}": result.adapted.after.overall,
            f"after, {many}": result.after.overall,
        },
        ("accuracy", "macro_f1"),
        title=f"What the {len(result.labelled)} labels promised",
        note="A laboratory has nothing but its labels: what they promise, by cross-validation, is "
        "to be compared with what the other cells show.",
    )
    return [*before_after(result.before, result.after), foretold]


def _confusions(result: DemoResult) -> Pictures:
    plates = [
        Plate(
            draw_confusion(None, evaluation),
            f"Confusion matrix {name}: "
            f"{int(evaluation.correct.sum())} of {len(evaluation)} cells right.",
            f"{name.capitalize()} adaptation. Each row is a true class.",
        )
        for name, evaluation in (("before", result.before), ("after", result.after))
        if evaluation is not None
    ]
    return Pictures("Which class is taken for which", plates)


def _cells(evaluation: Evaluation, folder: Path, title: str) -> Gallery:
    """Show some cells of every class that the model named, drawn at random."""
    rng = np.random.default_rng(evaluation.seed)
    chosen: list[int] = []
    for k in range(len(evaluation.classes)):
        called = np.flatnonzero(evaluation.y_pred == k)
        chosen += sorted(rng.permutation(called)[:_SHOWN_A_CLASS].tolist())
    return Gallery(
        title,
        [_thumbnail(evaluation, i, folder) for i in chosen],
        note=f"Up to {_SHOWN_A_CLASS} of each class that the model named, at random.",
    )


def _unsure(evaluation: Evaluation, folder: Path) -> Gallery:
    order = np.argsort(evaluation.certainty, kind="stable")
    right = evaluation.correct[order]
    shown = order[:_SHOWN_UNSURE].tolist()
    wrong = int((~right).sum())
    among = int((~right[: len(right) // 10]).sum())
    return Gallery(
        "Cells that a person should look at",
        [_thumbnail(evaluation, i, folder) for i in shown],
        note=f"The {len(shown)} least sure. Whoever checks the least sure tenth "
        f"({len(right) // 10} cells) finds {among} of the {wrong} mistakes.",
    )


def _thumbnail(evaluation: Evaluation, i: int, folder: Path) -> Thumbnail:
    called = evaluation.classes[evaluation.y_pred[i]]
    true = evaluation.classes[evaluation.y_true[i]]
    lines = [called, f"probability {percent(float(evaluation.certainty[i]), 0)}"]
    if called != true:
        lines.append(f"WRONG: is {true}")
    return Thumbnail(
        f"A {true} called {called}",
        lines,
        read_picture(folder / evaluation.paths[i], _SIDE),
        class_colours(evaluation.classes)[called],
    )


def _about_data(result: DemoResult) -> Facts:
    data = result.data
    origin = {
        "folder": "a folder on this computer",
        "cache": "downloaded earlier, checked by SHA-256",
        "download": "downloaded now, checked by SHA-256",
        "drawn": "drawn by this program",
    }
    rows = [
        ("Dataset", data.title),
        ("Origin", origin[data.origin]),
        ("Licence", data.licence),
        ("Citation", data.citation),
        ("Published at", data.url),
    ]
    return Facts("The images", [(name, value) for name, value in rows if value])
