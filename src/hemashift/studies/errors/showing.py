"""Sections of the page about wrong predictions and wrong labels, from tables and pictures."""

from __future__ import annotations

import pandas as pd

from hemashift.audit.exchanged import exchange_sentence
from hemashift.reports.sections import (
    Gallery,
    Notices,
    Pictures,
    Section,
    Table,
    Text,
    Thumbnail,
)
from hemashift.reports.study_figures_datasets import montage_png
from hemashift.reports.study_figures_errors import draw_error_map, draw_probability_vectors
from hemashift.reports.style import class_colours
from hemashift.studies.contract import Illustration, Pixels, Result
from hemashift.studies.counting import in_order


def alarm(exchanges: pd.DataFrame) -> Notices:
    """Return a warning for every pair of classes whose labels look exchanged."""
    sentences = []
    for _, row in exchanges.iterrows():
        facts = (row[name] for name in ("first", "second", "crossed", "straight", "p_value"))
        sentences.append(f"{row['dataset']}: {exchange_sentence(*facts)}")
    return Notices("Classes that look exchanged", sentences)


def second_table(second: pd.DataFrame, cell_class: str) -> Table:
    """Return how often the true class of wrong cells is second, for one class.

    Args:
        second: From `hemashift.studies.errors.ranks.second_places`.
        cell_class: The class.
    """
    rows = [
        (
            row["dataset"],
            f"{row['cells']:,}",
            f"{row['wrong']:,}",
            f"{100 * row['share']:.0f} % ({100 * row['low']:.0f} to {100 * row['high']:.0f})"
            if row["wrong"]
            else "\N{EN DASH}",
        )
        for _, row in second[second["class"] == cell_class].iterrows()
    ]
    columns = ("Dataset", f"Scored {cell_class}s", "Wrong", "True class is second")
    note = "With exact 95 % limits. Were the order of the others chance, it would be one in five."
    return Table(f"Wrongly predicted {cell_class}s", columns, rows, note=note)


def dataset_sections(result: Result, cell_class: str) -> list[Section]:
    """Return what there is to see in one target: map, pictures, vectors, likely label errors."""
    predictions, vectors = result.tables["predictions"], result.tables["vectors"]
    dataset = str(predictions["dataset"].iloc[0])
    classes = in_order({*predictions["class"], *predictions["predicted"], *vectors["class"]})
    title = f"{dataset}: {cell_class}s taken for others"
    if vectors.empty:
        told = f"No scored {cell_class} of {dataset} is wrongly predicted, or there is none."
        return [Text(title, [told]), _suspects(result, dataset)]
    wrong = vectors.drop_duplicates("cell")["predicted"].value_counts()
    said = ", ".join(f"{count} as {name}" for name, count in wrong.items())
    items = [
        Illustration(
            draw_error_map(result.tables["map"], cell_class, classes),
            f"Wrongly predicted {cell_class}s of {dataset} in the embedding: {said}.",
            "t-SNE of the embedding after adaptation: scored cells, drawn at random, and the "
            "wrong ones of the class.",
            name=f"{dataset}-map",
        ),
        *_montage(result, dataset, cell_class, list(wrong.index)),
        Illustration(
            draw_probability_vectors(None, vectors, cell_class, classes),
            f"Probabilities of wrongly predicted {cell_class}s of {dataset}.",
            "The share of the true class begins every bar.",
            name=f"{dataset}-probabilities",
        ),
    ]
    return [Pictures(title, items), _suspects(result, dataset)]


def _montage(
    result: Result, dataset: str, cell_class: str, predicted: list[str]
) -> list[Illustration]:
    """Return the pictures of the wrong cells in rows by predicted class (Fig. 12)."""
    rows = [(name, _pictures(result, name)) for name in predicted]
    rows = [row for row in rows if row[1]]
    if not rows:
        return []
    alt = f"Wrongly predicted {cell_class}s of {dataset}, in rows by predicted class."
    caption = (
        f"{cell_class.capitalize()}s by the class that they were taken for, the surest mistakes of "
        "each first."
    )
    return [Illustration(montage_png(rows, ""), alt, caption, name=f"{dataset}-cells")]


def _suspects(result: Result, dataset: str) -> Gallery:
    """Return the pictures of the likeliest label errors."""
    suspects = result.tables["label_errors"]
    colours = class_colours(suspects["suggested"])
    items = []
    for _, row in suspects.iterrows():
        picture = result.pictures.get(f"suspect {row['row']}")
        if picture is not None:
            lines = (
                f"labelled {row['label']}",
                f"rather {row['suggested']}?",
                f"{row['own']:.3f} for the label",
            )
            alt = f"{row['path']}, {', '.join(lines)}"
            items.append(Thumbnail(alt, lines, picture, colours[row["suggested"]]))
    note = (
        f"{len(suspects)} of {len(result.tables['predictions'])} labels of scored cells are "
        "suspected by confident learning; the least believable are shown. A model that errs "
        "suspects right labels: look before you change one."
    )
    return Gallery(f"{dataset}: labels to look at again", items, note=note)


def _pictures(result: Result, what: str) -> list[Pixels]:
    return [picture for name, picture in result.pictures.items() if name.rsplit(" ", 1)[0] == what]
