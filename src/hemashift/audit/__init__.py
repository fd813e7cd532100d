"""Label audit: what is probably wrong with labels, one file a check."""

from hemashift.audit.findings import Finding
from hemashift.audit.run import Audit, audit

__all__ = ["Audit", "Finding", "audit"]
