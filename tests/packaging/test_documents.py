"""What the documents tell people to type exists, and their links lead somewhere."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import click
import pytest

from auralisd.cli.program import program
from auralisd.composition.presets import CHARACTERS
from auralisd.controls import KEYS, LAYERS, MODES, RANGES, Controls, merge_change
from auralisd.web.app import OPERATIONS

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXT = "\n".join(document.read_text() for document in DOCUMENTS)

NAMES = "|".join(sorted(program.commands, key=len, reverse=True))
in_blocks = sorted(set(re.findall(rf"(?m)^    .*?\bauralisd ((?:{NAMES})\b[^\n#>&]*)", TEXT)))
in_lines = sorted(set(re.findall(r"`(?:[^`\n]*/)?auralisd ([a-z][^`\n]*)`", TEXT)))
requests = re.findall(r"curl (?:-X (\w+) )?(?:--json '([^']*)' )?http://127\.0\.0\.1:8000(\S+)", TEXT)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        file, _, anchor = target.partition("#")
        if "://" in target:
            continue
        linked = document.parent / file if file else document
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def anchors(document: Path) -> set[str]:
    """The names by which its headings can be linked to."""
    headings = re.findall(r"(?m)^#+ (.*)$", document.read_text())
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_test_that_holds_a_promise_is_there():
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs/reliability.md").read_text()))
    there = {
        name for file in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    assert len(named) > 30
    assert named <= there, named - there


def test_the_page_for_players_names_streams_and_presets_that_are_there():
    page = (ROOT / "docs/listen.md").read_text()
    formats = set(re.findall(r"/stream\.(\w+)", page))
    assert formats == {"opus", "mp3", "flac", "wav"}
    assert set(re.findall(r"preset: (\w+)", page)) <= set(CHARACTERS)
    assert set(re.findall(r"/api/v1/stations/main/\w+", page)) == {"/api/v1/stations/main/preset"}


def test_there_are_command_lines_and_requests_to_check():
    assert len(in_blocks) > 7
    assert len(in_lines) > 5
    assert len(requests) > 5


@pytest.mark.parametrize("line", in_blocks)
def test_every_command_line_is_one_the_program_takes(line):
    name, *argv = shlex.split(line)
    assert isinstance(program.commands[name].make_context(name, argv), click.Context)


@pytest.mark.parametrize("line", in_lines)
def test_every_command_that_is_mentioned_has_the_options_that_are_mentioned(line):
    name, *argv = shlex.split(line)
    known = {option for parameter in program.commands[name].params for option in parameter.opts}
    assert {word for word in argv if word.startswith("-")} <= known


@pytest.mark.parametrize(("method", "body", "path"), requests)
def test_every_request_is_one_the_api_describes_and_would_take(method, body, path):
    asked = method or ("POST" if body else "GET")
    described = {(o.method, o.path): re.sub(r"\{\w+\}", "[^/]+", o.path) for o in OPERATIONS}
    (template,) = (
        template
        for (described_method, template), pattern in described.items()
        if described_method == asked and re.fullmatch(pattern, path.partition("?")[0])
    )
    if template.endswith("/controls") and "300" not in body:  # 300 shows how a refusal looks
        merge_change(Controls(), json.loads(body))


def test_the_controls_in_the_readme_are_the_controls():
    readme = (ROOT / "README.md").read_text()
    for words in (KEYS, LAYERS, MODES, RANGES):
        assert all(word in readme for word in words)
    assert f"{RANGES['tempo_bpm'].low} to {RANGES['tempo_bpm'].high}" in readme
    assert f"{RANGES['level_db'].low} to {RANGES['level_db'].high} dB" in readme


def test_the_two_commands_are_single_lines_at_the_top_after_the_download_size():
    readme = (ROOT / "README.md").read_text()
    size, run, test = (readme.index(part) for part in ("GB", "uv run auralisd run", "uv run pytest"))
    assert size < run < test < readme.index("## ")


def test_every_decision_is_in_the_list():
    folder = ROOT / "docs" / "decisions"
    listed = set(re.findall(r"\]\((\S+\.md)\)", (folder / "README.md").read_text()))
    assert listed == {page.name for page in folder.glob("*.md")} - {"README.md"}


@pytest.mark.parametrize("name", CHARACTERS)
def test_the_documents_describe_each_preset_as_the_program_does(name):
    character = CHARACTERS[name]
    assert f"| {name} | {character.description} |" in (ROOT / "README.md").read_text()
    figures = "{mode}, {tempo_bpm:g} bpm, intensity {intensity:g}".format(**character.controls)
    row = f"| **{name}** | {character.description} | {figures} | {character.loudness_lufs:g} LUFS |"
    assert row in (ROOT / "docs" / "sound.md").read_text()


def test_every_picture_that_is_kept_is_shown_and_small():
    pictures = sorted((ROOT / "docs" / "pictures").iterdir())
    assert [picture.name for picture in pictures if f"pictures/{picture.name})" not in TEXT] == []
    assert [picture.name for picture in pictures if picture.stat().st_size >= 200_000] == []
