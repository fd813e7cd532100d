"""The report of one evaluation: a JSON file, figures, and a page that explains them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from hemashift.evaluation import Evaluation, Mistake, write_evaluation
from hemashift.files import written_together
from hemashift.reports import figures
from hemashift.reports.page import write_page
from hemashift.reports.parts import card_facts, class_table, headline, percent
from hemashift.reports.pictures import read_picture
from hemashift.reports.sections import (
    Facts,
    Gallery,
    Notices,
    Picture,
    Pictures,
    Plate,
    Section,
    Thumbnail,
)
from hemashift.reports.style import class_colours, save

_PAGE = "report.html"
MOST_MISTAKES = 48
"""Wrongly classified cells shown; more would make the page heavy, not clearer."""

Thumbnails = Callable[[Mistake], Picture | None]


def evaluation_figures(evaluation: Evaluation) -> dict[str, Figure]:
    """Return all figures of an evaluation by name."""
    return {
        "confusion": figures.draw_confusion(None, evaluation),
        "class_scores": figures.draw_class_scores(None, evaluation),
        "precision_recall": figures.draw_precision_recall(None, evaluation),
        "reliability": figures.draw_reliability(None, evaluation),
        "risk_coverage": figures.draw_risk_coverage(None, evaluation),
    }


def evaluation_sections(
    evaluation: Evaluation,
    *,
    thumbnails: Thumbnails | None = None,
    drawn: dict[str, Figure] | None = None,
) -> list[Section]:
    """Return the parts of an evaluation's page.

    Args:
        evaluation: The evaluation.
        thumbnails: A function that finds the picture of a wrongly classified cell.
        drawn: The figures, if they are drawn already.
    """
    drawn = drawn or evaluation_figures(evaluation)
    plates = {name: Plate(figure, *_described(name, evaluation)) for name, figure in drawn.items()}
    errors = evaluation.calibration
    calibration = Facts(
        "Calibration in numbers",
        [
            ("Expected calibration error", f"{errors['ece']:.4f} (15 bins of equal width)"),
            ("The same, bins of equal mass", f"{errors['ece_equal_mass']:.4f}"),
            ("The same, if every probability were right", f"{errors['ece_by_chance']:.4f}"),
            ("Brier score", f"{errors['brier']:.4f} (0 is perfect, 2 is worst)"),
            ("Negative log likelihood", f"{errors['nll']:.4f} nats"),
        ],
    )
    return [
        headline(evaluation),
        Notices("Read this first", evaluation.warnings),
        class_table(evaluation),
        Pictures("Which class is taken for which", [plates["confusion"], plates["class_scores"]]),
        Pictures("At other thresholds", [plates["precision_recall"], plates["risk_coverage"]]),
        Pictures("Can the probabilities be believed", [plates["reliability"]]),
        calibration,
        _gallery(evaluation, thumbnails),
        _rows(evaluation),
        card_facts(evaluation.model),
    ]


def write_evaluation_report(
    evaluation: Evaluation,
    folder: str | Path,
    *,
    title: str = "Evaluation",
    thumbnails: Thumbnails | None = None,
    made: datetime | None = None,
) -> Path:
    """Write `evaluation.json`, `figures/*.png` and `report.html` into a folder.

    Args:
        evaluation: The evaluation.
        folder: Where to; made if missing.
        title: Heading of the page.
        thumbnails: A function that finds the picture of a wrongly classified cell.
        made: When; shown in the footer of the page.

    Returns:
        The path of the page.
    """
    drawn = evaluation_figures(evaluation)
    model = str(evaluation.model.get("name", ""))
    with written_together(folder) as aside:
        write_evaluation(evaluation, aside / "evaluation.json")
        for name, figure in drawn.items():
            save(figure, aside / "figures" / f"{name}.png")
        write_page(
            aside / _PAGE,
            title,
            evaluation_sections(evaluation, thumbnails=thumbnails, drawn=drawn),
            subtitle=f"{len(evaluation):,} cells of known class"
            + (f", model {model}" if model else ""),
            made=made,
        )
    return Path(folder) / _PAGE


def picture_finder(*folders: str | Path, size: int = 128) -> Thumbnails:
    """Return a function that reads the picture of a cell, tried under each folder in turn.

    Args:
        *folders: Where relative paths may start; absolute paths are taken as they are.
        size: Side of the picture in pixels.
    """
    return partial(_find_picture, folders=tuple(map(Path, folders)) or (Path(),), size=size)


def _find_picture(mistake: Mistake, folders: tuple[Path, ...], size: int) -> Picture | None:
    for folder in folders:
        picture = read_picture(folder / mistake.path, size, mistake.box)
        if picture is not None:
            return picture
    return None


def _described(name: str, evaluation: Evaluation) -> tuple[str, str]:
    """Return the alternative text and the caption of a figure."""
    classes = [one for one in evaluation.per_class if one.support]
    if name == "confusion":
        alt = "Confusion matrix. Recall: " + _listed(
            (one.name, percent(one.recall.estimate)) for one in classes
        )
        return alt, "Each row is a true class: how many of its cells were called what."
    if name == "class_scores":
        alt = "Bars of precision and recall. Precision: " + _listed(
            (one.name, percent(one.precision.estimate)) for one in classes
        )
        return alt, (
            "Plain bars: how many of the cells called so are so. Hatched: how many of the cells "
            "of the class were found."
        )
    if name == "precision_recall":
        alt = "Precision-recall curves. Area: " + _listed(
            (one.name, f"{one.average_precision:.3f}") for one in classes
        )
        return alt, "What other thresholds would give; the thick line averages the classes."
    if name == "reliability":
        alt = f"Reliability diagram, calibration error {evaluation.calibration['ece']:.3f}."
        return alt, (
            "Below the dashed line the model is surer than it should be, above it not sure "
            "enough. Grey bars: the share of cells with that confidence."
        )
    alt = f"Risk against coverage. {_halving(evaluation)}"
    return alt, "How many errors remain when a person looks at the least sure cells."


def _halving(evaluation: Evaluation) -> str:
    """Say what part of the cells may be kept for half of the error."""
    curve = evaluation.risk_coverage
    if curve.risk[-1] == 0:
        return "All cells are right."
    kept = curve.coverage_at(curve.risk[-1] / 2)
    if kept == 0:
        return "No threshold halves the error."
    return f"The error halves when {percent(kept, 0)} of the cells are kept."


def _gallery(evaluation: Evaluation, thumbnails: Thumbnails | None) -> Gallery:
    mistakes = evaluation.mistakes()
    colours = class_colours(evaluation.classes)
    items = [
        Thumbnail(
            f"A {one.truth} called {one.predicted}",
            (
                f"{one.predicted}?",
                f"is {one.truth} ({_place(one.rank)})",
                f"confidence {percent(one.confidence)}",
                one.path.replace("\\", "/").rsplit("/", 1)[-1],
            ),
            thumbnails(one) if thumbnails else None,
            colours[one.truth],
        )
        for one in mistakes[:MOST_MISTAKES]
    ]
    second = sum(one.rank == 2 for one in mistakes)
    note = (
        f"{len(mistakes):,} cells are wrong, the surest first"
        + (f" (the first {MOST_MISTAKES} shown)" if len(mistakes) > MOST_MISTAKES else "")
        + f". In {second:,} of them the true class is the second most probable."
    )
    return Gallery("Wrongly classified cells", items, note=note)


def _rows(evaluation: Evaluation) -> Facts:
    matching = evaluation.matching
    rows = [("Evaluated", f"{len(evaluation):,} cells")]
    for label, n in (
        *((f"Of these, called {name}", n) for name, n in evaluation.without_class.items()),
        ("Left out, used for adaptation or on request", len(matching.excluded)),
        ("Left out, of no class of the model", sum(matching.outside.values())),
        ("In the labels, without prediction", len(matching.without_prediction)),
        ("Predicted, not in the labels", len(matching.without_truth)),
        ("Not classified because of an error", len(matching.failed)),
    ):
        if n:
            rows.append((label, f"{n:,}"))
    return Facts("What was compared", rows)


def _place(rank: int) -> str:
    return {2: "2nd most probable", 3: "3rd"}.get(rank, f"{rank}th" if rank > 1 else "1st")


def _listed(pairs: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name} {value}" for name, value in pairs) + "."
