"""A program is started as a service only from where a service can see it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from auralisd.cli.service import installation
from auralisd.cli.service.installation import Installation, refuse_unstartable, this_installation, why_hidden
from auralisd.errors import ServiceError


@pytest.fixture
def only_home_is_hidden(tmp_path, monkeypatch):
    """A machine whose homes are in ``tmp_path / "home"``; the rest of it is open to everybody."""
    monkeypatch.setattr(installation, "HIDDEN", {tmp_path / "home": "home folders (ProtectHome=)"})
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == os.geteuid() and path.is_relative_to("/tmp") and path != Path("/tmp"):
            path.chmod(0o755)
    return tmp_path


def program(path: Path) -> Installation:
    return Installation(command=("/opt/auralisd/bin/auralisd",), parts=(path,))


def interpreter_at(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return path


def test_a_program_that_everybody_may_run_is_within_reach(only_home_is_hidden):
    python = interpreter_at(only_home_is_hidden / "opt" / "bin" / "python")
    for reachable in (python, Path("/usr/bin/env")):
        assert why_hidden(program(reachable)) is None
        refuse_unstartable(program(reachable))


def test_an_interpreter_in_a_home_is_out_of_reach(only_home_is_hidden):
    python = interpreter_at(only_home_is_hidden / "home" / "me" / "python")
    why = why_hidden(program(python))
    assert why is not None
    assert str(python) in why
    assert "ProtectHome" in why


def test_an_interpreter_that_links_into_a_home_is_out_of_reach(only_home_is_hidden):
    python = interpreter_at(only_home_is_hidden / "home" / "me" / ".local" / "share" / "uv" / "python")
    link = only_home_is_hidden / "opt" / "python"
    link.parent.mkdir()
    link.symlink_to(python)
    why = why_hidden(program(link))
    assert why is not None
    assert str(python) in why
    assert f"by way of {link}" in why


def test_an_interpreter_that_is_reached_by_way_of_a_home_is_out_of_reach(only_home_is_hidden):
    python = interpreter_at(only_home_is_hidden / "srv" / "python")
    between = only_home_is_hidden / "home" / "me" / "python"
    between.parent.mkdir(parents=True)
    between.symlink_to(python)
    first = only_home_is_hidden / "opt" / "python"
    first.parent.mkdir()
    first.symlink_to(os.path.relpath(between, first.parent))
    why = why_hidden(program(first))
    assert why is not None
    assert str(between) in why


def test_a_folder_that_is_shut_to_others_is_out_of_reach(only_home_is_hidden):
    python = interpreter_at(only_home_is_hidden / "opt" / "bin" / "python")
    (only_home_is_hidden / "opt").chmod(0o700)
    with pytest.raises(ServiceError, match=f"chmod -R a.rX {only_home_is_hidden / 'opt'}$"):
        refuse_unstartable(program(python))
    assert why_hidden(program(python)) is None


def test_an_interpreter_that_only_its_owner_may_run_is_out_of_reach(only_home_is_hidden):
    python = interpreter_at(only_home_is_hidden / "opt" / "bin" / "python")
    python.chmod(0o700)
    with pytest.raises(ServiceError, match=str(python)):
        refuse_unstartable(program(python))


@pytest.mark.parametrize("hidden", ["/home/me/.venv", "/root/.pyenv", "/run/user/1000/x", "/tmp/venv", "/var/tmp/venv"])
def test_what_the_unit_hides_is_out_of_reach_whether_it_is_there_or_not(hidden):
    why = why_hidden(program(Path(hidden)))
    assert why is not None
    assert hidden in why


@pytest.mark.parametrize("path", ["/opt/my music/bin/auralisd", "/opt/100%/auralisd", "/opt/$x/auralisd", '/opt/"/a'])
def test_a_path_that_systemd_would_read_as_something_else_is_refused(path):
    with pytest.raises(ServiceError, match="mean something to systemd"):
        refuse_unstartable(Installation(command=(path,), parts=()))


def test_this_program_is_what_runs_the_tests():
    found = this_installation()
    assert Path(found.command[0]).parent == Path(sys.executable).absolute().parent
    assert {Path(sys.prefix), Path(sys.base_prefix)} <= set(found.parts)
    assert any(part.name == "auralisd" for part in found.parts)
    assert any(part.name == "torch" for part in found.parts)
