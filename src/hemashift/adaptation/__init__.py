"""Adapting a model to a laboratory with few labelled cells: one file a method, one contract."""

from hemashift.adaptation.adapt import METHODS, Adapted, adapt
from hemashift.adaptation.labels import LabelledCells, read_labels

__all__ = ["METHODS", "Adapted", "LabelledCells", "adapt", "read_labels"]
