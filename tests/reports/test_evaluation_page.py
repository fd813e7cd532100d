"""The report of an evaluation tells what the evaluation found."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.evaluation import Evaluation, Mistake
from hemashift.evaluation.intervals import t_interval
from hemashift.reports.evaluation_page import (
    MOST_MISTAKES,
    evaluation_sections,
    picture_finder,
    write_evaluation_report,
)
from hemashift.reports.parts import (
    before_after,
    card_facts,
    class_table,
    headline,
    label_table,
    overall_table,
    with_limits,
)
from hemashift.reports.sections import Facts, Gallery, Pictures

Simulated = Callable[..., Evaluation]


def gallery_of(evaluation: Evaluation, **options: object) -> Gallery:
    sections = evaluation_sections(evaluation, **options)
    return next(part for part in sections if isinstance(part, Gallery))


def test_the_report_holds_page_figures_and_numbers(simulated: Simulated, tmp_path: Path) -> None:
    evaluation = simulated(model={"name": "tiny <model>"})
    page = write_evaluation_report(evaluation, tmp_path / "report", title="Ours")
    text = page.read_text(encoding="utf-8")
    accuracy = evaluation.overall["accuracy"]
    assert f"{100 * accuracy.estimate:.1f} %" in text
    assert f"{100 * accuracy.low:.1f} to {100 * accuracy.high:.1f}" in text
    assert "tiny &lt;model&gt;" in text
    assert "No cell of blast &amp; co occurs" in text
    names = {path.name for path in (page.parent / "figures").iterdir()}
    assert names == {
        "confusion.png",
        "class_scores.png",
        "precision_recall.png",
        "reliability.png",
        "risk_coverage.png",
    }
    assert (page.parent / "evaluation.json").read_text("utf-8") == evaluation.to_json()


def test_the_gallery_shows_mistakes_surest_first(simulated: Simulated) -> None:
    evaluation = simulated(0.2, n=300)
    gallery = gallery_of(evaluation)
    assert len(gallery.items) == MOST_MISTAKES
    shown = [re.search(r"[\d.]+", item.lines[2]) for item in gallery.items]
    sure = [float(found.group()) for found in shown if found]
    assert sure == sorted(sure, reverse=True)
    assert f"{int((~evaluation.correct).sum())} cells are wrong" in gallery.note


def test_pictures_of_mistakes_are_found_and_cut_to_their_box(tmp_path: Path) -> None:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[10:20, 30:40] = (255, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "field.png")
    find = picture_finder(tmp_path / "none", tmp_path, size=32)
    mistake = Mistake("field.png", (30, 10, 40, 20), "monocyte", "lymphocyte", 0.9, 2, (0.9, 0.1))
    found = find(mistake)
    assert isinstance(found, np.ndarray)
    assert found.shape == (32, 32, 3)
    assert (found == (255, 0, 0)).all()
    gone = Mistake("gone.png", None, "monocyte", "lymphocyte", 0.9, 2, (0.9, 0.1))
    assert find(gone) is None


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ([0.1, 0.9], "All cells are right."),
        ([0.9, 0.1], "No threshold halves the error."),
        ([0.6, 0.4], "The error halves when 50 % of the cells are kept."),
    ],
)
def test_the_risk_figure_says_what_it_shows(second: list[float], said: str) -> None:
    evaluation = Evaluation.from_labels(["a", "b"], [[0.9, 0.1], second], ("a", "b"))
    plates = [
        plate
        for part in evaluation_sections(evaluation)
        if isinstance(part, Pictures)
        for plate in part.items
    ]
    assert any(plate.alt == f"Risk against coverage. {said}" for plate in plates)


def test_cells_without_a_class_are_counted_on_the_page() -> None:
    evaluation = Evaluation.from_labels(
        ["a", "b"], [[0.9, 0.1], [0.1, 0.9]], ("a", "b"), given=("a", "unidentified")
    )
    sections = evaluation_sections(evaluation)
    compared = next(p for p in sections if isinstance(p, Facts) and p.title == "What was compared")
    assert ("Of these, called unidentified", "1") in compared.rows


def test_without_mistakes_there_is_no_gallery_on_the_page(tmp_path: Path) -> None:
    evaluation = Evaluation.from_labels(["a", "b"], [[0.9, 0.1], [0.1, 0.9]], ("a", "b"))
    page = write_evaluation_report(evaluation, tmp_path)
    assert "Wrongly classified cells" not in page.read_text(encoding="utf-8")


def test_tables_say_what_the_evaluation_says(simulated: Simulated) -> None:
    evaluation = simulated()
    rows = class_table(evaluation).rows
    assert [row[0] for row in rows] == list(evaluation.classes)
    assert rows[0][4] == with_limits(evaluation.per_class[0].recall)
    assert rows[3][4] == "\N{EN DASH}"
    assert headline(evaluation).items[0].value == rows_percent(evaluation)
    grouped = simulated(groups=tuple(f"p{i % 30}" for i in range(120)))
    assert "as those of 30 patients or smears" in headline(grouped).note


def rows_percent(evaluation: Evaluation) -> str:
    return f"{100 * evaluation.overall['accuracy'].estimate:.1f} %"


def test_thin_classes_are_pointed_out() -> None:
    rows = label_table({"basophil": 0, "eosinophil": 2, "monocyte": 9}).rows
    assert rows[0][2].startswith("none")
    assert rows[1][2].startswith("thin")
    assert rows[2][2] == ""


def test_cross_validated_scores_fit_the_same_table() -> None:
    scores = {"accuracy": t_interval([0.8, 0.9]), "macro_f1": t_interval([0.7])}
    table = overall_table({"adapted": scores}, scores=("accuracy", "macro_f1"))
    assert table.rows[0][1].startswith("85.0 % (")
    assert table.rows[0][2] == "70.0 %"


def test_before_and_after_on_the_same_cells_gives_the_paired_difference(
    simulated: Simulated,
) -> None:
    before, after = simulated(0.5), simulated(3.0)
    parts = before_after(before, after, ("shipped", "adapted"))
    facts = next(part for part in parts if isinstance(part, Facts))
    gain = after.overall["accuracy"].estimate - before.overall["accuracy"].estimate
    assert facts.rows[0][1].startswith(f"{100 * gain:+.1f} points")
    assert "McNemar" in facts.rows[-1][1]
    other = simulated(3.0, n=60)
    assert not any(isinstance(part, Facts) for part in before_after(before, other))


@pytest.mark.parametrize("card", [{}, {"name": "", "training_data": None}])
def test_an_empty_card_has_no_facts(card: dict[str, object]) -> None:
    assert card_facts(card).rows == []


def test_the_card_is_summed_up() -> None:
    rows = dict(
        card_facts(
            {"name": "m", "classes": ["a", "b"], "training_data": [{"name": "munich_2019"}]}
        ).rows
    )
    assert rows == {"Name": "m", "Classes": "a, b", "Trained on": "munich_2019"}
