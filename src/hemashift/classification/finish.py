"""From the rows of the journal to those of the output: what depends on all cells, or on wishes.

The journal keeps what the network said, so that an interrupted run can go on under other wishes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hemashift.adaptation.classmix import ClassMix
from hemashift.errors import HemashiftError
from hemashift.model.bundle import Bundle
from hemashift.model.card import Card
from hemashift.taxonomy import OUTSIDE, Taxonomy, default_taxonomy
from hemashift.trust.conformal import check_coverage, least_probabilities, prediction_sets
from hemashift.trust.mix import assumed_mix, estimate_class_mix, reweighted
from hemashift.trust.storage import read_trust
from hemashift.trust.unidentified import UNIDENTIFIED, keep_rule

Float = npt.NDArray[np.float64]

# Images count as much as the mix that the model assumes. Trusted fully, probabilities from few
# labels find another mix where there is none, and cost more cells than they win.
_MIX_TRUST = 0.5

SET, OUTSIDE_SCORE, MAIN_CLASS = "set", "outside", "main_class"


@dataclass(frozen=True)
class Wishes:
    """What is asked for beyond the most probable class.

    Attributes:
        coverage: Share of cells whose set shall hold the true class; None for no sets.
        max_error: Share of the cells with a class that may be wrong; None to name every cell.
        class_mix: Whether to estimate the class mix of these cells, and correct for it.
        outside: Whether cells unlike all classes are called `outside`.
        roll_up: Whether to add the main class of each label.
    """

    coverage: float | None = None
    max_error: float | None = None
    class_mix: bool = False
    outside: bool = False
    roll_up: bool = False


class Finish:
    """Turns rows of the journal into rows of the output.

    Args:
        bundle: The model.
        wishes: What is asked for.
        taxonomy: What classes mean; the built-in one by default.

    Attributes:
        notes: What is worth knowing, in sentences; complete after `look`.
        mix: After `look`, the share of each class that probabilities are for; None if the class
            mix was not asked for.

    Raises:
        HemashiftError: The model, or the labels it was adapted with, cannot fulfil a wish.
    """

    def __init__(self, bundle: Bundle, wishes: Wishes, taxonomy: Taxonomy | None = None) -> None:
        self.classes = bundle.card.classes
        self.wishes = wishes
        self.notes: list[str] = []
        self.mix: dict[str, float] | None = None
        self._trust = read_trust(bundle)
        known = self._trust.calibration
        if wishes.coverage is not None or wishes.max_error is not None:
            if known is None:
                raise HemashiftError(
                    "this model has no labelled cells that tell how often it is wrong",
                    expected="a model that `hemashift adapt` of this version made from labels",
                    found=bundle.card.name,
                    hint="label some cells and adapt the model; leave out --coverage and "
                    "--max-error until then",
                )
            if wishes.coverage is not None:
                check_coverage(len(known), wishes.coverage)
            if wishes.max_error is not None:
                keep_rule(known, wishes.max_error)
        if wishes.class_mix and _corrected_already(bundle.card):
            raise HemashiftError(
                "this model was moved to the class mix of its laboratory already",
                found="adapted by classmix",
                hint="leave out --class-mix, or adapt by another method",
            )
        if wishes.outside and self._trust.outside is None:
            raise HemashiftError(
                "this model does not know how far cells may be from its classes",
                found=bundle.card.name,
                hint="adapt the model again with this version, or leave out --outside",
            )
        if wishes.outside and known is None:
            self.notes.append(
                "The model was not adapted: cells of another laboratory than those of the source "
                "may all look outside."
            )
        self._prior = assumed_mix(bundle.card) if known is None else known.prior
        meaning = taxonomy or default_taxonomy()
        self._main = {name: meaning.main_class(name) for name in self.classes}
        self._least: Float | None = None
        self._threshold = 0.0

    def schema(self, rows: pa.Schema) -> pa.Schema:
        """Return the columns of the output for those of the journal."""
        if self.wishes.roll_up:
            rows = rows.insert(rows.get_field_index("label") + 1, pa.field(MAIN_CLASS, pa.string()))
        if self.wishes.coverage is not None:
            place = rows.get_field_index(f"p_{self.classes[-1]}") + 1
            rows = rows.insert(place, pa.field(SET, pa.list_(pa.string())))
        return rows

    def look(self, stretches: Callable[[], Iterable[pa.Table]]) -> None:
        """Look at all rows once, where a wish needs that, and fix what holds for each of them.

        Args:
            stretches: Gives the rows of the journal, from the first on.
        """
        known = self._trust.calibration
        if self.wishes.class_mix:
            mix = self._estimate(stretches())
            self.mix = dict(zip(self.classes, map(float, mix), strict=True))
            shown = ", ".join(f"{name} {share:.1%}" for name, share in self.mix.items())
            self.notes.append(
                "Probabilities are for a class mix between what the model assumed and what these "
                f"images look like: {shown}."
            )
            known = None if known is None else known.moved(mix)
        if known is not None and self.wishes.coverage is not None:
            self._least = least_probabilities(known, self.wishes.coverage)
        if known is not None and self.wishes.max_error is not None:
            rule = keep_rule(known, self.wishes.max_error)
            self._threshold = rule.threshold
            self.notes.append(str(rule))

    def __call__(self, rows: pa.Table) -> pa.Table:
        """Finish some rows, after `look`."""
        if self.wishes == Wishes():
            return rows
        read = np.array(pc.is_null(rows.column("error")))
        probabilities = self._probabilities(rows)
        if self.mix is not None:
            mix = np.array(list(self.mix.values()))
            probabilities = reweighted(probabilities, self._prior, mix)
            for number, name in enumerate(self.classes):
                values = pa.array(probabilities[:, number], pa.float32(), mask=~read)
                rows = _replace(rows, f"p_{name}", values)
        best = np.where(read, probabilities.argmax(axis=1), 0)
        labels = np.array(self.classes, dtype=object)[best]
        labels[np.nan_to_num(probabilities.max(axis=1)) < self._threshold] = UNIDENTIFIED
        if self.wishes.outside:
            labels[_numbers(rows, OUTSIDE_SCORE) > 1] = OUTSIDE
        rows = _replace(rows, "label", pa.array(labels, pa.string(), mask=~read))
        columns = {name: rows.column(name) for name in rows.column_names}
        if self.wishes.roll_up:
            main = [self._main.get(label) for label in labels]
            columns[MAIN_CLASS] = pa.array(main, pa.string(), mask=~read)
        if self._least is not None:
            inside = prediction_sets(probabilities, self._least)
            names = np.array(self.classes, dtype=object)
            sets = [names[row] if there else None for row, there in zip(inside, read, strict=True)]
            columns[SET] = pa.array(sets, pa.list_(pa.string()))
        schema = self.schema(rows.schema)
        return pa.table([columns[name] for name in schema.names], schema=schema)

    def _estimate(self, stretches: Iterable[pa.Table]) -> Float:
        parts = [np.empty((0, len(self.classes)))]
        for rows in stretches:
            counts = np.array(pc.is_null(rows.column("error")))
            if self.wishes.outside:
                counts &= ~(_numbers(rows, OUTSIDE_SCORE) > 1)
            parts.append(self._probabilities(rows)[counts])
        return estimate_class_mix(np.concatenate(parts), self._prior, trust=_MIX_TRUST)

    def _probabilities(self, rows: pa.Table) -> Float:
        """Return `(N, K)`, NaN where an image could not be read."""
        return np.stack([_numbers(rows, f"p_{name}") for name in self.classes], axis=1)


def _corrected_already(card: Card) -> bool:
    """Tell whether the method of adaptation corrects for the class mix itself."""
    about = card.provenance.get("adaptation")
    return isinstance(about, dict) and about.get("method") == ClassMix.name


def _numbers(rows: pa.Table, name: str) -> Float:
    values: Float = rows.column(name).to_numpy().astype(np.float64)
    return values


def _replace(rows: pa.Table, name: str, values: pa.Array) -> pa.Table:
    place = rows.column_names.index(name)
    return rows.set_column(place, rows.schema.field(place), values)
