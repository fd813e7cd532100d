"""The projects opened last on this computer."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from hemashift.files import atomic_write

_MOST = 20


def recent_projects() -> list[Path]:
    """Return folders of images whose project still exists, the one opened last first."""
    return [folder for folder in _read() if folder.with_name(folder.name + ".hemashift").is_file()]


def remember(folder: Path) -> None:
    """Put a folder of images at the front of the list; a list that cannot be written is no error.

    Args:
        folder: The folder, absolute.
    """
    others = [one for one in _read() if one != folder]
    try:
        with atomic_write(_file()) as aside:
            names = [str(one) for one in (folder, *others)][:_MOST]
            aside.write_text(json.dumps(names, indent=1), encoding="utf-8")
    except OSError:
        return


def _read() -> list[Path]:
    try:
        names = json.loads(_file().read_text(encoding="utf-8"))
        return [Path(name) for name in names]
    except (OSError, ValueError, TypeError):
        return []


def _file() -> Path:
    """Return where the list is: `HEMASHIFT_HOME`, or the user's own folder of such files."""
    named = os.environ.get("HEMASHIFT_HOME")
    if named:
        return Path(named) / "recent.json"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return base / "hemashift" / "recent.json"
