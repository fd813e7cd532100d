"""Whether predictions are those of the model that they are said to be of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from hemashift.errors import TableError


def check_origin(table: object, classes: Sequence[str], model: Mapping[str, Any]) -> None:
    """Refuse predictions of another model: its cells would be left out, and its name given.

    A Parquet file of `hemashift classify` names the hash of its model. Any table tells by its
    classes.

    Args:
        table: The predictions; a file is looked into.
        classes: Their classes.
        model: The card of the model, and perhaps its `hash`; what it does not say is not checked.

    Raises:
        TableError: Hashes or classes differ.
    """
    file = Path(table) if isinstance(table, str | Path) else None
    own = model.get("classes")
    if own is not None and set(own) != set(classes):
        found, expected = ", ".join(classes), ", ".join(own)
    elif (made_by := _hash_in(file)) and model.get("hash") not in (None, made_by):
        found, expected = f"the model {made_by[:12]}", f"the model {str(model['hash'])[:12]}"
    else:
        return
    raise TableError(
        "the predictions are not those of the model",
        expected=expected,
        found=found,
        where=file,
        hint="give the model that made them, or classify again; to leave cells out, --exclude "
        "takes their table",
    )


def _hash_in(file: Path | None) -> str:
    """Return the hash that a file of predictions names; empty where it names none."""
    if file is None or file.suffix.lower() not in (".parquet", ".pq"):
        return ""
    metadata = pq.read_schema(file).metadata or {}
    return bytes(metadata.get(b"hemashift_model_hash", b"")).decode()
