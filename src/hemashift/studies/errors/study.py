"""Wrong predictions of a class, and labels that are probably wrong (Fig. 11 to 13, Appendix E)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from hemashift.errors import HemashiftError
from hemashift.reports.sections import Section, Text
from hemashift.studies.adapting import starting_model
from hemashift.studies.contract import Drawn, Part, Result, Results
from hemashift.studies.data import Dataset
from hemashift.studies.draws import Draw
from hemashift.studies.errors.looking import (
    exchanges_of,
    label_errors_of,
    map_of,
    pictures_of,
    predictions_of,
    vectors_of,
)
from hemashift.studies.errors.ranks import second_places
from hemashift.studies.errors.showing import alarm, dataset_sections, second_table
from hemashift.studies.failing import failing_part
from hemashift.studies.outcomes import adapted_model, outcome, outcome_facts
from hemashift.studies.workspace import Workspace

# Likely label errors of each dataset whose pictures are shown.
SUSPECTS = 16


class Errors:
    """Which cells of a class are taken for another, and whether their labels are to be trusted."""

    name = "errors"
    title = "Wrong predictions and wrong labels"
    version = 3
    about = (
        "Fig. 11 to 13 and Appendix E of the paper, for the first draw of labels: where wrongly "
        "predicted cells of a class lie in the embedding, what they look like, how often their "
        "true class is second, and which labels of the target are probably wrong, by confident "
        "learning (Northcutt et al. 2021) on cells that the model has not learnt from."
    )

    def parts(self, work: Workspace) -> Iterator[Part]:
        """Name the targets to look at."""
        options = work.settings.study.errors
        for dataset in work.targets():
            if options.targets and dataset.name not in options.targets:
                continue
            name = f"{dataset.name}, {options.approach}"
            try:
                drawn = work.draw(dataset, 0)
            except HemashiftError as error:
                yield failing_part(name, error)
                continue
            facts = {
                "outcome": outcome_facts(work, options.approach, dataset, drawn),
                "class": options.cell_class,
                "shown": options.shown,
                "perplexity": work.settings.study.pictures.perplexity,
                "seed": work.settings.seed,
            }
            yield Part(name, facts, partial(_look, work, dataset, drawn))

    def draw(self, results: Results, work: Workspace) -> Drawn:
        """Show the errors of every target."""
        if not results.by_part:
            return Drawn([Text(self.title, ["No target is here."])])
        cell_class = work.settings.study.errors.cell_class
        second = second_places(results.table("predictions"))
        sections: list[Section] = [alarm(results.table("exchanges"))]
        sections.append(second_table(second, cell_class))
        for result in results.by_part.values():
            sections += dataset_sections(result, cell_class)
        return Drawn(sections, {"second": second})


def _look(work: Workspace, dataset: Dataset, drawn: Draw) -> Result:
    options = work.settings.study.errors
    found = outcome(work, options.approach, dataset, drawn)
    model = adapted_model(work, options.approach, dataset, drawn)
    start = starting_model(work, work.settings.approaches[options.approach])
    predictions, suspects = predictions_of(found), label_errors_of(found)
    wrong = predictions[(predictions["class"] == options.cell_class) & (predictions["rank"] > 1)]
    surest = wrong.sort_values("confidence", ascending=False, kind="stable")
    shown = {
        str(predicted): part["row"].head(options.shown).tolist()
        for predicted, part in surest.groupby("predicted")
    }
    return Result(
        {
            "predictions": predictions,
            "vectors": vectors_of(found, options.cell_class),
            "map": map_of(work, model, dataset, predictions, options.cell_class),
            "label_errors": suspects,
            "exchanges": exchanges_of(work, start, dataset),
        },
        pictures_of(dataset, {**shown, "suspect": suspects["row"].head(SUSPECTS).tolist()}),
        found.notes,
    )
