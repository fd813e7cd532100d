"""Study 1: what the datasets hold, and what the transforms do to their images.

Tables 1 and 2 and figures 2 to 4 of Chossegros et al. 2024. Everything here is of the datasets as
they are on this computer, whole, whatever the budgets of the other studies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from PIL import Image

from hemashift import colour
from hemashift.cells import CellTable
from hemashift.errors import ImageError
from hemashift.images import crop, read_image, resize
from hemashift.reports.sections import Section
from hemashift.studies.augmenting import augmented, shown_changes
from hemashift.studies.contract import Drawn, Part, Pixels, Result, Results
from hemashift.studies.data import Dataset
from hemashift.studies.dataset_sections import (
    BEFORE,
    figure_2,
    figure_3,
    figure_4,
    montages,
    table_1,
    table_2,
)
from hemashift.studies.workspace import Workspace
from hemashift.taxonomy import CLASSES, OUTSIDE

_THUMBNAIL = 128  # pixels of the longer side of a picture that is kept
_AUGMENTATION = "augmentation"


class Datasets:
    """Tables 1 and 2, figures 2 to 4 of the paper."""

    name = "datasets"
    title = "Datasets"
    about = (
        "What the datasets hold (tables 1 and 2 of the paper), how their cells look (figure 2), "
        "what the colour transforms make of them (figure 3), and how the sharper source is "
        "degraded in training (figure 4)."
    )
    version = 1

    def parts(self, work: Workspace) -> Iterable[Part]:
        """One part a dataset, and one for the changes of figure 4."""
        options = work.settings.study.datasets
        for one in work.everything():
            facts = {
                "data": work.fingerprint(one.everything),
                "seed": work.settings.seed,
                "pictures": options.pictures,
                "transforms": list(options.transforms),
                "role": _role(one.name, work),
            }
            yield Part(one.name, facts, partial(_described, one, work))
        example = _example(work.sources())
        if example is not None:
            facts = {"data": example.fingerprint, "seed": work.settings.seed}
            yield Part(_AUGMENTATION, facts, partial(_augmentation, example, work.settings.seed))

    def draw(self, results: Results, work: Workspace) -> Drawn:
        """Draw the two tables and the three figures, and a montage a dataset."""
        about, counts = results.table("datasets"), results.table("counts")
        if about.empty:
            return Drawn([])
        pictures = {name: one.pictures for name, one in results.by_part.items()}
        sections: list[Section] = [table_1(about), table_2(about, counts)]
        datasets = [name for name in about["dataset"] if name in pictures]
        sections.append(figure_2(datasets, pictures, counts))
        sections.append(montages(datasets, pictures, about))
        transforms = work.settings.study.datasets.transforms
        sections.append(figure_3(datasets, pictures, transforms))
        if _AUGMENTATION in pictures:
            sections.append(figure_4(pictures[_AUGMENTATION]))
        return Drawn(sections)


def _described(dataset: Dataset, work: Workspace) -> Result:
    """Count the cells of a dataset, and keep some of its pictures."""
    options, reader = work.settings.study.datasets, dataset.reader
    cells = dataset.everything
    found, published = cells.counts(), dict(reader.published_counts or {})
    names = list(dict.fromkeys((*found, *published)))
    counts = pd.DataFrame(
        {
            "dataset": dataset.name,
            "class": names,
            "found": [found.get(name, 0) for name in names],
            "published": pd.array(
                [published.get(name, 0) if published else None for name in names], dtype="Int64"
            ),
        }
    )
    labels = cells.frame.fillna({"class": OUTSIDE, "label": ""})
    labels = labels.groupby(["label", "class"], sort=True).size().reset_index(name="cells")
    about = pd.DataFrame(
        [
            {
                "dataset": dataset.name,
                "title": dataset.title,
                "role": _role(dataset.name, work),
                "cells": len(cells),
                "of_known_class": len(cells.known()),
                "groups": cells.frame["group"].nunique(),
                "licence": reader.licence,
                "citation": reader.citation,
                "url": reader.url,
                "note": reader.note,
            }
        ]
    )
    thumbnails, unreadable = _thumbnails(cells.known(), options.pictures, work.settings.seed)
    pictures = {f"{name}/{i}": image for name, i, image in thumbnails}
    if thumbnails:
        pictures |= _transformed(thumbnails, options.transforms)
    notes = [f"{dataset.title}: {reader.note}"] if reader.note else []
    if unreadable:
        notes.append(f"{dataset.name}: {unreadable} of the drawn images cannot be read.")
    tables = {"datasets": about, "counts": counts, "labels": labels.assign(dataset=dataset.name)}
    return Result(tables, pictures, tuple(notes))


def _role(name: str, work: Workspace) -> str:
    settings = work.settings
    if name in settings.sources:
        return "source"
    return "target" if name in settings.targets else "not used"


def _thumbnails(
    cells: CellTable, count: int, seed: int
) -> tuple[list[tuple[str, int, Pixels]], int]:
    """Return (class, number, picture) of some cells of each class, and how many were unreadable."""
    rng = np.random.default_rng([seed, 21])
    classes = cells.frame["class"].to_numpy(dtype=np.str_)
    boxes, found, unreadable = cells.boxes(), [], 0
    for name in cells.classes():
        chosen = rng.permutation(np.flatnonzero(classes == name))[:count]
        for number, row in enumerate(chosen):
            try:
                image, box = read_image(cells.absolute(int(row))), boxes[row]
                found.append((name, number, _small(image if box is None else crop(image, box))))
            except ImageError:
                unreadable += 1
    return found, unreadable


def _small(image: Pixels) -> Pixels:
    """Return a picture that is no larger than it is shown."""
    small = Image.fromarray(image)
    small.thumbnail((_THUMBNAIL, _THUMBNAIL), Image.Resampling.LANCZOS)
    return np.asarray(small)


def _transformed(
    thumbnails: Sequence[tuple[str, int, Pixels]], transforms: Sequence[str]
) -> dict[str, Pixels]:
    """Return one cell before and after each colour transform: a neutrophil where there is one."""
    *_, image = next((one for one in thumbnails if one[0] == CLASSES[-1]), thumbnails[0])
    square = resize(image, _THUMBNAIL)
    changed = {f"colour/{BEFORE}": square}
    for transform in transforms:
        changed[f"colour/{transform}"] = colour.create(transform)(square)
    return changed


def _example(sources: Sequence[Dataset]) -> Dataset | None:
    """Return the source that the paper degrades, or else the first."""
    from hemashift.training.recipe import PRESETS

    wanted = PRESETS["paper"].augmentation.only
    return next((one for one in sources if one.name in wanted), next(iter(sources), None))


def _augmentation(dataset: Dataset, seed: int) -> Result:
    thumbnails, _ = _thumbnails(dataset.cells, 1, seed)
    pictures = {
        f"{name}/{change}": augmented(resize(image, _THUMBNAIL), change)
        for name, _, image in thumbnails
        for change in shown_changes()
    }
    return Result(pictures=pictures, notes=(f"Figure 4 shows cells of {dataset.title}.",))
