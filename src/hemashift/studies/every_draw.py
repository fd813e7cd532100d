"""The parts of a study that asks the same of every target, approach and draw of labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from hemashift.errors import HemashiftError
from hemashift.studies.contract import Part, Result
from hemashift.studies.data import Dataset
from hemashift.studies.draws import Draw
from hemashift.studies.failing import failing_part
from hemashift.studies.outcomes import outcome_facts
from hemashift.studies.workspace import Workspace

Make = Callable[[Workspace, str, Dataset, Draw], Result]


def every_draw(
    work: Workspace, approaches: Iterable[str], draws: int | None, called: str, make: Make
) -> Iterable[Part]:
    """Name one part a target, approach and draw; a target without enough cells fails alone.

    Args:
        work: Settings, datasets and models.
        approaches: Names of the approaches.
        draws: Draws of labels of each target; those of the settings where None.
        called: What the study calls an approach; part of the facts.
        make: Computes the result of an approach on a draw of a target.
    """
    names = tuple(approaches)
    for dataset in work.targets():
        try:
            drawn = work.draws(dataset, draws)
        except HemashiftError as error:
            yield failing_part(dataset.name, error)
            continue
        for name in names:
            for draw in drawn:
                yield Part(
                    f"{dataset.name}, {name}, draw {draw.number + 1}",
                    {**outcome_facts(work, name, dataset, draw), called: name},
                    partial(make, work, name, dataset, draw),
                )
