"""Study: wrong predictions and wrong labels."""

from hemashift.studies.errors.study import Errors

__all__ = ["Errors"]
