"""What the studies have finished, on disk, by the hash of what it depends on.

    cache/results/<key>/    the tables (Parquet) and pictures (PNG) of a part, and facts.json
    cache/models/<key>/     a model folder
    cache/runs/<key>/       the state of a training that is not finished
    cache/encodings/<key>/  what an encoder said about images, see `hemashift.studies.encodings`

Everything is written aside and then renamed, so that what is there is whole.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from hemashift.errors import HemashiftError
from hemashift.images import read_image
from hemashift.model.bundle import Bundle
from hemashift.studies.contract import Result
from hemashift.studies.fingerprint import key_of

_FACTS = "facts.json"


@dataclass(frozen=True, eq=False)
class Stored:
    """A finished result.

    Attributes:
        key: Hash of the facts.
        result: The result, as it was read back from disk.
        seconds: Time that it took to make.
        fresh: Whether it was made just now, and not found.
    """

    key: str
    result: Result
    seconds: float
    fresh: bool = False


class Store:
    """The cache of one folder of studies.

    Args:
        folder: The folder; it is made when something is kept.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def find(self, facts: Mapping[str, Any]) -> Stored | None:
        """Return the result that depends on these facts, or None where it is not finished.

        Args:
            facts: JSON values.
        """
        key = key_of(facts)
        place = self.folder / "results" / key
        if not (place / _FACTS).is_file():
            return None
        try:
            about = json.loads((place / _FACTS).read_text(encoding="utf-8"))
            tables = {name: pd.read_parquet(place / f"{name}.parquet") for name in about["tables"]}
            pictures = {
                name: read_image(place / f"{number}.png")
                for number, name in enumerate(about["pictures"])
            }
            notes = tuple(about["notes"])
            return Stored(key, Result(tables, pictures, notes), float(about["seconds"]))
        except (OSError, ValueError, KeyError, HemashiftError) as error:
            raise HemashiftError(
                "a finished part of a study cannot be read back",
                found=str(error),
                where=place,
                hint="remove this folder; the part is then made again",
            ) from error

    def result(self, facts: Mapping[str, Any], make: Callable[[], Result]) -> Stored:
        """Return the result that depends on these facts, made now or earlier.

        Args:
            facts: JSON values: all that the result depends on.
            make: Makes the result.
        """
        found = self.find(facts)
        if found is not None:
            return found
        start = time.perf_counter()
        result = make()
        self._write(facts, result, time.perf_counter() - start)
        # Read back, so that a first run and a later one draw from the very same tables.
        kept = self.find(facts)
        assert kept is not None
        return Stored(kept.key, kept.result, kept.seconds, fresh=True)

    def model(self, facts: Mapping[str, Any], make: Callable[[Path, Path], Bundle]) -> Bundle:
        """Return the model that depends on these facts, made now or earlier.

        Args:
            facts: JSON values: recipe, data, seeds.
            make: Makes the model; it is given the model folder to write and a folder for the
                state of an unfinished training, which is removed when the model is there.
        """
        key = key_of(facts)
        place, run = self.folder / "models" / key, self.folder / "runs" / key
        # The run folder goes last: while it is there, the model may lack its scores.
        if place.is_dir() and not run.is_dir():
            return Bundle.load(place)
        made = make(place, run)
        if not place.is_dir():
            made.save(place)
        shutil.rmtree(run, ignore_errors=True)
        return made

    def has_model(self, facts: Mapping[str, Any]) -> bool:
        """Tell whether the model that depends on these facts is finished."""
        key = key_of(facts)
        return (self.folder / "models" / key).is_dir() and not (self.folder / "runs" / key).is_dir()

    def _write(self, facts: Mapping[str, Any], result: Result, seconds: float) -> None:
        place = self.folder / "results" / key_of(facts)
        place.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".", suffix=".part", dir=place.parent))
        try:
            for name, table in result.tables.items():
                table.to_parquet(aside / f"{name}.parquet", index=False)
            for number, picture in enumerate(result.pictures.values()):
                Image.fromarray(picture).save(aside / f"{number}.png")
            about = {
                "facts": dict(facts),
                "seconds": round(seconds, 2),
                "made": datetime.now(UTC).isoformat(timespec="seconds"),
                "tables": list(result.tables),
                "pictures": list(result.pictures),
                "notes": list(result.notes),
            }
            text = json.dumps(about, indent=1, ensure_ascii=False)
            (aside / _FACTS).write_text(text + "\n", encoding="utf-8")
            shutil.rmtree(place, ignore_errors=True)
            aside.rename(place)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
