"""The study leaves tidy tables, goes on where it was, and draws whatever is finished."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("torch")

from hemashift.reports.sections import Pictures
from hemashift.studies.contract import Results
from hemashift.studies.options import SampleSizeOptions
from hemashift.studies.sample_size import SampleSize
from hemashift.studies.settings import Approach, Settings
from hemashift.studies.workspace import Workspace

MakeWorkspace = Callable[..., Workspace]


def told(settings: Settings, **changes: object) -> dict[str, object]:
    options = SampleSizeOptions(
        **{"sizes": (4, 8), "approaches": ("plain",), "least": 20, **changes}
    )
    # Without adaptation, all samples of a draw share one outcome, which saves most of the time.
    plain = Approach(title="Plain", model="own", method="none")
    study = settings.study.model_copy(update={"sample_size": options})
    approaches = {**settings.approaches, "plain": plain}
    return {"study": study, "targets": ("gamma",), "approaches": approaches}


@pytest.fixture(scope="module")
def small(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    changed = settings.model_copy(update=told(settings))
    return Workspace(tmp_path_factory.mktemp("sizes"), changed)


@pytest.fixture(scope="module")
def results(small: Workspace) -> Results:
    return Results({part.name: part.make() for part in SampleSize().parts(small)})


def test_every_sample_is_scored(results: Results, small: Workspace) -> None:
    assert list(results.by_part) == [
        "gamma, plain, draw 1",
        "gamma, plain, draw 2",
    ]
    scores = results.table("scores")
    keys = ["dataset", "approach", "draw", "sampling", "labels", "metric", "class"]
    assert not scores.duplicated(keys).any()
    assert scores["value"].between(0, 1).all()
    accuracy = scores[scores["metric"] == "accuracy"]
    assert len(accuracy) == 2 * 2 * 2  # draws, sizes, samplings
    assert len(set(scores["class"])) == 1 + 4


def test_samples_tell_what_they_cost(results: Results) -> None:
    samples = results.table("samples")
    random = samples[samples["sampling"] == "random"]
    assert (random["looked_at"] == random["labels"]).all()
    balanced = samples[samples["sampling"] == "balanced"]
    assert (balanced["looked_at"] >= balanced["labels"]).all()
    assert (balanced["looked_at"] <= balanced["offered"]).all()


def test_each_sample_is_adapted_to(
    settings: Settings, small: Workspace, again: MakeWorkspace
) -> None:
    work = again(small, **told(settings, sizes=(8,), approaches=("own_probe",), draws=1))
    (part,) = SampleSize().parts(work)
    scores = part.make().tables["scores"]
    accuracy = scores[scores["metric"] == "accuracy"]
    seen = list(zip(accuracy["sampling"], accuracy["labels"], strict=True))
    assert seen == [("random", 8), ("balanced", 8)]
    assert len(set(part.facts["outcomes"])) == 2


def test_figures_and_tables_are_drawn(results: Results, small: Workspace) -> None:
    drawn = SampleSize().draw(results, small)
    names = [
        item.name for part in drawn.sections if isinstance(part, Pictures) for item in part.items
    ]
    assert names == ["plain-accuracy", "plain-precision", "plain-recall", "cost"]
    assert set(drawn.tables) == {"summary", "looked_at"}
    assert (drawn.tables["summary"]["draws"] <= 2).all()


def test_half_of_the_parts_can_be_drawn_and_none_as_well(
    results: Results, small: Workspace
) -> None:
    name, first = next(iter(results.by_part.items()))
    assert SampleSize().draw(Results({name: first}), small).tables["summary"]["sd"].isna().all()
    (section,) = SampleSize().draw(Results({}), small).sections
    assert "No target with 20 cells" in section.paragraphs[0]  # type: ignore[union-attr]


def test_small_datasets_are_left_out_and_unusable_ones_fail_alone(
    settings: Settings, small: Workspace, again: MakeWorkspace
) -> None:
    both = {"targets": ("gamma", "delta")}
    large_only = again(small, **told(settings, least=30) | both)
    assert {part.name.split(",")[0] for part in SampleSize().parts(large_only)} == {"gamma"}
    greedy = again(small, **told(settings, sizes=(4, 15)) | both)
    parts = {part.name: part for part in SampleSize().parts(greedy)}
    assert set(parts) == {
        "gamma, plain, draw 1",
        "gamma, plain, draw 2",
        "delta, draw 1",
        "delta, draw 2",
    }
    with pytest.raises(Exception, match="too few cells"):
        parts["delta, draw 1"].make()


def test_facts_follow_settings(settings: Settings, small: Workspace, again: MakeWorkspace) -> None:
    def facts(work: Workspace) -> list[object]:
        return [part.facts for part in SampleSize().parts(work)]

    assert facts(small) == facts(again(small, **told(settings)))
    assert facts(small) != facts(again(small, **told(settings, sizes=(4, 9))))
    assert facts(small) != facts(again(small, seed=1, **told(settings)))
