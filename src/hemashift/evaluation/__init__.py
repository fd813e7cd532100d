"""How good the predictions are, and how sure that is."""

from hemashift.evaluation.evaluation import Evaluation, Mistake
from hemashift.evaluation.from_tables import evaluate
from hemashift.evaluation.intervals import Interval
from hemashift.evaluation.matching import Matching
from hemashift.evaluation.scores import ClassScores
from hemashift.evaluation.storage import to_json, write_evaluation

__all__ = [
    "ClassScores",
    "Evaluation",
    "Interval",
    "Matching",
    "Mistake",
    "evaluate",
    "to_json",
    "write_evaluation",
]
