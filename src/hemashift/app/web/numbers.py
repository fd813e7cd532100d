"""Numbers that come from the browser."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Number = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""Of a cell or a version; no larger than the database can hold."""
