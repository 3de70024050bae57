"""The commands that bring the program to /opt are ones that a person can copy."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import auralisd
from auralisd.cli.service import recipe as module
from auralisd.cli.service.recipe import recipe, what_to_install


class Distribution:
    def __init__(self, told: str | None) -> None:
        self._told = told

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return self._told


@pytest.fixture
def installed_from(monkeypatch):
    """As if the program had been installed from somewhere."""

    def come_from(told: str | None) -> None:
        monkeypatch.setattr(module, "distribution", lambda _name: Distribution(told))

    return come_from


def commands(text: str) -> list[list[str]]:
    return [shlex.split(line) for line in re.findall(r"(?m)^    (.*)$", text)]


def test_the_recipe_has_two_ways_and_ends_with_what_was_asked_for():
    lines = commands(recipe(["install-service", "--write", "--port", "9000"]))
    assert [line[0] for line in lines] == ["sudo"] * 5
    assert lines[0][1] == "UV_PYTHON_INSTALL_DIR=/opt/auralisd-python"
    assert lines[2][1:] == ["python3", "-m", "venv", "/opt/auralisd"]
    assert lines[1][-1] == lines[3][-1]
    assert lines[4] == ["sudo", "/opt/auralisd/bin/auralisd", "install-service", "--write", "--port", "9000"]


def test_a_program_that_may_write_nothing_is_compiled_when_it_is_installed():
    assert "--compile-bytecode" in commands(recipe([]))[1]  # pip, of the other way, does it unasked


def test_a_compiler_comes_along_where_there_is_one(monkeypatch):
    monkeypatch.setattr(module, "can_compile", lambda: True)
    assert commands(recipe([]))[1][-1].endswith("[kernel]")
    monkeypatch.setattr(module, "can_compile", lambda: False)
    assert not commands(recipe([]))[1][-1].endswith("]")


def test_the_wheel_it_came_from_is_named_whatever_is_in_its_path(installed_from, tmp_path, monkeypatch):
    wheel = tmp_path / "my wheels" / "auralisd-9-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.touch()
    installed_from(f'{{"url": "{wheel.as_uri()}", "archive_info": {{}}}}')
    assert what_to_install() == str(wheel)
    monkeypatch.setattr(module, "can_compile", lambda: False)
    assert commands(recipe([]))[1][-1] == str(wheel)


@pytest.mark.parametrize("told", [None, '{"url": "https://example.org/auralisd.whl"}', '{"url": "file:///gone/x.whl"}'])
def test_a_checkout_is_named_where_nothing_else_is_known(installed_from, told):
    installed_from(told)
    assert what_to_install() == str(Path(auralisd.__file__).parents[1])


def test_a_program_from_a_register_is_named_with_its_version(installed_from, tmp_path, monkeypatch):
    installed_from(None)
    monkeypatch.setattr(module.auralisd, "__file__", str(tmp_path / "auralisd" / "__init__.py"))
    assert what_to_install() == f"auralisd=={auralisd.__version__}"
