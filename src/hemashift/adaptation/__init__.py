"""Adapting a model to a laboratory with few labelled cells: one file a method, one contract."""

from hemashift.adaptation.adapt import Adapted, adapt
from hemashift.adaptation.labels import LabelledCells, read_labels
from hemashift.adaptation.registry import METHODS
from hemashift.adaptation.without_labels import AdaptedUnlabelled, adapt_unlabelled

__all__ = [
    "METHODS",
    "Adapted",
    "AdaptedUnlabelled",
    "LabelledCells",
    "adapt",
    "adapt_unlabelled",
    "read_labels",
]
