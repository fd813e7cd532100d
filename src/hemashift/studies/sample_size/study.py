"""How the number of labels, and the way they are drawn, changes the result (Appendix D)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import pandas as pd

from hemashift.errors import HemashiftError
from hemashift.reports.sections import Pictures, Section, Table, Text
from hemashift.reports.study_figures_samples import (
    draw_cells_looked_at,
    draw_class_score_by_size,
    draw_score_by_size,
)
from hemashift.studies.contract import Drawn, Illustration, Part, Result, Results
from hemashift.studies.counting import in_order
from hemashift.studies.data import Dataset
from hemashift.studies.failing import failing_part
from hemashift.studies.fingerprint import key_of
from hemashift.studies.outcomes import outcome, outcome_facts
from hemashift.studies.sample_size.offer import Offer, offer
from hemashift.studies.sample_size.scores import (
    ALL,
    looked_at_summary,
    score_rows,
    summary_of,
)
from hemashift.studies.workspace import Workspace


class SampleSize:
    """Accuracy, precision and recall by number of labels, drawn at random or by an oracle."""

    name = "sample_size"
    title = "How many labels are needed"
    version = 2
    about = (
        "Appendix D of the paper: scores for 30 to 100 labels, drawn at random ten times. Half of "
        "each dataset is kept for scoring, and a smaller sample is the beginning of a larger one. "
        "For comparison only, labels balanced between the classes by an oracle that knows every "
        "class beforehand, with the number of cells that a person without an oracle would have to "
        "look at to get them."
    )

    def parts(self, work: Workspace) -> Iterator[Part]:
        """Name the draws of every target that is large enough."""
        options = work.settings.study.sample_size
        for dataset in work.targets():
            if len(dataset.cells) >= options.least:
                for number in range(options.draws or work.settings.draws):
                    yield from _parts(work, dataset, number)

    def draw(self, results: Results, work: Workspace) -> Drawn:
        """Draw the curves of every approach, and what balanced labels cost."""
        scores, samples = results.table("scores"), results.table("samples")
        if scores.empty:
            least = work.settings.study.sample_size.least
            return Drawn([Text(self.title, [f"No target with {least} cells or more is here."])])
        summary, looked_at = summary_of(scores), looked_at_summary(samples)
        sections: list[Section] = []
        for approach in dict.fromkeys(scores["approach"]):
            title = work.settings.approaches[approach].title
            sections += _curves(summary[summary["approach"] == approach], approach, title)
        sections += _cost(looked_at)
        return Drawn(sections, {"summary": summary, "looked_at": looked_at})


def _parts(work: Workspace, dataset: Dataset, number: int) -> Iterator[Part]:
    """Name a part for every approach; a dataset that cannot be used fails by itself."""
    options = work.settings.study.sample_size
    try:
        offered = offer(dataset, number, work.settings.seed, max(options.sizes))
    except HemashiftError as error:
        yield failing_part(f"{dataset.name}, draw {number + 1}", error)
        return
    for approach in options.approaches:
        drawn = [one for _, _, one, _ in offered.samples(options.sizes)]
        yield Part(
            f"{dataset.name}, {approach}, draw {number + 1}",
            {
                "sizes": list(options.sizes),
                "outcomes": [key_of(outcome_facts(work, approach, dataset, one)) for one in drawn],
            },
            partial(_scores, work, dataset, approach, number, offered),
        )


def _scores(
    work: Workspace, dataset: Dataset, approach: str, number: int, offered: Offer
) -> Result:
    sizes = work.settings.study.sample_size.sizes
    scores, samples = [], []
    notes: list[str] = []
    for labels, sampling, drawn, looked_at in offered.samples(sizes):
        about: dict[str, str | int] = {
            "dataset": dataset.name,
            "approach": approach,
            "draw": number + 1,
            "sampling": sampling,
            "labels": labels,
        }
        found = outcome(work, approach, dataset, drawn)
        notes += found.notes
        scores.append(score_rows(found).assign(**about))
        samples.append({**about, "looked_at": looked_at, "offered": len(offered.targets)})
    tables = {"scores": pd.concat(scores), "samples": pd.DataFrame(samples)}
    return Result(tables, notes=tuple(dict.fromkeys(notes)))


def _curves(summary: pd.DataFrame, approach: str, title: str) -> list[Section]:
    """Return the figures and the table of one approach."""
    classes = in_order(set(summary["class"]) - {ALL})
    accuracy = draw_score_by_size(summary, "accuracy", "Accuracy")
    items = [
        Illustration(
            accuracy,
            "; ".join(_spoken(summary)),
            "Mean over the draws; the band is one standard deviation to both sides.",
            name=f"{approach}-accuracy",
        )
    ]
    for metric in ("precision", "recall"):
        figure = draw_class_score_by_size(summary, metric, metric.capitalize(), classes)
        items.append(
            Illustration(
                figure,
                f"{metric.capitalize()} of each class by number of labels.",
                "A class that occurs and is never predicted has precision 0."
                if metric == "precision"
                else "",
                name=f"{approach}-{metric}",
            )
        )
    return [Pictures(title, items, broad=True), _table(summary, title)]


def _spoken(summary: pd.DataFrame) -> Iterable[str]:
    chosen = summary[(summary["metric"] == "accuracy") & (summary["sampling"] == "random")]
    for dataset, part in chosen.groupby("dataset"):
        ordered = part.sort_values("labels")
        first, last = ordered.iloc[0], ordered.iloc[-1]
        yield (
            f"{dataset}: accuracy {first['mean']:.3f} with {first['labels']} labels drawn at "
            f"random, {last['mean']:.3f} with {last['labels']}"
        )


def _table(summary: pd.DataFrame, title: str) -> Table:
    """Return accuracy and macro F1 by dataset, size and sampling."""
    rows = []
    for (dataset, labels, sampling), part in summary.groupby(["dataset", "labels", "sampling"]):
        scores = part[part["class"] == ALL].set_index("metric").to_dict("index")
        told = [_with_spread(scores[name]) for name in ("accuracy", "macro_f1")]
        rows.append((str(dataset), str(labels), str(sampling), *told))
    columns = ("Dataset", "Labels", "Drawn", "Accuracy", "Macro F1")
    return Table(f"{title}: mean and standard deviation", columns, rows)


def _with_spread(score: Mapping[Hashable, Any]) -> str:
    spread = f" \N{PLUS-MINUS SIGN} {score['sd']:.3f}" if score["draws"] > 1 else ""
    return f"{score['mean']:.3f}{spread}"


def _cost(looked_at: pd.DataFrame) -> list[Section]:
    """Return what it takes to balance labels without an oracle."""
    rows = [
        (
            row["dataset"],
            str(row["labels"]),
            f"{row['mean']:.0f} ({row['least']} to {row['most']})",
            f"{row['offered']:.0f}",
        )
        for _, row in looked_at.iterrows()
    ]
    caption = (
        "Cells that a person would look at in random order until every class has its share of "
        "the labels. A class with too few cells for its share gives all it has, and then every "
        "cell is looked at up to its last one."
    )
    figure = draw_cells_looked_at(None, looked_at)
    most = looked_at.sort_values("mean").iloc[-1]
    alt = f"{most['labels']} balanced labels of {most['dataset']}: {most['mean']:.0f} cells"
    columns = ("Dataset", "Balanced labels", "Cells looked at (range)", "Cells there are")
    return [
        Pictures("What balanced labels cost", [Illustration(figure, alt, caption, name="cost")]),
        Table("Cells looked at for balanced labels", columns, rows),
    ]
