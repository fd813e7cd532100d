"""kill -9 in the middle of labelling, adapting and signing loses nothing that was confirmed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from hemashift.app import audit_trail, labelling, reviewing, signing, versions
from hemashift.app.project import Project
from hemashift.app.reviewing import reclassify

from .conftest import Label, cells_by_path, event

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kill -9 is of POSIX")

LABELLING = """
    from hemashift.app.labelling import record
    for number in range(100_000):
        said = record(project, reader="A", cell=1 + number % 30, event=f"e{number}",
                      label=("monocyte", "lymphocyte")[number % 2])
        print(said.event, said.cell, said.label, flush=True)
"""
SIGNING = """
    from hemashift.app.counting import draft
    from hemashift.app.signing import amend, sign
    for number in range(100_000):
        act, why = (amend, {"reason": "again"}) if number else (sign, {})
        made = act(project, by="A", token=draft(project).token, event=f"s{number}", **why)
        print(made.version, made.sha256, flush=True)
"""
ADAPTING = """
    import time
    from hemashift.app import versions
    from hemashift.app.adapting import adapt_project
    save = versions.insert
    def slow(*args, **values):
        print("model written", flush=True)
        time.sleep(60)
    versions.insert = slow
    adapt_project(project, by="A", method="probe")
"""


def killed(images: Path, work: str, after: int) -> list[str]:
    """Run work on the project in a process, kill it after so many lines, return them all."""
    script = "from hemashift.app.project import Project\n"
    script += f"project = Project.open({str(images)!r})\n" + textwrap.dedent(work)
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=os.environ.copy()
    )
    assert process.stdout is not None
    lines = [process.stdout.readline().strip() for _ in range(after)]
    process.send_signal(signal.SIGKILL)
    # What was confirmed before the signal arrived counts too; the last line may be cut.
    rest = process.stdout.read()
    lines += rest.split("\n")[:-1]
    assert process.wait() == -signal.SIGKILL
    assert all(lines), "the work ended by itself"
    return lines


def test_labelling(project: Project) -> None:
    versions.versions(project)
    confirmed = [line.split() for line in killed(project.images, LABELLING, after=40)]
    assert len(confirmed) >= 40
    with Project.open(project.images) as again:
        rows = again.store.rows("SELECT event, cell, label FROM label_events ORDER BY id")
        kept = [[row[0], str(row[1]), row[2]] for row in rows]
        # One more may have been written and not yet confirmed.
        assert kept[: len(confirmed)] == confirmed and len(kept) <= len(confirmed) + 1
        last = kept[-1]
        repeated = labelling.record(
            again, reader="A", cell=int(last[1]), event=last[0], label=last[2]
        )
        assert repeated.event == last[0]
        assert again.store.value("SELECT COUNT(*) FROM label_events") == len(kept)
        assert again.store.value("PRAGMA integrity_check") == "ok"


def test_signing(project: Project) -> None:
    versions.versions(project)
    cells = list(cells_by_path(project).values())
    reclassify(project, reader="A", cells=cells, bin="monocyte", event=event())
    confirmed = [line.split() for line in killed(project.images, SIGNING, after=3)]
    with Project.open(project.images) as again:
        kept = [[str(one.version), one.sha256] for one in signing.results(again)]
        assert kept[: len(confirmed)] == confirmed and len(kept) <= len(confirmed) + 1
        # A result and its entry in the audit trail are written together.
        entries = audit_trail.entries(again)
        signed = [one.detail["sha256"] for one in entries if one.action in ("sign", "amend")]
        assert signed == [one[1] for one in kept]
        assert audit_trail.verify(again).broken is None


def test_adapting(encoded: Project, label: Label) -> None:
    label(encoded)
    before = versions.versions(encoded)
    assert killed(encoded.images, ADAPTING, after=1) == ["model written"]
    with Project.open(encoded.images) as again:
        assert versions.versions(again) == before
        assert versions.bundle(again).hash == before[0].hash
        assert len(labelling.settled(again).labels) == 18
        assert reviewing.bins(again)["monocyte"] == 6
        # What the dead process left does not stand in the way of the next version.
        model = versions.bundle(again)
        made = versions.add(again, model.with_head(model.head, name="next"), "added", by="A")
        assert versions.bundle(again, made.number).card.name == "next"
