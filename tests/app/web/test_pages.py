from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hemashift.app import explaining, recent, store
from hemashift.app.classifying import classify_project
from hemashift.app.project import Project
from hemashift.app.web.projects import Projects, id_of
from hemashift.app.web.server import STATIC, listen
from hemashift.app.web.styles import KEYS, class_styles

from ..conftest import cells_by_path
from .conftest import Page

STEPS = ("project", "label", "adapt", "review", "differential", "sign", "trail")


@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_there_from_the_start(page: Page, step: str) -> None:
    answer = page.get(f"/{step}")
    assert answer.status_code == 200
    assert "smears" in answer.text


def test_what_the_model_is_adapted_to_is_said(page: Page) -> None:
    assert "Adapt without labels" in page.get("/adapt").text
    page.act("label", cell=cells_by_path(page.project).popitem()[1], label="monocyte")
    assert "Adapt to 1 labelled cell " in page.get("/adapt").text


def test_that_review_teaches_nothing_is_said_once_there_is_some(page: Page) -> None:
    first, second = list(cells_by_path(page.project).values())[:2]
    assert "decided in review" not in page.get("/adapt").text
    page.act("move", cells=[first, second], bin="monocyte")
    assert "2 cells were decided in review" in page.get("/adapt").text
    page.act("label", cell=first, label="monocyte")
    assert "1 cell was decided in review" in page.get("/adapt").text


def test_problems_are_listed_image_by_image(page: Page) -> None:
    text = page.get("/project").text
    assert "broken.png" in text
    assert "not an image of an accepted format" in text


def test_a_key_of_a_class_is_no_command() -> None:
    commands = set()
    for script in (STATIC / "js").glob("*.js"):
        for found in re.findall(r"^ *\[(\[[^\]]+\]|\".\"), ", script.read_text(), re.MULTILINE):
            commands |= set(re.findall(r'"(.)"', found))
    assert {"w", "z", "n", "d", "+"} <= commands
    assert commands.isdisjoint(KEYS)


def test_the_port_in_the_place_of_a_taken_one_is_the_same_next_time(tmp_path: Path) -> None:
    ports = []
    with listen("127.0.0.1", 0) as taken:
        for folder in ("a", "b", "a"):
            with listen("127.0.0.1", taken.getsockname()[1], [tmp_path / folder]) as other:
                ports.append(other.getsockname()[1])
    assert ports[0] == ports[2] != ports[1]


def test_what_the_advice_rests_on_is_said(page: Page) -> None:
    content = {"enough": False, "label": None, "sentences": ["Go on."], "labels": 35, "within": []}
    page.get("/adapt")  # puts the shipped model into the project
    with page.project.store.writing() as connection:
        store.insert(connection, "advice", version=1, content=json.dumps(content))
    assert "This is of 35 labels, you have 0 now: adapt again." in page.get("/adapt").text


def test_names_are_escaped(page: Page) -> None:
    page.act("classes", name="<b>odd</b>")
    for step in STEPS:
        text = page.get(f"/{step}").text
        assert "<b>odd" not in text


@pytest.mark.parametrize(
    "path",
    [
        "/p/ffffffffffff/project",
        "/p/..%2f..%2fetc/project",
        "/nowhere",
        "/p/{id}/nowhere",
        "/p/{id}/results/99/html",
        "/p/{id}/results/1/exe",
        "/p/{id}/results/../../etc/passwd/html",
        "/p/{id}/pictures/x/999999/as_is/grid",
        "/p/{id}/pictures/x/..%2f..%2fsecret/as_is/grid",
        "/p/{id}/pictures/x/1/as_is/..%2f",
        "/p/{id}/pictures/x/999999/why/1",
        "/p/{id}/pictures/x/1/why/999999",
        "/p/{id}/pictures/x/1/why/..%2f",
        "/p/{id}/api/cells/999999",
        "/p/{id}/api/jobs/none",
        f"/p/{{id}}/api/cells/{2**63}",
        f"/p/{{id}}/api/similar/{2**63}?reader=A",
        f"/p/{{id}}/pictures/x/{2**63}/as_is/grid",
        f"/p/{{id}}/pictures/x/1/why/{2**63}",
        f"/p/{{id}}/results/{2**63}/csv",
    ],
)
def test_unknown_ids_give_a_page_that_helps(page: Page, path: str) -> None:
    answer = page.client.get(path.format(id=id_of(page.project.images)))
    assert answer.status_code == 404
    assert "To the projects" in answer.text


def test_pictures_are_given_by_id(page: Page) -> None:
    cell = page.get("/api/gallery").json()["cells"][0]
    for look in ("as_is", "standardised"):
        answer = page.get(f"/pictures/x/{cell}/{look}/grid")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/jpeg"
        assert "immutable" in answer.headers["cache-control"]


def test_a_map_of_why_is_given_by_cell_and_version(page: Page) -> None:
    pytest.importorskip("torch")
    cell = page.get("/api/gallery").json()["cells"][0]
    assert page.get(f"/pictures/x/{cell}/why/1").status_code == 404  # not classified yet
    classify_project(page.project)
    version = page.get(f"/api/cells/{cell}").json()["version"]
    answer = page.get(f"/pictures/x/{cell}/why/{version}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert "immutable" in answer.headers["cache-control"]


def test_without_pytorch_the_page_offers_no_map(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explaining, "find_spec", lambda name: None)
    assert "data-maps" not in page.get("/review").text
    monkeypatch.setattr(explaining, "find_spec", lambda name: object())
    assert "data-maps" in page.get("/review").text


def test_a_script_gets_its_errors_as_json(page: Page) -> None:
    answer = page.post("label", event="0" * 32, reader="A", cell=10**6, label="neutrophil")
    assert answer.status_code == 400
    assert set(answer.json()) == {"message", "hint"}


@pytest.mark.parametrize("event", ["", "x" * 32, "0" * 31])
def test_an_event_needs_an_id(page: Page, event: str) -> None:
    answer = page.post("label", event=event, reader="A", cell=1, label="neutrophil")
    assert answer.status_code == 422


def test_several_projects_have_ids_that_last(images: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    Project.open(other).close()
    projects = Projects([images])
    try:
        listed = {one.name: one.id for one in projects.listed()}
        assert listed == {"smears": id_of(images), "other": id_of(other)}
        opened = projects.get(listed["other"])
        assert opened is not None and opened.images == other.resolve()
        assert projects.get("000000000000") is None
    finally:
        projects.close()


def test_a_project_is_one_by_its_file_as_by_its_folder(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = images.with_name("smears.hemashift")
    Project.open(images).close()
    monkeypatch.setattr(recent, "remember", lambda folder: None)  # a list that cannot be written
    projects = Projects([file, images])
    try:
        assert id_of(file) == id_of(images)
        (opened,) = projects.opened()
        assert projects.get(id_of(opened.images)) is opened
        assert [one.folder for one in projects.listed()] == [opened.images]
    finally:
        projects.close()


def test_classes_are_told_apart_by_more_than_colour() -> None:
    names = [f"kind {n}" for n in range(20)]
    styles = class_styles(names)
    assert len({one.code for one in styles}) == len(styles)
    keys = [one.key for one in styles if one.key]
    assert len(set(keys)) == len(keys)
