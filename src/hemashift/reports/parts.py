"""Parts of a page made from scores: for evaluations, adaptations and demonstrations alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hemashift.adaptation.remarks import THIN
from hemashift.evaluation import Evaluation, Interval
from hemashift.evaluation.comparison import mcnemar_exact, paired_difference
from hemashift.reports.figures import SCORE_NAMES, draw_comparison
from hemashift.reports.sections import Facts, Number, Numbers, Pictures, Plate, Section, Table
from hemashift.reports.style import class_colours

NOT_DEFINED = "\N{EN DASH}"

_HEADLINE = ("accuracy", "macro_f1", "macro_precision", "macro_recall")


def percent(value: float, digits: int = 1) -> str:
    """Write a fraction as a percentage.

    Examples:
        >>> percent(0.9312), percent(float("nan")) == NOT_DEFINED
        ('93.1 %', True)
    """
    return NOT_DEFINED if np.isnan(value) else f"{100 * value:.{digits}f} %"


def limits(interval: Interval) -> str:
    """Write the limits of an interval in percent, "90.1 to 95.2"; empty where there are none."""
    if np.isnan(interval.estimate) or np.isnan(interval.low) or np.isnan(interval.high):
        return ""
    return f"{100 * interval.low:.1f} to {100 * interval.high:.1f}"


def with_limits(interval: Interval) -> str:
    """Write a score and its limits in percent.

    Examples:
        >>> with_limits(Interval(0.93, 0.9012, 0.9523))
        '93.0 % (90.1 to 95.2)'
    """
    between = limits(interval)
    return f"{percent(interval.estimate)} ({between})" if between else percent(interval.estimate)


def p_value(value: float) -> str:
    """Write a p-value.

    Examples:
        >>> p_value(0.0312), p_value(1e-9)
        ('p = 0.031', 'p < 0.0001')
    """
    return "p < 0.0001" if value < 0.0001 else f"p = {value:.2g}"


def headline(evaluation: Evaluation, title: str = "Result") -> Numbers:
    """Return accuracy and macro scores in large figures, with how they were found."""
    items = [
        Number(
            SCORE_NAMES[name] + (" (balanced accuracy)" if name == "macro_recall" else ""),
            percent(evaluation.overall[name].estimate),
            limits(evaluation.overall[name]),
        )
        for name in _HEADLINE
    ]
    items.append(
        Number(
            "Calibration error",
            percent(evaluation.calibration["ece"]),
            "mean gap of confidence and accuracy; by chance alone "
            + percent(evaluation.calibration["ece_by_chance"]),
        )
    )
    return Numbers(title, items, note=f"{len(evaluation):,} cells. {how_sure(evaluation)}")


def how_sure(evaluation: Evaluation) -> str:
    """Say in a sentence where the limits come from."""
    found = "exact limits (Clopper-Pearson)"
    if evaluation.groups is not None:
        found += (
            f" of as many cells as those of {len(set(evaluation.groups))} patients or smears are "
            "worth"
        )
    return (
        f"The range is a {100 * evaluation.confidence:.0f} % confidence interval: {found}. Macro "
        "scores are means over the classes that occur, and their range is put together from the "
        "limits of these classes."
    )


def class_table(evaluation: Evaluation, title: str = "Each class") -> Table:
    """Return precision, recall, F1 and areas of each class, with limits."""
    rows = [
        (
            one.name,
            f"{one.support:,}",
            f"{one.predicted:,}",
            with_limits(one.precision),
            with_limits(one.recall),
            with_limits(one.f1),
            _score(one.average_precision),
            _score(one.roc_auc),
        )
        for one in evaluation.per_class
    ]
    columns = ("Class", "Cells", "Called so", "Precision", "Recall", "F1", "PR area", "ROC area")
    return Table(title, columns, rows, colours=class_colours(evaluation.classes))


def overall_table(
    methods: Mapping[str, Mapping[str, Interval]],
    scores: Sequence[str] = _HEADLINE,
    title: str = "Scores",
    note: str = "",
) -> Table:
    """Return the scores of several methods, a method a row.

    Args:
        methods: Name -> score -> value; `Evaluation.overall` serves, and so do
            cross-validated scores with the t-interval of their folds.
        scores: Which scores, in order.
        title: Heading.
        note: Remark below.
    """
    rows = [(name, *(with_limits(values[s]) for s in scores)) for name, values in methods.items()]
    return Table(title, ("", *(SCORE_NAMES.get(s, s) for s in scores)), rows, note=note)


def label_table(counts: Mapping[str, int]) -> Table:
    """Return how many labelled cells each class has, and which classes are too thin.

    Args:
        counts: Class -> labelled cells; name classes without any with 0.
    """

    def remark(n: int) -> str:
        if n == 0:
            return "none: known from the source alone, not checked; many will be missed"
        return f"thin: fewer than {THIN}" if n < THIN else ""

    rows = [(name, f"{n:,}", remark(n)) for name, n in counts.items()]
    note = f"{sum(counts.values()):,} labels in all."
    columns = ("Class", "Labelled cells", "Remark")
    return Table("Labels given", columns, rows, note=note, colours=class_colours(counts))


def before_after(
    before: Evaluation, after: Evaluation, names: tuple[str, str] = ("before", "after")
) -> list[Section]:
    """Return a table, a figure and, on the same cells, the paired difference of two models.

    Args:
        before: The first evaluation.
        after: The second.
        names: What to call them.
    """
    methods = {names[0]: before.overall, names[1]: after.overall}
    figure = draw_comparison(None, methods, title=f"{names[0]} and {names[1]}".capitalize())
    alt = "; ".join(
        f"{name}: accuracy {with_limits(values['accuracy'])}" for name, values in methods.items()
    )
    found: list[Section] = [
        overall_table(methods, title=f"{names[0]} and {names[1]}".capitalize()),
        Pictures("Comparison", [Plate(figure, alt)]),
    ]
    same = (
        before.classes == after.classes
        and before.paths == after.paths
        and before.boxes == after.boxes
        and np.array_equal(before.y_true, after.y_true)
    )
    if same:
        rows = []
        for score in ("accuracy", "macro_f1"):
            gain = paired_difference(
                after.y_true,
                before.y_pred,
                after.y_pred,
                len(after.classes),
                score,
                groups=after.groups,
                draws=after.draws,
                seed=after.seed,
                confidence=after.confidence,
            )
            points = f"{100 * gain.estimate:+.1f} points"
            rows.append((f"Gain, {SCORE_NAMES[score]}", f"{points} ({limits(gain)})"))
        test = mcnemar_exact(before.correct, after.correct)
        rows.append(
            (
                "Cells that only one gets right",
                f"{int(test.statistic):,} only {names[1]}, "
                f"{test.n - int(test.statistic):,} only {names[0]} "
                f"(exact McNemar test, {p_value(test.p_value)})",
            )
        )
        found.append(Facts("Difference on the same cells", rows))
    return found


def card_facts(card: Mapping[str, Any]) -> Facts:
    """Return what a reader should know of a model's card; fields that are empty are left out."""
    rows = [
        (label, str(card[name]))
        for name, label in (
            ("name", "Name"),
            ("description", "Description"),
            ("architecture", "Architecture"),
            ("licence", "Licence"),
            ("created", "Made"),
            ("temperature", "Temperature"),
            ("parent", "Adapted from"),
            ("hash", "Hash"),
        )
        if card.get(name)
    ]
    if card.get("classes"):
        rows.append(("Classes", ", ".join(map(str, card["classes"]))))
    trained = [
        str(one.get("name", "")) for one in card.get("training_data") or () if isinstance(one, dict)
    ]
    if trained:
        rows.append(("Trained on", ", ".join(trained)))
    return Facts("Model", rows)


def _score(value: float) -> str:
    return NOT_DEFINED if np.isnan(value) else f"{value:.3f}"
