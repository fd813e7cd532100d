"""Which cells to label and when to stop: one file a strategy, one contract."""

from hemashift.selection.result import Selection
from hemashift.selection.select import DEFAULT, STRATEGIES, select
from hemashift.selection.stopping import Advice, advise

__all__ = ["DEFAULT", "STRATEGIES", "Advice", "Selection", "advise", "select"]
