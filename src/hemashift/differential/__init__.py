"""The differential count: percentages with exact limits, flags, comparison, and exports.

Pure: nothing here knows of projects, images or models. `hemashift.differential.exports` writes
a `Result` as CSV, JSON, FHIR, HL7, HTML or PDF.
"""

from hemashift.differential.comparison import ComparedLine, Comparison, compare
from hemashift.differential.core import Differential, Line
from hemashift.differential.flags import Flag, FlagRule, flags, read_flag_rules
from hemashift.differential.result import ModelFacts, Result, Signature, Subject
from hemashift.differential.roles import Role, role_of

__all__ = [
    "ComparedLine",
    "Comparison",
    "Differential",
    "Flag",
    "FlagRule",
    "Line",
    "ModelFacts",
    "Result",
    "Role",
    "Signature",
    "Subject",
    "compare",
    "flags",
    "read_flag_rules",
    "role_of",
]
