"""The projects that the page can show, by ids; a path never comes from the browser."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from hemashift.app.project import Project, folder_of
from hemashift.app.recent import recent_projects
from hemashift.app.web import work


@dataclass(frozen=True)
class Listed:
    """A project on the list.

    Attributes:
        id: Its id in addresses; the same at every start, so that a browser finds what it kept.
        name: Its name.
        folder: The folder of images.
    """

    id: str
    name: str
    folder: Path


def id_of(folder: Path) -> str:
    """Return the id of the project of a folder, or of the file beside it.

    Examples:
        >>> id_of(Path("/data/smears")) == id_of(Path("/data/smears"))
        True
    """
    return hashlib.sha256(str(folder_of(folder)).encode()).hexdigest()[:12]


class Projects:
    """The projects named at the start, and those opened recently on this computer.

    Args:
        folders: Folders of images, or project files; their projects are opened, and made where
            there is none.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._lock = Lock()
        self._open: dict[str, Project] = {}
        self._folders: dict[str, Path] = {}
        for folder in folders:
            name = id_of(folder)
            self._folders[name] = folder_of(folder)
            if name not in self._open:
                self._open[name] = _open(folder, create=True)

    def listed(self) -> list[Listed]:
        """Return the projects: those named at the start first."""
        with self._lock:
            for folder in recent_projects():
                self._folders.setdefault(id_of(folder), folder.resolve())
            return [Listed(name, folder.name, folder) for name, folder in self._folders.items()]

    def get(self, name: str) -> Project | None:
        """Return a project by its id, opened if need be; None where there is no such id.

        Raises:
            HemashiftError: It cannot be opened.
        """
        with self._lock:
            if name in self._open:
                return self._open[name]
        self.listed()
        with self._lock:
            if name not in self._open and name in self._folders:
                self._open[name] = _open(self._folders[name], create=False)
            return self._open.get(name)

    def opened(self) -> list[Project]:
        """Return the projects that are open."""
        with self._lock:
            return list(self._open.values())

    def close(self) -> None:
        """Close all that are open."""
        with self._lock:
            for project in self._open.values():
                project.close()
            self._open.clear()


def _open(folder: Path, *, create: bool) -> Project:
    project = Project.open(folder, create=create)
    work.catch_up(project)
    return project


def _wanted(request: Request, project: str) -> Project:
    projects: Projects = request.app.state.projects
    found = projects.get(project)
    if found is None:
        raise HTTPException(404, "There is no such project.")
    return found


Wanted = Annotated[Project, Depends(_wanted)]
"""The project that an address names; 404 where there is none."""
