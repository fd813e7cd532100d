from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from hemashift.cells import CellTable
from hemashift.errors import HemashiftError
from hemashift.model.bundle import Bundle
from hemashift.studies import weights
from hemashift.studies.settings import ModelSettings, Settings
from hemashift.studies.weights import have_weights
from hemashift.studies.workspace import Workspace
from hemashift.training.recipe import Recipe

TINY = {
    "architecture": "efficientnet_lite0",
    "size": 32,
    "epochs": 1,
    "batch_size": 8,
    "weights": "random",
}


def with_model(settings: Settings, model: ModelSettings, **changes: object) -> Settings:
    return settings.model_copy(update={"models": {**settings.models, "mine": model}, **changes})


def test_a_source_model_is_trained_once_on_the_cells_that_are_allowed(
    work: Workspace, settings: Settings, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[list[CellTable], Recipe, str]] = []

    def train(tables: list[CellTable], output: Path, wanted: Recipe, **options: Any) -> Bundle:
        calls.append((tables, wanted, options["name"]))
        options["run_folder"].mkdir(parents=True)
        bundle.save(output)
        return bundle

    monkeypatch.setattr("hemashift.training.source.train", train)
    changed = with_model(settings, ModelSettings(kind="trained", recipe=TINY, per_class=3))
    model = Workspace(work.folder, changed).model("mine")
    [(tables, wanted, name)] = calls
    assert name == "mine"
    assert [set(table.frame["dataset"]) for table in tables] == [{"alpha"}, {"beta"}]
    assert all(set(table.counts().values()) == {3} for table in tables)
    assert (wanted.size, wanted.epochs, wanted.colour) == (32, 1, "reinhard")
    assert Workspace(work.folder, changed).model("mine").hash == model.hash
    assert len(calls) == 1


def test_a_later_run_names_the_models_that_are_kept(
    work: Workspace, settings: Settings, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hemashift.training.source.train", lambda *_, **__: bundle)
    changed = with_model(settings, ModelSettings(recipe=TINY))
    assert Workspace(work.folder, changed).models_used() == {}
    model = Workspace(work.folder, changed).model("mine")
    assert Workspace(work.folder, changed).models_used() == {"mine": model.hash}


def test_other_data_or_recipe_is_another_model(work: Workspace, settings: Settings) -> None:
    def facts(model: ModelSettings, **changes: object) -> dict[str, object]:
        return Workspace(work.folder, with_model(settings, model, **changes)).model_facts("mine")

    one = facts(ModelSettings(recipe=TINY))
    assert one == facts(ModelSettings(recipe=dict(TINY)))
    assert one != facts(ModelSettings(recipe={**TINY, "epochs": 2}))
    assert one != facts(ModelSettings(recipe=TINY, per_class=2))
    assert one != facts(ModelSettings(recipe=TINY), sources=("alpha",))
    assert one != facts(ModelSettings(recipe=TINY), seed=1)


def test_an_untrained_model_knows_no_cell_but_is_whole(work: Workspace) -> None:
    model = work.model("imagenet")
    assert model.card.preprocessing.size == 64
    assert model.card.training_data == ()
    again = Workspace(work.folder, work.settings).model("imagenet")
    assert again.hash == model.hash


def test_without_sources_no_model_is_trained(work: Workspace, settings: Settings) -> None:
    changed = with_model(settings, ModelSettings(recipe=TINY), sources=("munich_2019",))
    with pytest.raises(HemashiftError, match="no source dataset") as caught:
        Workspace(work.folder, changed).model("mine")
    assert "models.mine" in str(caught.value)


def test_weights_are_not_downloaded_unless_allowed(
    monkeypatch: pytest.MonkeyPatch, work: Workspace, settings: Settings
) -> None:
    monkeypatch.setattr(weights, "_in_cache", lambda name: False)
    assert not have_weights("resnet101", download=False)
    assert have_weights("resnet101", download=True)
    wanted = ModelSettings(recipe={**TINY, "architecture": "resnet101", "weights": "imagenet"})
    monkeypatch.setattr("hemashift.training.source.train", lambda *_, **__: pytest.fail("went on"))
    with pytest.raises(HemashiftError, match="not installed") as caught:
        Workspace(work.folder, with_model(settings, wanted)).model("mine")
    assert "download" in str(caught.value)


def test_the_cache_is_asked_by_the_name_that_timm_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def found(place: str, file: str) -> str:
        asked.append(place)
        return "/a/file"

    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", found)
    assert have_weights("vgg16", download=False)
    assert asked[0].startswith("timm/vgg16")
