"""The study shows where errors lie and what they look like, and sounds the alarm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch")

from hemashift.model.bundle import default_model
from hemashift.reports.sections import Gallery, Notices, Pictures, Table, Text
from hemashift.studies.contract import Result, Results
from hemashift.studies.data import Dataset
from hemashift.studies.errors import Errors
from hemashift.studies.errors.looking import exchanges_of
from hemashift.studies.errors.showing import alarm
from hemashift.studies.options import ErrorsOptions
from hemashift.studies.settings import Settings
from hemashift.studies.workspace import Workspace
from hemashift.taxonomy import CLASSES

MakeWorkspace = Callable[..., Workspace]


def told(settings: Settings, **changes: object) -> dict[str, object]:
    # The random model of the tests errs often, which is what is wanted here.
    options = ErrorsOptions(**{"approach": "own_probe", "targets": ("gamma",)} | changes)
    return {"study": settings.study.model_copy(update={"errors": options})}


@pytest.fixture(scope="module")
def small(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    changed = settings.model_copy(update=told(settings))
    return Workspace(tmp_path_factory.mktemp("errors"), changed)


@pytest.fixture(scope="module")
def result(small: Workspace) -> Result:
    (part,) = Errors().parts(small)
    return part.make()


def wrongly(result: Result) -> Result:
    """The result with two neutrophils taken for basophils."""
    told = result.tables["predictions"].copy()
    rows = told.index[told["class"] == "neutrophil"][:2]
    told.loc[rows, ["predicted", "rank"]] = ["basophil", 2]
    vectors = [
        {"dataset": "gamma", "cell": int(cell), "predicted": "basophil", "class": name}
        | {"probability": value}
        for cell in told.loc[rows, "row"]
        for name, value in zip(CLASSES, (0.6, 0.04, 0.02, 0.02, 0.02, 0.3), strict=True)
    ]
    pixels = np.full((112, 112, 3), 90, np.uint8)
    return replace(
        result,
        tables={**result.tables, "predictions": told, "vectors": pd.DataFrame(vectors)},
        pictures={"basophil 3": pixels, "suspect 5": pixels},
    )


def test_all_scored_cells_are_told_of(result: Result, small: Workspace) -> None:
    gamma = small.dataset("gamma")
    assert gamma is not None
    scored = small.draw(gamma, 0).scored
    told = result.tables["predictions"]
    assert sorted(told["row"]) == sorted(scored)
    assert ((told["rank"] == 1) == (told["class"] == told["predicted"])).all()
    layout = result.tables["map"]
    assert sorted(layout["row"]) == sorted(scored)
    assert layout[["x", "y"]].notna().all(axis=None)
    wrong = told[(told["class"] == "neutrophil") & (told["rank"] > 1)]
    assert set(result.tables["vectors"]["cell"]) == set(wrong["row"])


def test_errors_are_shown(result: Result, small: Workspace) -> None:
    drawn = Errors().draw(Results({"gamma": wrongly(result)}), small)
    kinds = [type(part) for part in drawn.sections]
    assert kinds == [Notices, Table, Pictures, Gallery]
    pictures = drawn.sections[2]
    assert isinstance(pictures, Pictures)
    assert [item.name for item in pictures.items] == [  # type: ignore[attr-defined]
        "gamma-map",
        "gamma-cells",
        "gamma-probabilities",
    ]
    assert "2 as basophil" in pictures.items[0].alt
    table = drawn.sections[1]
    assert isinstance(table, Table)
    assert table.rows[0][0] == "gamma"


def test_a_class_without_errors_is_said_to_have_none(result: Result, small: Workspace) -> None:
    empty = result.tables["vectors"].iloc[:0]
    flawless = replace(result, tables={**result.tables, "vectors": empty})
    *_, text, gallery = Errors().draw(Results({"gamma": flawless}), small).sections
    assert isinstance(text, Text) and isinstance(gallery, Gallery)
    assert "No scored neutrophil of gamma" in text.paragraphs[0]


def test_suspects_have_their_picture_and_their_colour(result: Result, small: Workspace) -> None:
    suspects = pd.DataFrame(
        [("gamma", 1, 5, "a.png", "monocyte", "neutrophil", 0.01)],
        columns=["dataset", "place", "row", "path", "label", "suggested", "own"],
    )
    changed = wrongly(result)
    changed = replace(changed, tables={**changed.tables, "label_errors": suspects})
    gallery = Errors().draw(Results({"gamma": changed}), small).sections[-1]
    assert isinstance(gallery, Gallery)
    (item,) = gallery.items
    assert item.lines == ("labelled monocyte", "rather neutrophil?", "0.010 for the label")
    assert item.colour == "#56B4E9"


def test_without_targets_there_is_nothing_to_show(small: Workspace) -> None:
    (section,) = Errors().draw(Results({}), small).sections
    assert isinstance(section, Text)


def test_the_alarm_names_the_classes_and_the_numbers() -> None:
    rows = [("jiangxi_tecom", "lymphocyte", "monocyte", 80, 5, 1e-9)]
    columns = ["dataset", "first", "second", "crossed", "straight", "p_value"]
    (sentence,) = alarm(pd.DataFrame(rows, columns=columns)).items
    assert sentence.startswith(
        "jiangxi_tecom: The labels of lymphocyte and monocyte look exchanged: of their 85 cells, 80"
    )
    assert alarm(pd.DataFrame(columns=columns)).items == []


def test_a_target_that_cannot_be_drawn_from_fails_alone(
    settings: Settings, small: Workspace, again: MakeWorkspace
) -> None:
    greedy = settings.datasets["gamma"].model_copy(update={"labels": 32})
    work = again(
        small,
        datasets={**settings.datasets, "gamma": greedy},
        **told(settings, targets=("gamma", "delta")),
    )
    first, second = Errors().parts(work)
    with pytest.raises(Exception, match="too few cells"):
        first.make()
    assert second.name == "delta, own_probe"


def test_the_exchange_in_published_splits_of_jiangxi_tecom_is_noticed(
    settings: Settings, real_data: Path, tmp_path: Path
) -> None:
    """The shipped model, which has seen none of these cells, against right and exchanged codes."""
    work = Workspace(tmp_path, settings.model_copy(update={"cells": None}), real_data)
    found = work.dataset("jiangxi_tecom")
    if found is None:
        pytest.skip("Jiangxi Tecom is not here")
    both = found.cells.frame["class"].isin(["lymphocyte", "monocyte"]).to_numpy()
    cells = found.cells.select(both)
    swapped = cells.frame["class"].map({"lymphocyte": "monocyte", "monocyte": "lymphocyte"})
    exchanged = type(cells)(cells.frame.assign(**{"class": swapped}), cells.root)

    def of(table: object) -> pd.DataFrame:
        dataset: Dataset = replace(found, cells=table)  # type: ignore[arg-type]
        return exchanges_of(work, default_model(), dataset)

    assert of(cells).empty
    (alarmed,) = of(exchanged).to_dict("records")
    assert (alarmed["first"], alarmed["second"]) == ("lymphocyte", "monocyte")
    assert alarmed["crossed"] > 2 * alarmed["straight"]
    assert alarmed["p_value"] < 1e-4
