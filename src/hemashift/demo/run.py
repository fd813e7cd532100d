"""The whole job in one go: label a few cells, adapt, classify the rest, say how good it is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hemashift.adaptation import Adapted, adapt
from hemashift.classification import classify
from hemashift.demo.data import DemoData, find_data
from hemashift.demo.report import write_demo_report
from hemashift.demo.telling import Silent, Telling
from hemashift.demo.workplace import Workplace
from hemashift.errors import WorseModelError
from hemashift.evaluation import Evaluation, evaluate
from hemashift.model.bundle import Bundle, default_model, load_model
from hemashift.reports.evaluation_page import picture_finder, write_evaluation_report

LABELS = 30
"""Cells that are labelled for the demonstration."""


@dataclass(frozen=True, eq=False)
class DemoResult:
    """What a demonstration did.

    Attributes:
        data: The cells it worked on.
        labelled: Names of the labelled cells.
        before: The model as it comes, on all other cells.
        after: The adapted model on the same cells; None if it was refused for being worse.
        adapted: The adaptation, or None if it was refused.
        refusal: Why it was refused; empty if it was not.
        commands: The same steps as command lines, in order.
        seconds: Time it took.
        report: The page.
    """

    data: DemoData
    labelled: tuple[str, ...]
    before: Evaluation
    after: Evaluation | None
    adapted: Adapted | None
    refusal: str
    commands: tuple[tuple[str, ...], ...]
    seconds: float
    report: Path


def run_demo(
    output: str | Path,
    *,
    data: str | Path | None = None,
    model: str | Path | Bundle | None = None,
    labels: int = LABELS,
    seed: int = 0,
    offline: bool = False,
    tell: Telling | None = None,
) -> DemoResult:
    """Adapt a model to a laboratory that it has never seen, and write a report.

    Args:
        output: Folder for all that is made. One of an earlier demonstration is emptied first.
        data: Folder of datasets; where not given, see `hemashift.demo.data.find_data`.
        model: The model to start from; by default the one that comes with hemashift.
        labels: Cells to draw at random and label.
        seed: Seed of the draw, of the adaptation and of the limits.
        offline: Do not download anything.
        tell: Who is told what happens.

    Raises:
        HemashiftError: The folder holds something else, or a step is not possible.
    """
    started = time.monotonic()
    tell = tell or Silent()
    place = Workplace(Path(output))
    start = model if isinstance(model, Bundle) else None
    start = start or (default_model() if model is None else load_model(str(model)))
    named: tuple[str | Path, ...] = () if model is None else ("--model", _name(model))
    steps = _Steps(place, seed, tell)
    place.clear()

    tell.step("Images of a laboratory that the model has never seen")
    found = find_data(data, drawn_folder=place.images, offline=offline, seed=seed, tell=tell)
    known = place.fill(found.table)

    tell.step(f"Label {labels} cells, drawn at random")
    labelled = place.label(known, labels, seed)
    tell.note(f"in a laboratory a person writes {place.labels}; here the dataset's labels serve")

    tell.step("What the model says without any adaptation")
    steps.classify(start, named, place.before)
    before = steps.score(start, place.before, labelled)

    tell.step(f"Adapt the model to the laboratory with the {labels} labels")
    adapted, refusal = steps.adapt(start, named)

    after = None
    if adapted is not None:
        tell.step("Classify all cells with the adapted model")
        steps.classify(adapted.bundle, ("--model", place.model), place.after)

        tell.step(f"How good it is on the {len(known) - labels} cells that were not labelled")
        after = steps.score(adapted.bundle, place.after, labelled)
        steps.report(after, f"Adapted to {found.title}")

    result = DemoResult(
        data=found,
        labelled=tuple(labelled),
        before=before,
        after=after,
        adapted=adapted,
        refusal=refusal,
        commands=tuple(steps.commands),
        seconds=time.monotonic() - started,
        report=place.report,
    )
    write_demo_report(result, place)
    place.record(_facts(result))
    return result


@dataclass
class _Steps:
    """The steps of a demonstration that are commands, too, and which commands they were.

    Attributes:
        place: Where everything lies.
        seed: Seed of the adaptation and of the limits.
        tell: Who is told what happens.
        commands: The steps so far as command lines.
    """

    place: Workplace
    seed: int
    tell: Telling
    commands: list[tuple[str, ...]] = field(default_factory=list)

    def classify(self, model: Bundle, named: tuple[str | Path, ...], predictions: Path) -> None:
        """Classify all cells; `named` are the words that name the model to the command."""
        self._command("classify", self.place.images, *named, "--output", predictions)
        classify(self.place.images, model, predictions, progress=self.tell.progress)

    def adapt(self, start: Bundle, named: tuple[str | Path, ...]) -> tuple[Adapted | None, str]:
        """Adapt to the labelled cells and save the model, or return why it was refused."""
        place, tell = self.place, self.tell
        words = ("adapt", place.images, "--labels", place.labels, *named)
        self._command(*words, "--output", place.model, "--seed", str(self.seed))
        try:
            adapted = adapt(
                place.images,
                place.labels,
                model=start,
                seed=self.seed,
                progress=lambda what, done, total: tell.progress(done, total),
            )
        except WorseModelError as error:
            tell.warning(f"The adapted model is not better, so the model stays as it is. {error}")
            return None, str(error)
        adapted.bundle.save(place.model)
        for note in adapted.notes:
            tell.note(note)
        return adapted, ""

    def score(self, model: Bundle, predictions: Path, labelled: Sequence[str]) -> Evaluation:
        """Score the cells that were not labelled."""
        place = self.place
        seen = {str(place.images.resolve() / name) for name in labelled}
        return evaluate(
            predictions, place.truth, images=place.images, exclude=seen, model=model, seed=self.seed
        )

    def report(self, evaluation: Evaluation, title: str) -> None:
        """Write the report of the adapted model."""
        place = self.place
        self._command(
            *("evaluate", place.after, "--labels", place.truth, "--images", place.images),
            *("--model", place.model, "--output", place.evaluation),
        )
        write_evaluation_report(
            evaluation,
            place.evaluation,
            title=title,
            thumbnails=picture_finder(place.images),
            made=datetime.now(UTC).astimezone(),
        )

    def _command(self, *words: str | Path) -> None:
        self.commands.append(("hemashift", *map(str, words)))
        self.tell.command(self.commands[-1])


def _name(model: str | Path | Bundle) -> str | Path:
    return model.card.name if isinstance(model, Bundle) else model


def _facts(result: DemoResult) -> dict[str, object]:
    """Return what a script would like to know."""
    scores = {"before": result.before, **({"after": result.after} if result.after else {})}
    return {
        "dataset": result.data.title,
        "origin": result.data.origin,
        "drawn": result.data.drawn,
        "labelled": list(result.labelled),
        "held_out": len(result.before),
        "scores": {
            name: {score: one.overall[score].estimate for score in ("accuracy", "macro_f1")}
            for name, one in scores.items()
        },
        "refusal": result.refusal,
        "commands": [list(words) for words in result.commands],
        "seconds": round(result.seconds, 1),
    }
