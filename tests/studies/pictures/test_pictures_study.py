"""Every map of the study has numbers, and what is missing stops nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

pytest.importorskip("torch")

from hemashift.reports import sections
from hemashift.studies.contract import Results
from hemashift.studies.options import PicturesOptions
from hemashift.studies.pictures import Pictures
from hemashift.studies.settings import Settings
from hemashift.studies.workspace import Workspace

MakeWorkspace = Callable[..., Workspace]


@pytest.fixture(scope="module", autouse=True)
def tsne_only() -> Iterator[None]:
    """UMAP compiles itself for most of a minute at its first use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hemashift.studies.pictures.study.available_maps", lambda: ("tsne",))
        yield


def told(settings: Settings, **changes: object) -> dict[str, object]:
    options = PicturesOptions(
        **{"cells": 20, "with_transform": "own", "without_transform": "own"} | changes
    )
    study = settings.study.model_copy(update={"pictures": options})
    return {"study": study, "targets": ("gamma",)}


@pytest.fixture(scope="module")
def small(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    changed = settings.model_copy(update=told(settings, approach="own_probe"))
    return Workspace(tmp_path_factory.mktemp("pictures"), changed)


@pytest.fixture(scope="module")
def results(small: Workspace) -> Results:
    return Results({part.name: part.make() for part in Pictures().parts(small)})


def test_every_map_of_the_paper_is_there(results: Results) -> None:
    points = results.table("points")
    assert points.groupby("figure", sort=False)["map"].unique().map(list).to_dict() == {
        "images": ["Before the colour transform", "After the colour transform"],
        "sources": ["Without the colour transform", "With the colour transform"],
        "sources and targets": ["Without the colour transform", "With the colour transform"],
        "gamma": ["Class scores before adaptation", "Class scores after adaptation"],
    }
    counts = points.groupby(["figure", "map"]).size()
    assert counts["images"].tolist() == [60, 60]
    assert counts["sources"].tolist() == [40, 40]


def test_every_map_has_numbers_beside_it(results: Results, small: Workspace) -> None:
    drawn = Pictures().draw(results, small)
    pictures, table = drawn.sections
    assert isinstance(pictures, sections.Pictures) and isinstance(table, sections.Table)
    assert [item.name for item in pictures.items] == [  # type: ignore[attr-defined]
        "images-tsne",
        "sources-tsne",
        "sources-and-targets-tsne",
        "gamma-tsne",
    ]
    for item in pictures.items:
        for axes in item.picture.axes:  # type: ignore[union-attr]
            assert "silhouette" in axes.get_xlabel()
            assert "map faithful to" in axes.get_xlabel()
    assert len(table.rows) == 8
    means = drawn.tables["overview"]
    assert means["faithful_tsne"].between(0, 1).all()
    assert np.isfinite(means[means["figure"] == "sources"]["silhouette"]).all()


def test_nothing_finished_is_drawn_as_nothing(small: Workspace) -> None:
    assert Pictures().draw(Results({}), small).sections == []


def test_a_target_that_cannot_be_drawn_from_fails_alone(
    settings: Settings, small: Workspace, again: MakeWorkspace
) -> None:
    datasets = {
        **settings.datasets,
        "gamma": settings.datasets["gamma"].model_copy(update={"labels": 32}),
    }
    parts = {
        part.name: part
        for part in Pictures().parts(again(small, datasets=datasets, **told(settings)))
    }
    with pytest.raises(Exception, match="too few cells"):
        parts["gamma, workflow"].make()
    assert parts["images"].make().tables["points"]["figure"].eq("images").all()


def test_targets_can_be_chosen(settings: Settings, small: Workspace, again: MakeWorkspace) -> None:
    work = again(small, **told(settings, targets=("delta",)))
    assert not any(part.name.startswith("gamma") for part in Pictures().parts(work))


def test_facts_name_maps_and_models(
    settings: Settings, small: Workspace, again: MakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = {part.name: part.facts for part in Pictures().parts(small)}
    assert first == {part.name: part.facts for part in Pictures().parts(small)}
    monkeypatch.setattr("hemashift.studies.pictures.study.available_maps", lambda: ("tsne", "umap"))
    assert first != {part.name: part.facts for part in Pictures().parts(small)}
