"""What a study is: parts that are computed once, tables that they leave, figures drawn from these.

A study is a class with a few attributes and two methods. `parts` names everything that has to be
computed, in units that are kept when finished; `draw` turns what the parts left into tables,
figures and sections of the page, and must be quick, since it runs again each time.

    class SampleSize:
        name, title, version = "sample_size", "How many labels are needed", 1
        about = "Appendix D of the paper: ..."

        def parts(self, work):
            options = work.settings.sample_size
            for lab in work.targets():
                facts = {"data": lab.fingerprint, "sizes": options.sizes, ...}
                yield Part(lab.name, facts, lambda lab=lab: Result({"scores": frame}))

        def draw(self, results, work):
            scores = results.table("scores")  # the rows of all parts that are finished
            return Drawn([Pictures("Accuracy", [Illustration(figure, alt="...", name="accuracy")])])

A new study is a module of this package, named in `hemashift.studies.registry.STUDIES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from hemashift.reports.sections import Plate, Section

if TYPE_CHECKING:
    from hemashift.studies.workspace import Workspace

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Result:
    """What a part leaves behind.

    Attributes:
        tables: Tidy tables by name: one observation a row, one variable a column, plain columns
            (text, numbers, booleans), no index. The same name in several parts of a study means
            the same columns; the rows are put one below the other.
        pictures: Small images by name, uint8 (H, W, 3), kept as PNG.
        notes: What a reader should know, in sentences.
    """

    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    pictures: Mapping[str, Pixels] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Part:
    """One unit of work of a study; once finished, it is never done again.

    Attributes:
        name: What it is about, unique in its study, such as `jiangxi_tecom, draw 1`.
        facts: All that the result depends on, as JSON values: settings, seeds, fingerprints of
            data, facts of models. Parts with the same facts share one result; a part whose facts
            change is computed anew. The name, the study's name and its version are added.
        make: Computes the result.
    """

    name: str
    facts: Mapping[str, Any]
    make: Callable[[], Result]


@dataclass(frozen=True)
class Illustration(Plate):
    """A figure of a study: shown on the page, and written to a file of its own.

    Attributes:
        name: Name of the file, without suffix.
    """

    name: str = "figure"


@dataclass(frozen=True, eq=False)
class Drawn:
    """What a study shows.

    Attributes:
        sections: Parts of the page, in order; see `hemashift.reports.sections`. An `Illustration`
            among the items of `Pictures` is written to a file, too.
        tables: Summaries that were computed from the results, by name; written as CSV and Parquet
            beside the results.
    """

    sections: Sequence[Section]
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Results:
    """What the finished parts of a study left, in the order of the parts.

    Attributes:
        by_part: Result of each finished part, by the part's name.
    """

    by_part: Mapping[str, Result]

    def table(self, name: str) -> pd.DataFrame:
        """Return the rows of all parts; an empty frame where no finished part has the table.

        Examples:
            >>> one, two = (Result({"n": pd.DataFrame({"x": [x]})}) for x in (1, 2))
            >>> Results({"a": one, "b": two}).table("n")["x"].tolist()
            [1, 2]
        """
        frames = [one.tables[name] for one in self.by_part.values() if name in one.tables]
        filled = [frame for frame in frames if len(frame)]
        if not filled:
            return frames[0] if frames else pd.DataFrame()
        return pd.concat(filled, ignore_index=True)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all tables, in the order in which they first occur."""
        return tuple(dict.fromkeys(name for one in self.by_part.values() for name in one.tables))

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of all parts, each once."""
        return tuple(dict.fromkeys(note for one in self.by_part.values() for note in one.notes))


class Study(Protocol):
    """One experiment of the paper.

    Attributes:
        name: Its name on the command line.
        title: Its heading on the page.
        about: What it asks and which table or figure of the paper it is, in a few sentences.
        version: Raised by hand when the code changes what a finished part would hold; the parts
            are then computed anew.
    """

    name: str
    title: str
    about: str
    version: int

    def parts(self, work: Workspace) -> Iterable[Part]:
        """Name everything that has to be computed, without computing it.

        Args:
            work: Settings, datasets and models.
        """
        ...

    def draw(self, results: Results, work: Workspace) -> Drawn:
        """Turn results into tables, figures and sections.

        Args:
            results: Of the parts that are finished; parts may be missing, even all of them.
            work: Settings, datasets and models.
        """
        ...
