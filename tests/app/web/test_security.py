from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from hemashift.app.web.projects import Projects, id_of
from hemashift.app.web.security import MAX_BODY, Access
from hemashift.app.web.server import create_app

from .conftest import ORIGIN, Page


def test_without_the_address_nothing_is_shown(stranger: TestClient) -> None:
    for path in ("/", "/p/000000000000/project", "/p/000000000000/api/summary"):
        answer = stranger.get(path)
        assert answer.status_code == 403
        assert "smears" not in answer.text


def test_a_refusal_does_not_hand_out_what_it_asks_for(page: Page, stranger: TestClient) -> None:
    assert page.access.csrf in page.get("/project").text
    stranger.cookies.clear()
    for host, status in (("127.0.0.1:8765", 403), ("evil.example", 421)):
        answer = stranger.get("/", headers={"Host": host})
        assert answer.status_code == status
        assert page.access.csrf not in answer.text


def test_port_80_is_left_out_by_browsers(images: Path) -> None:
    access = Access.make("127.0.0.1", 80)
    app = create_app(Projects([images]), access)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert client.get(access.address()).status_code == 200
        headers = {"Origin": "http://127.0.0.1", "X-CSRF-Token": access.csrf}
        address = f"/p/{id_of(images)}/api/classes"
        added = client.post(address, json={"name": "blast", "reader": "A"}, headers=headers)
        assert added.status_code == 200


def test_a_wrong_token_opens_nothing(stranger: TestClient) -> None:
    assert stranger.get("/?token=guess").status_code == 403
    assert stranger.get("/").status_code == 403


def test_the_token_becomes_a_cookie_and_leaves_the_address(
    stranger: TestClient, access: Access
) -> None:
    answer = stranger.get(f"/?token={access.token}", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert access.token not in answer.headers["set-cookie"]
    assert stranger.get("/").status_code == 200


def test_the_address_of_the_browser_that_is_opened_is_good_once(
    stranger: TestClient, access: Access
) -> None:
    assert access.once not in access.address() and access.token not in access.address(once=True)
    assert stranger.get(access.address(once=True)).status_code == 200
    assert stranger.get("/").status_code == 200
    stranger.cookies.clear()
    assert stranger.get(access.address(once=True)).status_code == 403
    for _ in range(2):  # the one that is shown stays good
        assert stranger.get(access.address()).status_code == 200
        stranger.cookies.clear()


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example/", "//evil.example/%2f.."])
def test_the_door_leads_to_no_other_server(stranger: TestClient, access: Access, path: str) -> None:
    answer = stranger.get(ORIGIN + path + f"?token={access.token}", follow_redirects=False)
    assert re.match(r"/(?![/\\])", answer.headers["location"])


@pytest.mark.parametrize("host", ["evil.example:8765", "127.0.0.1", "127.0.0.1:80", ""])
def test_a_name_that_was_made_to_point_here_is_refused(page: Page, host: str) -> None:
    answer = page.get("/project", headers={"Host": host})
    assert answer.status_code == 421
    assert "smears" not in answer.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"X-CSRF-Token": "0" * 64},
        {"X-CSRF-Token": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
)
def test_a_change_that_another_site_asks_for_is_refused(page: Page, wrong: dict[str, str]) -> None:
    good = {
        "Origin": ORIGIN,
        "X-CSRF-Token": page.access.csrf,
        "Content-Type": "application/json",
    }
    body = '{"name": "blast", "reader": "A"}'
    address = f"{page.at}/api/classes"
    answer = page.client.post(address, content=body, headers={**good, **wrong})
    assert answer.status_code in (403, 415)
    assert "blast" not in page.project.classes()
    assert page.client.post(address, content=body, headers=good).status_code == 200
    assert "blast" in page.project.classes()


def test_a_request_that_is_too_large_is_refused(page: Page) -> None:
    answer = page.post("classes", name="x" * (MAX_BODY + 1), reader="A")
    assert answer.status_code == 413


def test_the_length_that_is_announced_is_not_trusted(page: Page) -> None:
    def parts() -> object:
        yield b'{"name": "'
        for _ in range(20):
            yield b"x" * 100_000

    answer = page.client.post(
        f"{page.at}/api/classes",
        content=parts(),  # type: ignore[arg-type]
        headers={
            "Origin": ORIGIN,
            "X-CSRF-Token": page.access.csrf,
            "Content-Type": "application/json",
        },
    )
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/project", "/nowhere", "/api/summary", "/classes.css"])
def test_every_answer_carries_a_strict_policy(page: Page, path: str) -> None:
    headers = page.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


def test_also_an_answer_to_a_defect_carries_it(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("defect")

    monkeypatch.setattr(page.project, "summary", broken)
    answer = page.get("/project")
    assert answer.status_code == 500
    assert "defect" not in answer.text and "Traceback" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_pages_have_no_inline_script_or_style(page: Page) -> None:
    for step in ("project", "label", "adapt", "review", "differential", "sign", "trail"):
        answer = page.get(f"/{step}")
        assert answer.status_code == 200
        text = answer.text
        for script in re.findall(r"<script\b[^>]*>", text):
            assert "src=" in script or 'type="application/json"' in script
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text)
        assert not re.search(r"(src|href)=\"(https?:)?//", text)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/..%2fserver.py",
        "/static/%2e%2e/server.py",
        "/static//etc/passwd",
    ],
)
def test_static_files_are_only_those_of_the_package(page: Page, path: str) -> None:
    assert page.client.get(ORIGIN + path).status_code == 404
