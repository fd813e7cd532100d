"""What the study of datasets shows: tables 1 and 2, figures 2 to 4, and montages.

`pictures` are the kept pictures of each dataset: `<class>/<number>` and `colour/<transform>`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from hemashift.reports.frames import Row, rows_by, rows_of
from hemashift.reports.sections import Pictures, Table
from hemashift.reports.study_figures_datasets import draw_grid, montage_png
from hemashift.reports.style import class_colours
from hemashift.studies.augmenting import shown_changes
from hemashift.studies.contract import Illustration, Pixels
from hemashift.taxonomy import CLASSES

Kept = Mapping[str, Mapping[str, Pixels]]

BEFORE = "before"
"""Stands for the colour transform of a picture that has undergone none."""


def table_1(about: pd.DataFrame) -> Table:
    """Return what the datasets are; `about` has a row a dataset."""
    rows = [
        (
            one["title"],
            one["role"],
            f"{one['cells']:,}",
            f"{one['groups']:,}",
            one["licence"],
            one["citation"],
        )
        for one in rows_of(about)
    ]
    columns = ("Dataset", "Used as", "Cells here", "Groups", "Licence", "Published in")
    return Table("Table 1, the datasets", columns, rows)


def table_2(about: pd.DataFrame, counts: pd.DataFrame) -> Table:
    """Return the cells of each class; `counts` has `dataset`, `class`, `found`, `published`."""
    others = sorted(set(counts["class"]).difference(CLASSES))
    names = (*CLASSES, *others)
    found = rows_by(counts, "dataset", "class")
    rows = []
    for one in rows_of(about):
        keys = [(one["dataset"], name) for name in names]
        cells = [_count(found[key]) if key in found else "" for key in keys]
        rows.append((one["title"], *cells, f"{one['cells'] - one['of_known_class']:,}"))
    return Table(
        "Table 2, cells of each class",
        ("Dataset", *names, "Outside these"),
        rows,
        note="Cells found here; after the stroke the number that is published, where it differs. "
        "Jiangxi Tecom is held against its own README, since the paper exchanges lymphocytes and "
        "monocytes.",
    )


def _count(row: Row) -> str:
    found, published = int(row["found"]), row["published"]
    if pd.isna(published) or int(published) == found:
        return f"{found:,}"
    return f"{found:,} / {int(published):,}"


def figure_2(datasets: Sequence[str], pictures: Kept, counts: pd.DataFrame) -> Pictures:
    """Return one cell of each class of each dataset."""
    classes = [name for name in CLASSES if name in set(counts["class"])]
    grid = [[pictures[one].get(f"{name}/0") for name in classes] for one in datasets]
    figure = draw_grid(grid, datasets, classes, class_colours(classes))
    alt = f"One cell of each class of {', '.join(datasets)}"
    return Pictures("Figure 2, a cell of each", [Illustration(figure, alt, name="figure_2")])


def montages(datasets: Sequence[str], pictures: Kept, about: pd.DataFrame) -> Pictures:
    """Return a montage of each dataset."""
    titles = dict(zip(about["dataset"], about["title"], strict=True))
    items = []
    for one in datasets:
        rows: dict[str, list[Pixels]] = {}
        for name, image in pictures[one].items():
            kind = name.rpartition("/")[0]
            if kind != "colour":
                rows.setdefault(kind, []).append(image)
        if rows:
            picture = montage_png(list(rows.items()), titles[one])
            alt = f"Cells of {titles[one]}: {', '.join(rows)}"
            items.append(Illustration(picture, alt, name=f"montage_{one}"))
    return Pictures("Cells of each dataset, drawn at random", items)


def figure_3(datasets: Sequence[str], pictures: Kept, transforms: Sequence[str]) -> Pictures:
    """Return a cell of each dataset before and after each colour transform."""
    steps = (BEFORE, *transforms)
    grid = [[pictures[one].get(f"colour/{step}") for one in datasets] for step in steps]
    figure = draw_grid(grid, steps, datasets)
    alt = f"One cell of each dataset before and after {', '.join(transforms)}"
    return Pictures(
        "Figure 3, the colour transforms",
        [Illustration(figure, alt, name="figure_3")],
        note="Reinhard in log l-alpha-beta is the transform of the paper, which calls the space "
        "CIELAB; reinhard-lab works in CIELAB proper. Neutrophils where there are any.",
    )


def figure_4(pictures: Mapping[str, Pixels]) -> Pictures:
    """Return a cell of each class, zoomed and with reduced resolution."""
    names = list(dict.fromkeys(name.partition("/")[0] for name in pictures))
    changes = list(shown_changes())
    grid = [[pictures[f"{name}/{change}"] for change in changes] for name in names]
    figure = draw_grid(grid, names, changes)
    alt = "A cell of each class, zoomed and with reduced resolution"
    return Pictures(
        "Figure 4, zoom and resolution",
        [Illustration(figure, alt, name="figure_4")],
        note="The ends of the ranges from which training on the sharper source draws: width of the "
        "window as a part of the image; side in pixels, of 224, to which the image is reduced.",
    )
