"""Classifying many images: a stream from files to a table, that survives interruptions."""

from hemashift.classification.run import ClassifyReport, classify

__all__ = ["ClassifyReport", "classify"]
