"""A project: a folder of images, and what people and models have said about its cells.

For images in `smears/`, beside that folder:

    smears.hemashift               the project, one SQLite file
    smears.hemashift-models/       every version of the model, a model folder each
    .smears.hemashift-cache/       thumbnails and encodings; may be deleted at any time

Each image is one cell. The steps of the work are functions of a project, a module each:

| step | module | functions |
|---|---|---|
| import | `importing` | `refresh`, `problems` |
| pictures | `pictures` | `picture` |
| encode, in the background | `encodings` | `encode_all` |
| propose | `proposing` | `propose` |
| label | `labelling` | `record`, `undo`, `queue`, `verdicts`, `settled` |
| labels as CSV | `label_files` | `export_labels`, `import_labels` |
| similar cells, why | `neighbours` | `similar`, `references` |
| why, as a map | `explaining` | `available`, `why` |
| two readers | `agreement` | `agreement`, `disagreements` |
| adapt | `adapting` | `adapt_project` |
| enough labels? label audit | `advice` | `advice`, `findings` |
| versions of the model | `versions` | `versions`, `active`, `activate`, `go_on_with` |
| classify | `classifying` | `classify_project` |
| which classes are kept | `keeping` | `keeping` |
| review | `reviewing` | `gallery`, `cells`, `bins`, `reclassify`, `undo_review` |
| differential | `counting` | `draft`, `compare_readers`, `compare_versions` |
| sign | `signing` | `sign`, `amend`, `results`, `load` |
| take home | `exporting` | `export` |
| audit trail | `audit_trail` | `entries`, `verify` |
| long work | `jobs` | `Jobs`: `start`, `running`, `get`; `Job.progress` |
| several projects | `recent` | `recent_projects` |

Every function may be called from any thread. What a function that writes has returned is on disk.
Functions that write for a person take `event`, an id made by the caller (a UUID): a call repeated
with the same id, because its answer was lost, changes nothing and returns the same.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hemashift.app import audit_trail, labelling, placing, recent, reviewing, versions
from hemashift.app.jobs import Jobs
from hemashift.app.names import one_line, printable
from hemashift.app.store import ConflictError, ProjectError, ProjectStore
from hemashift.differential import FlagRule, Subject
from hemashift.errors import ImageError, ModelFileError
from hemashift.images import check_names
from hemashift.taxonomy import CLASSES, OUTSIDE, class_name_fault, default_taxonomy
from hemashift.trust.unidentified import UNIDENTIFIED

__all__ = ["OUTSIDE", "SUFFIX", "UNIDENTIFIED", "Project", "Summary", "folder_of"]

SUFFIX = ".hemashift"
BINS = (UNIDENTIFIED, OUTSIDE)
"""Where cells are that have no class: nobody has identified them, or they count nowhere."""
_MAX_ERROR = 0.05


@dataclass(frozen=True)
class Summary:
    """A project at a glance; quick also with ten thousand images.

    Attributes:
        name: Name of the project, that of the folder.
        images: The folder.
        ready: Images that can be used.
        problems: Images that cannot be read.
        gone: Images that were there once, with labels or reviews.
        labelled: Cells with a settled class, see `labelling.settled`.
        readers: Who has labelled, in the order of their first label.
        model: Version of the active model, or None.
        classified: Cells that the active model has classified.
        unidentified: Cells of the bin `unidentified`.
        unconfirmed: Cells that only the model put `outside`.
        signed: Version of the latest signed result, or None.
    """

    name: str
    images: Path
    ready: int
    problems: int
    gone: int
    labelled: int
    readers: tuple[str, ...]
    model: int | None
    classified: int
    unidentified: int
    unconfirmed: int
    signed: int | None


def folder_of(given: str | Path) -> Path:
    """Return the folder of images of a project, from that folder or the file beside it."""
    path = Path(given).resolve()
    if path.is_file() and path.name.endswith(SUFFIX):
        return path.with_name(path.name.removesuffix(SUFFIX))
    return path


class Project:
    """A project that is open; use `Project.open`.

    Args:
        images: The folder of images.
        file: The SQLite file; made where there is none.

    Attributes:
        images: The folder of images.
        name: Its name.
        file: The SQLite file.
        models: Folder of the versions of the model.
        cache: Folder of thumbnails and encodings.
        store: The database.
        jobs: Long work in the background.
        memory: What was computed from the database and files, by whoever computed it; lost when
            the project is closed.
        lock: Held while something that must be there once only is put into `memory`.
    """

    def __init__(self, images: Path, file: Path) -> None:
        self.images = images
        self.name = images.name
        self.file = file
        self.models = file.with_name(f"{file.name}-models")
        # Hidden, so that the thumbnails are never taken for images of a folder above.
        self.cache = file.with_name(f".{file.name}-cache")
        self.store = ProjectStore(file)
        self.jobs = Jobs()
        self.memory: dict[str, Any] = {}
        self.lock = threading.RLock()

    @classmethod
    def open(cls, images: str | Path, *, create: bool = True) -> Self:
        """Open the project of a folder of images; where there is none, make one.

        Args:
            images: The folder, or the `.hemashift` file beside it.
            create: Whether to make a project where there is none.

        Raises:
            ImageError: The folder does not exist, or its name is not UTF-8.
            ProjectError: The file is no project, of a newer hemashift, or cannot be written; or the
                folder is a whole disk.
        """
        folder = folder_of(images)
        check_names([folder])
        if not folder.name:
            raise ProjectError(
                "a whole disk cannot be a project",
                expected="a folder, beside which the project is put",
                where=folder,
                hint="put the images into a folder of their own",
            )
        if not folder.is_dir():
            raise ImageError(
                "the folder of images does not exist",
                expected="a folder with images",
                where=folder,
                hint="check the path; a project lies beside its folder and has its name",
            )
        file = folder.with_name(folder.name + SUFFIX)
        if not create and not file.exists():
            raise ProjectError("there is no project of this folder", where=folder)
        project = cls(folder, file)
        with project.store.writing() as connection:
            if not audit_trail.head(project):
                audit_trail.append(connection, "hemashift", "create", images=folder.name)
        recent.remember(folder)
        return project

    def close(self) -> None:
        """Stop work in the background and close the database."""
        self.jobs.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def summary(self) -> Summary:
        """Return the project at a glance."""
        number = versions.active_number(self)
        states = {row[0]: row[1] for row in self.store.rows(
            "SELECT status, COUNT(*) FROM cells GROUP BY status"
        )}  # fmt: skip
        return Summary(
            name=self.name,
            images=self.images,
            ready=states.get("ready", 0),
            problems=states.get("problem", 0),
            gone=states.get("gone", 0),
            labelled=len(labelling.settled(self).labels),
            readers=labelling.readers(self),
            model=number,
            classified=self.store.value(
                "SELECT COUNT(*) FROM predictions JOIN cells ON cell = id "
                "WHERE version = ? AND status = 'ready'",
                number,
            ),
            unidentified=reviewing.bins(self)[UNIDENTIFIED],
            unconfirmed=placing.unconfirmed(placing.place(self)),
            signed=self.store.value("SELECT MAX(version) FROM results"),
        )

    def copies(self) -> list[tuple[str, str]]:
        """Return the images that are copies, to the byte, of another one, and of which, by path."""
        return self.store.tuples(
            "SELECT path, first FROM cells JOIN (SELECT sha256 AS content, MIN(path) AS first "
            "FROM cells WHERE status = 'ready' GROUP BY sha256 HAVING COUNT(*) > 1) "
            "ON sha256 = content WHERE status = 'ready' AND path <> first ORDER BY path"
        )

    def classes(self) -> tuple[str, ...]:
        """Return the classes to label and review with.

        They are the model's, also those that do not occur here, so that none is out of reach;
        then those added, then any that a label has.
        """
        try:
            known = (*versions.source(self).classes, *versions.active(self).classes)
        except ModelFileError:
            known = CLASSES
        used = [row[0] for row in self.store.rows(
            "SELECT DISTINCT label FROM answers WHERE label IS NOT NULL ORDER BY label"
        )]  # fmt: skip
        return tuple(dict.fromkeys([*known, *self._setting("classes", []), *used]))

    def add_class(self, name: str, *, by: str) -> tuple[str, ...]:
        """Add a class, such as "blast".

        Args:
            name: Its name.
            by: Who adds it.

        Returns:
            The classes.

        Raises:
            ProjectError: The name is empty, that of a bin, or means a class that is there.
        """
        name = one_line(name, "name of the class")
        taxonomy = default_taxonomy()
        meant = taxonomy.resolve(name)
        if name.casefold() in (*BINS, labelling.NOT_A_CELL):
            raise ProjectError(
                "this is the name of a bin of the page, and cannot be a class",
                found=name,
                hint="choose another name; in a table, leave the label empty or write unsure",
            )
        fault = class_name_fault(name)
        if fault is not None:
            raise ProjectError("a class cannot have this name", found=fault)
        with self.store.writing():
            for known in self.classes():
                same = meant is not None and taxonomy.resolve(known) == meant
                if known.casefold() == name.casefold() or same:
                    raise ProjectError("there is such a class already", found=name, expected=known)
            self._change("classes", [*self._setting("classes", []), name], by)
        return self.classes()

    def remove_class(self, name: str, *, by: str) -> tuple[str, ...]:
        """Remove a class that was added and is not in use.

        Args:
            name: Its name.
            by: Who removes it.

        Returns:
            The classes.

        Raises:
            ProjectError: It was not added, or a label, a move, a version of the model or a flag
                has it.
        """
        with self.store.writing():
            added = self._setting("classes", [])
            why = self._why_used(name) or (None if name in added else "which was not added")
            if why is not None:
                raise ProjectError(
                    "this class cannot be removed",
                    expected="a class that was added and is not in use",
                    found=f"{name}, {why}",
                    hint="give cells that have it another class first, and remove its flags",
                )
            self._change("classes", [one for one in added if one != name], by)
        return self.classes()

    def _why_used(self, name: str) -> str | None:
        """Say what has a class; None where nothing has."""
        if any(name in one.classes for one in versions.versions(self)):
            return "which a version of the model has"
        if self.store.value("SELECT 1 FROM answers WHERE label = ?", name):
            return "which cells are labelled"
        if self.store.value("SELECT 1 FROM standing_moves WHERE bin = ?", name):
            return "where cells were moved to"
        if any(rule.name == name for rule in self.flag_rules()):
            return "which a flag is about"
        return None

    def absent(self) -> tuple[str, ...]:
        """Return the classes that are said not to occur here."""
        return tuple(self._setting("absent", []))

    def occurring(self, classes: Sequence[str]) -> list[str] | None:
        """Return which classes of a model occur here; None where nothing was said about them."""
        absent = set(self.absent()).intersection(classes)
        return [name for name in classes if name not in absent] if absent else None

    def set_occurs(self, name: str, occurs: bool, *, by: str) -> None:
        """Say whether a class of the model occurs here.

        From the next adaptation on the model never gives one that does not, unless cells are
        labelled so (`hemashift.adaptation.occurring`).

        Raises:
            ProjectError: The model has no such class, or fewer than two would be left.
        """
        known = versions.source(self).classes
        if name not in known:
            raise ProjectError("no such class of the model", expected=", ".join(known), found=name)
        with self.store.writing():
            absent = {*self.absent(), name} - ({name} if occurs else set())
            if len(set(known) - absent) < 2:
                raise ProjectError("at least two classes must occur", found=f"all but {name}")
            self._change("absent", [one for one in known if one in absent], by)

    def subject(self) -> Subject:
        """Return who and what was sampled; empty fields where nothing was given."""
        return Subject(**self._setting("subject", {}))

    def set_subject(self, subject: Subject, *, by: str, before: Subject | None = None) -> None:
        """Say who and what was sampled. All fields may stay empty.

        Args:
            subject: What is to hold.
            by: Who says so.
            before: What was on screen; fields that are as they were then are left alone.

        Raises:
            ConflictError: A field was changed here, and meanwhile to something else.
        """
        with self.store.writing():
            now = self.subject()
            shown, held = asdict(before or now), asdict(now)
            given = {name: printable(text) for name, text in asdict(subject).items()}
            new = {name: text for name, text in given.items() if text != shown[name]}
            if any(held[name] not in (shown[name], text) for name, text in new.items()):
                raise _changed_elsewhere("the sample's details")
            self._change("subject", {**held, **new}, by)

    def flag_rules(self) -> tuple[FlagRule, ...]:
        """Return the rules for flags; none until set."""
        return tuple(FlagRule(**values) for values in self._setting("flag_rules", []))

    def set_flag_rules(
        self,
        rules: tuple[FlagRule, ...],
        *,
        by: str,
        before: tuple[FlagRule, ...] | None = None,
    ) -> None:
        """Set the rules for flags, such as erythroblasts above 1 per 100.

        Args:
            rules: All of them.
            by: Who sets them.
            before: What was on screen; where `rules` are the same, nothing is changed.

        Raises:
            ConflictError: They were changed here, and meanwhile to something else.
        """
        with self.store.writing():
            if rules == before:
                return
            if before is not None and self.flag_rules() not in (before, rules):
                raise _changed_elsewhere("the flags")
            self._change("flag_rules", [asdict(rule) for rule in rules], by)

    def max_error(self) -> float:
        """Return the share of the cells with a class that may be wrong, see `keeping`."""
        return float(self._setting("max_error", _MAX_ERROR))

    def set_max_error(self, rate: float, *, by: str) -> None:
        """Set the share of the cells with a class that may be wrong; others are unidentified.

        Raises:
            ProjectError: It is not above 0 and below 1.
        """
        if not 0 < rate < 1:
            raise ProjectError(
                "an error rate lies between 0 and 1", expected="such as 0.05", found=f"{rate:g}"
            )
        self._change("max_error", rate, by)

    def kept_labels(self) -> dict[int, str]:
        """Return the labels that somebody looked at again and left as they are: cell -> label."""
        return {int(cell): label for cell, label in self._setting("kept_labels", {}).items()}

    def keep_label(self, cell: int, *, by: str) -> None:
        """Say that a label that looked wrong is right; see `advice.findings`.

        Raises:
            ProjectError: The cell has no settled label.
        """
        with self.store.writing():
            label = labelling.settled(self).labels.get(cell)
            if label is None:
                raise ProjectError("this cell has no label", found=str(cell))
            kept = {str(one): name for one, name in self.kept_labels().items()}
            self._change("kept_labels", {**kept, str(cell): label}, by)

    def groups(self) -> dict[int, str]:
        """Return the smear or patient of cells, as far as label tables named one: cell -> name."""
        return {int(cell): name for cell, name in self._setting("groups", {}).items()}

    def set_groups(self, groups: Mapping[int, str], *, by: str) -> None:
        """Say of which smear or patient cells are; what was said of others stays."""
        with self.store.writing():
            told = {**self.groups(), **groups}
            self._change("groups", {str(cell): name for cell, name in told.items()}, by)

    def _setting(self, name: str, default: Any) -> Any:
        text = self.store.value("SELECT value FROM settings WHERE name = ?", name)
        return default if text is None else json.loads(text)

    def _change(self, name: str, value: Any, by: str) -> None:
        """Change a setting, and say so in the audit trail; the same value is no change."""
        by = one_line(by)
        with self.store.writing() as connection:
            before = self._setting(name, None)
            if value == before:
                return
            connection.execute(
                "INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)",
                (name, json.dumps(value, ensure_ascii=False)),
            )
            audit_trail.append(connection, by, "set", name=name, value=value, before=before)


def _changed_elsewhere(what: str) -> ConflictError:
    return ConflictError(
        f"{what} were changed in another window",
        hint="reload the page to see them, then make your change again",
    )
