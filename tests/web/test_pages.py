"""The page's files and the documentation."""

from __future__ import annotations

import os
import re

import pytest

from auralisd.web.pages import DOCUMENTATION_DIRECTORY, PageFiles, shipped_client_directory


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/client/index.html", "text/html; charset=utf-8"),
        ("/client/main.js", "text/javascript; charset=utf-8"),
        ("/client/player/worklet.mjs", "text/javascript; charset=utf-8"),
        ("/client/look.css", "text/css; charset=utf-8"),
        ("/client/decoder.wasm", "application/wasm"),
        ("/client/app.webmanifest", "application/manifest+json"),
        ("/client/a.json", "application/json"),
        ("/favicon.svg", "image/svg+xml"),
        ("/favicon.ico", "image/svg+xml"),
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/docs.js", "text/javascript; charset=utf-8"),
        ("/docs/docs.css", "text/css; charset=utf-8"),
    ],
)
async def test_a_file_comes_with_its_type_and_is_asked_for_again_each_time(house, path, media_type):
    reply = await house.ask("GET", path)
    assert reply.status == 200
    assert reply.headers["Content-Type"] == media_type
    assert reply.headers["Cache-Control"] == "no-cache"
    assert int(reply.headers["Content-Length"]) == len(reply.content) > 0


async def test_a_file_that_the_browser_has_is_not_sent_again(house):
    first = await house.ask("GET", "/client/main.js")
    again = await house.ask("GET", "/client/main.js", if_none_match=first.headers["Etag"])
    assert (again.status, again.content) == (304, b"")
    assert again.headers["Etag"] == first.headers["Etag"]
    assert (await house.ask("GET", "/client/main.js", if_none_match='"other"')).status == 200


async def test_a_file_that_changed_is_sent_anew(house, client_directory):
    first = await house.ask("GET", "/client/main.js")
    (client_directory / "main.js").write_text("changed")
    os.utime(client_directory / "main.js", ns=(0, 1))
    second = await house.ask("GET", "/client/main.js", if_none_match=first.headers["Etag"])
    assert (second.status, second.content) == (200, b"changed")
    assert second.headers["Etag"] != first.headers["Etag"]


async def test_files_that_come_and_go_are_there_and_gone(house, client_directory):
    (client_directory / "new.js").write_text("new")
    assert (await house.ask("GET", "/client/new.js")).content == b"new"
    (client_directory / "main.js").unlink()
    assert (await house.ask("GET", "/client/main.js")).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/client/../secret.txt",
        "/client/%2e%2e/secret.txt",
        "/client/..%2fsecret.txt",
        "/client/player/../../secret.txt",
        "/client//etc/hostname",
        "/client/%2fetc%2fhostname",
        "/client/link.txt",
        "/client/notes.py",
        "/client/player",
        "/client/main.js/",
        "/client/main.js%00.txt",
        "/client/..\\secret.txt",
        "/docs/../openapi.py",
        "/docs/../../web/app.py",
        "/client/" + "x" * 300 + ".js",
    ],
)
async def test_no_name_leads_out_of_the_folder(house, client_directory, path):
    (client_directory / "link.txt").symlink_to(client_directory.parent / "secret.txt")
    reply = await house.ask("GET", path)
    assert reply.status == 404
    assert b"beside the page" not in reply.content


def test_a_file_has_one_name(client_directory):
    files = PageFiles(client_directory)
    assert files.find("player/worklet.mjs") is not None
    for name in (
        "./main.js",
        "main.js/",
        "player//worklet.mjs",
        "player/./worklet.mjs",
        "player/../main.js",
        "/main.js",
    ):
        assert files.find(name) is None, name


async def test_without_a_page_the_api_still_answers(open_house, tmp_path):
    house = open_house(client_directory=tmp_path / "missing")
    assert (await house.ask("GET", "/")).status == 404
    assert (await house.ask("GET", "/api/v1/status")).status == 200


def test_the_page_of_this_checkout_is_found():
    assert shipped_client_directory().name == "client"


def test_the_documentation_needs_no_inline_code_and_nobody_elses_server():
    html = (DOCUMENTATION_DIRECTORY / "docs.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert not re.search(r"<style|\sstyle=|\son\w+=", html)
    for name in ("docs.html", "docs.js", "docs.css"):
        assert not re.search(r"https?://|//cdn", (DOCUMENTATION_DIRECTORY / name).read_text())
    assert "innerHTML" not in (DOCUMENTATION_DIRECTORY / "docs.js").read_text()
