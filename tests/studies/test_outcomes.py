from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

pytest.importorskip("torch")

from hemashift.model.runtime import Encoder
from hemashift.studies import ablation, adapting, targets
from hemashift.studies.data import Dataset
from hemashift.studies.outcomes import adapted_model, outcome, outcome_facts
from hemashift.studies.workspace import Workspace


@pytest.fixture
def gamma(busy: Workspace) -> Dataset:
    found = busy.dataset("gamma")
    assert found is not None
    return found


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The approaches by which a model was adapted."""
    calls: list[str] = []
    adapt = adapting.adapt_draw

    def counted(work: Workspace, approach: object, *rest: object) -> object:
        calls.append(approach.title)  # type: ignore[attr-defined]
        return adapt(work, approach, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("hemashift.studies.outcomes.adapt_draw", counted)
    return calls


@pytest.mark.parametrize("name", ["no_finetuning", "head_only", "mixed", "workflow", "own"])
def test_every_scored_cell_is_predicted(name: str, busy: Workspace, gamma: Dataset) -> None:
    draw = busy.draw(gamma, 0)
    found = outcome(busy, name, gamma, draw)
    assert found.predictions["row"].tolist() == draw.scored.tolist()
    assert found.probabilities.shape == (len(draw.scored), len(found.classes))
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)
    best = np.array(found.classes)[found.probabilities.argmax(axis=1)]
    assert found.predictions["predicted"].tolist() == best.tolist()
    truth = gamma.cells.frame["class"].to_numpy()[draw.scored]
    assert found.predictions["truth"].tolist() == truth.tolist()
    assert found.labels == (0 if name == "no_finetuning" else 9)


@pytest.mark.parametrize("study", [targets, ablation])
def test_what_a_reader_should_know_of_an_outcome_reaches_the_study(
    study: ModuleType, busy: Workspace, gamma: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hemashift.studies.outcomes.divided_classes", lambda *_: ["monocyte"])
    [note] = study._made(
        busy, "no_finetuning", gamma, busy.draw(gamma, 7)
    ).notes  # of no other test
    assert note.startswith("gamma: nearly all cells of monocyte")


def test_an_outcome_is_computed_once(
    busy: Workspace,
    gamma: Dataset,
    fits: list[str],
    again: Callable[..., Workspace],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw = busy.draw(gamma, 1)
    first = outcome(busy, "workflow", gamma, draw)
    assert len(fits) == 1
    monkeypatch.setattr(Encoder, "encode", lambda *_: pytest.fail("encoded again"))
    other = again(busy)
    same = outcome(other, "workflow", gamma, other.draw(gamma, 1))
    assert len(fits) == 1
    np.testing.assert_array_equal(same.probabilities, first.probabilities)


def test_labels_of_scored_cells_are_not_used(busy: Workspace, gamma: Dataset) -> None:
    """Exchange the classes of all scored cells: the predictions stay as they are."""
    draw = busy.draw(gamma, 0)
    frame = gamma.cells.frame.copy()
    frame.loc[draw.scored, "class"] = "monocyte"
    blind = Dataset(
        gamma.name,
        gamma.title,
        gamma.settings,
        gamma.reader,
        gamma.everything,
        type(gamma.cells)(frame, gamma.cells.root),
        "blind",
    )
    for name in ("own", "workflow"):
        honest, cheated = outcome(busy, name, gamma, draw), outcome(busy, name, blind, draw)
        np.testing.assert_allclose(honest.probabilities, cheated.probabilities, atol=1e-5)


def test_the_model_of_the_first_draw_is_kept(
    busy: Workspace, gamma: Dataset, fits: list[str]
) -> None:
    draw = busy.draw(gamma, 0)
    found = outcome(busy, "workflow", gamma, draw)
    del fits[:]
    model = adapted_model(busy, "workflow", gamma, draw)
    assert fits == []
    encoded = busy.encode(model, gamma.cells.select(draw.scored)).encoded
    np.testing.assert_allclose(
        model.head.probabilities(encoded), found.probabilities[:, : len(model.card.classes)]
    )


def test_the_colour_transform_is_replaced(busy: Workspace) -> None:
    approach = busy.settings.approaches["no_colour"]
    source = busy.model("workflow")
    image = np.random.default_rng(0).integers(60, 200, (64, 64, 3), dtype=np.uint8)
    standardised = source.card.preprocessing(image)  # a model that has been used before
    start = adapting.starting_model(busy, approach)
    assert source.card.preprocessing.colour["name"] == "reinhard"
    assert start.card.preprocessing.colour["name"] == "none"
    np.testing.assert_array_equal(start.card.preprocessing(image), image)
    assert np.abs(standardised.astype(int) - image).mean() > 5
    assert start.contents is source.contents


def test_mixed_sources_add_as_many_cells_of_each_source(
    busy: Workspace, gamma: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, list[str]]] = []

    class Watching:
        def fit(self, task: object) -> object:
            seen.append((len(task), task.groups.tolist()))  # type: ignore
            raise KeyboardInterrupt

    monkeypatch.setattr(adapting, "_method", lambda *_: Watching())
    approach, draw = busy.settings.approaches["mixed"], busy.draw(gamma, 0)
    with pytest.raises(KeyboardInterrupt):
        adapting.adapt_draw(busy, approach, busy.model("workflow"), gamma, draw)
    [(count, groups)] = seen
    assert count == 18
    assert sum(group.startswith("source") for group in groups) == 9


def test_facts_name_what_matters(busy: Workspace, gamma: Dataset) -> None:
    one, other = busy.draw(gamma, 0), busy.draw(gamma, 1)
    facts = outcome_facts(busy, "workflow", gamma, one)
    assert facts == outcome_facts(busy, "workflow", gamma, busy.draw(gamma, 0))
    assert facts != outcome_facts(busy, "workflow", gamma, other)
    assert facts != outcome_facts(busy, "mixed", gamma, one)
    assert "labelled" not in outcome_facts(busy, "no_finetuning", gamma, one)


def test_a_class_that_only_the_truth_knows_counts_as_an_error(
    busy: Workspace, gamma: Dataset
) -> None:
    draw = busy.draw(gamma, 0)
    frame = gamma.cells.frame.copy()
    rare = draw.scored[0]
    frame.loc[rare, "class"] = "blast"
    odd = Dataset(
        "odd",
        "odd",
        gamma.settings,
        gamma.reader,
        gamma.everything,
        type(gamma.cells)(frame, gamma.cells.root),
        "odd",
    )
    found = outcome(busy, "own", odd, draw)
    assert found.classes[-1] == "blast"
    evaluation = found.evaluation(draws=10)
    assert evaluation.y_true[0] == len(found.classes) - 1
    assert not evaluation.correct[0]
