"""Maps of images and embeddings (Fig. 8 to 10), with numbers beside every one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Literal

import pandas as pd

from hemashift import colour
from hemashift.errors import HemashiftError
from hemashift.evaluation.embedding_map import available_maps
from hemashift.reports import sections as parts_of_pages
from hemashift.reports.study_figures_pictures import draw_maps
from hemashift.studies.contract import Drawn, Illustration, Part, Result, Results
from hemashift.studies.data import Dataset
from hemashift.studies.failing import failing_part
from hemashift.studies.outcomes import outcome_facts
from hemashift.studies.pictures.measures import numbers_of, overview, points_of
from hemashift.studies.pictures.spaces import (
    Space,
    adapted_spaces,
    embedding_space,
    pixel_spaces,
    some_cells,
)
from hemashift.studies.workspace import Workspace

TRANSFORM = "reinhard"
"""The colour transform of the paper."""

IMAGES = "images"
SOURCES = "sources"
EVERYTHING = "sources and targets"

_KINDS = {"tsne": "t-SNE", "umap": "UMAP"}
_WITH, _WITHOUT = "With the colour transform", "Without the colour transform"
_CAPTIONS = {
    IMAGES: "Flattened images, 32 pixels a side. Colour and shape: the dataset.",
    SOURCES: "Embeddings of the source datasets, from which most of these cells were learnt.",
    EVERYTHING: "Embeddings of all datasets; neither model has learnt from a target.",
}
_EXPLAINED = (
    "All numbers are taken in the space itself, not on its map, within or over classes of ten "
    "cells and more. Silhouette (-1 to 1) and purity (share of the ten nearest cells that are of "
    "the same class) say how far classes are apart. Domain AUC says how well a linear probe tells "
    "two datasets apart, within one class, on cells that it has not seen: 0.5 if it cannot, 1 if "
    "it always can. Domain purity is the share of the nearest cells of the class that are of the "
    "same one of two datasets: 0.5 if they are mixed, 1 if they are apart. Faithful: share of "
    "neighbours on the map that are neighbours in the space (trustworthiness). Altered copies of "
    "one image (BCCD) are each other's neighbours and raise the purity."
)
_MEASURES = {
    "silhouette": "Silhouette",
    "purity": "Purity",
    "chance": "by chance",
    "domain_auc": "Domain AUC",
    "domain_purity": "Domain purity",
}


class Pictures:
    """What the colour transform and adaptation do to images and embeddings."""

    name = "pictures"
    title = "Maps of images and embeddings"
    version = 1
    about = (
        "Fig. 8 to 10 of the paper: t-SNE (and UMAP, where it is installed) of flattened images "
        "before and after the colour transform, of embeddings trained with and without it, and of "
        "embeddings before and after adaptation. A map alone proves nothing, so that numbers "
        "taken in the space itself stand below each."
    )

    def parts(self, work: Workspace) -> Iterator[Part]:
        """Name the spaces to look at."""
        sources, everything = work.sources(), [*work.sources(), *work.targets()]
        if everything:
            yield _pixels(work, everything)
        options = work.settings.study.pictures
        for title, model in (
            (_WITHOUT, options.without_transform),
            (_WITH, options.with_transform),
        ):
            if sources:
                yield _embeddings(work, title, model, SOURCES, sources)
            if work.targets():
                yield _embeddings(work, title, model, EVERYTHING, everything)
        for dataset in work.targets():
            if not options.targets or dataset.name in options.targets:
                yield _adapted(work, dataset)

    def draw(self, results: Results, work: Workspace) -> Drawn:
        """Draw the maps of every figure side by side, and tabulate their numbers."""
        points, numbers = results.table("points"), results.table("numbers")
        if points.empty:
            return Drawn([])
        means = overview(numbers)
        illustrations = [
            _illustration(points, means, str(figure), str(kind))
            for figure in dict.fromkeys(points["figure"])
            for kind in dict.fromkeys(points["kind"])
        ]
        pictures = parts_of_pages.Pictures(self.title, illustrations, note=_EXPLAINED)
        return Drawn([pictures, _table(means)], {"overview": means})


def _pixels(work: Workspace, datasets: list[Dataset]) -> Part:
    """Name Fig. 8."""
    cells = work.settings.study.pictures.cells

    def spaces() -> list[Space]:
        chosen = some_cells(datasets, cells, work.settings.seed)
        return pixel_spaces(chosen, colour.create(TRANSFORM))

    facts = {"data": _prints(datasets), "transform": TRANSFORM}
    return _part(work, IMAGES, IMAGES, facts, spaces)


def _embeddings(
    work: Workspace, title: str, model: str, figure: str, datasets: list[Dataset]
) -> Part:
    """Name one half of Fig. 9."""
    cells = work.settings.study.pictures.cells

    def spaces() -> list[Space]:
        chosen = some_cells(datasets, cells, work.settings.seed)
        return [embedding_space(work, title, work.model(model), chosen)]

    facts = {"data": _prints(datasets), "model": work.model_facts(model)}
    return _part(work, f"{figure}, {title.lower()}", figure, facts, spaces)


def _adapted(work: Workspace, dataset: Dataset) -> Part:
    """Name Fig. 10 of one target."""
    approach = work.settings.study.pictures.approach
    name = f"{dataset.name}, {approach}"
    try:
        drawn = work.draw(dataset, 0)
    except HemashiftError as error:
        return failing_part(name, error)
    facts = {"outcome": outcome_facts(work, approach, dataset, drawn)}
    spaces = partial(adapted_spaces, work, approach, dataset, drawn)
    return _part(work, name, dataset.name, facts, spaces)


def _prints(datasets: list[Dataset]) -> dict[str, str]:
    return {one.name: one.fingerprint for one in datasets}


def _part(
    work: Workspace,
    name: str,
    figure: str,
    facts: dict[str, Any],
    spaces: Callable[[], list[Space]],
) -> Part:
    """Name a part that maps and measures spaces."""
    options, seed = work.settings.study.pictures, work.settings.seed
    kinds = available_maps()

    def make() -> Result:
        points, numbers = [], []
        for space in spaces():
            points.append(points_of(space, kinds, seed, options.perplexity))
            numbers.append(numbers_of(space, points[-1], seed))
        return Result(
            {
                "points": pd.concat(points).assign(figure=figure),
                "numbers": pd.concat(numbers).assign(figure=figure),
            }
        )

    budget = {"cells": options.cells, "perplexity": options.perplexity, "maps": list(kinds)}
    return Part(name, {**facts, **budget, "seed": seed}, make)


def _illustration(
    points: pd.DataFrame, means: pd.DataFrame, figure: str, kind: str
) -> Illustration:
    chosen = points[(points["figure"] == figure) & (points["kind"] == kind)]
    own = means[means["figure"] == figure].set_index("map")
    below = {str(name): _spoken(own.loc[name], kind) for name in dict.fromkeys(chosen["map"])}
    colour_by: Literal["class", "dataset"] = "dataset" if figure == IMAGES else "class"
    alt = ". ".join(f"{name}: {text}" for name, text in below.items()).replace("\n", ", ")
    caption = _CAPTIONS.get(figure, f"Scored cells of {figure}, none of which was labelled.")
    return Illustration(
        draw_maps(chosen, below, colour_by),
        alt,
        f"{_KINDS[kind]}. {caption}",
        name=f"{figure.replace(' ', '-')}-{kind}",
    )


def _spoken(row: pd.Series, kind: str) -> str:
    """Say the numbers of a map in a line for classes, one for datasets and one for the map."""
    chance = f"by chance {_number(row, 'chance')}"
    lines = [f"silhouette {_number(row, 'silhouette')}, purity {_number(row, 'purity')} ({chance})"]
    if pd.notna(row.get("domain_auc")):
        between = f"domain AUC {_number(row, 'domain_auc')}"
        lines.append(f"{between}, domain purity {_number(row, 'domain_purity')}")
    lines.append(f"map faithful to {_number(row, f'faithful_{kind}')}")
    return "\n".join(lines)


def _number(row: pd.Series, measure: str) -> str:
    value = row.get(measure)
    return "\N{EN DASH}" if pd.isna(value) else f"{value:.2f}"


def _table(means: pd.DataFrame) -> parts_of_pages.Table:
    """Return the numbers of all maps."""
    shown = [name for name in _MEASURES if name in means.columns]
    rows = [
        (f"{row['figure']}: {row['map']}", *(_number(row, name) for name in shown))
        for _, row in means.iterrows()
    ]
    columns = ("Map", *(_MEASURES[name] for name in shown))
    return parts_of_pages.Table("Numbers of all maps", columns, rows)
