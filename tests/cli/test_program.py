"""Where every error ends: one line and a status."""

from __future__ import annotations

import errno
import re
import shlex
import subprocess
import sys

import click
import pytest

from auralisd import __version__
from auralisd.cli import program
from auralisd.composition.presets import CHARACTERS
from auralisd.errors import (
    AuralisError,
    ControlsError,
    DeviceError,
    EncoderError,
    RenderError,
    SettingsError,
    StorageError,
    UnknownNameError,
)


def test_the_version_is_told(command):
    outcome = command("--version")
    assert (outcome.status, outcome.out.strip()) == (0, f"auralisd {__version__}")


def test_every_command_explains_itself(command):
    listed = command("--help").out
    for name in program.program.commands:
        assert f"\n  {name} " in listed
        shown = command(name, "--help")
        assert shown.status == 0
        assert f"auralisd {name}" in shown.out


@pytest.mark.parametrize("name", sorted(set(program.program.commands) - {"doctor"}))
def test_every_help_shows_command_lines_that_the_program_takes(name):
    lines = re.findall(r"(?m)^ *(?:sudo )?auralisd (.*)$", program.program.commands[name].help)
    own = [re.split(r"  +| [<>&]", typed)[0] for typed in lines]
    assert any(typed.split()[:1] == [name] for typed in own)
    for typed in own:
        command_name, *argv = shlex.split(typed) or ["run"]
        assert isinstance(program.program.commands[command_name].make_context(command_name, argv), click.Context)


@pytest.mark.parametrize("name", ["render", "compose"])
def test_the_help_of_what_plays_lists_every_preset(command, name):
    shown = " ".join(command(name, "--help").out.split())
    assert f"Begin with one of {', '.join(CHARACTERS)};" in shown


@pytest.mark.parametrize(
    "argv",
    [
        ("dance",),
        ("compose", "--bogus"),
        ("render",),
        ("render", "x.wav", "--seconds", "soon"),
        ("run", "--port", "music"),
        ("compose", "--hours", "1", "--seconds", "1"),
    ],
)
def test_wrong_usage_exits_with_64_and_says_what_was_wrong(command, argv):
    outcome = command(*argv)
    assert outcome.status == 64
    assert "Error: " in outcome.err


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ControlsError("key", "H", "one of C, D"), 64),
        (UnknownNameError("preset", "Focsu", ("Focus",)), 64),
        (SettingsError("port", 1, "taken"), 78),
        (DeviceError("cuda", ("cpu",)), 78),
        (StorageError("x.db", "damaged", "remove it"), 78),
        (RenderError("failed", "no sound"), 70),
        (EncoderError("opus: broken"), 70),
        (AuralisError("something else"), 70),
    ],
)
def test_an_error_raised_on_purpose_is_one_line_and_a_status(command, monkeypatch, error, status):
    monkeypatch.setattr(program.program, "main", _raises(error))
    outcome = command("whatever")
    assert outcome.status == status
    assert outcome.err == f"auralisd: {error}\n"


def test_a_fault_of_the_program_shows_where_and_exits_with_70(command, monkeypatch):
    monkeypatch.setattr(program.program, "main", _raises(ZeroDivisionError("a bug")))
    outcome = command("whatever")
    assert outcome.status == 70
    assert "ZeroDivisionError: a bug" in outcome.err


def test_a_full_disk_is_no_fault_of_the_program(command, monkeypatch):
    monkeypatch.setattr(program.program, "main", _raises(OSError(errno.ENOSPC, "No space left on device")))
    outcome = command("whatever")
    assert outcome.status == 78
    assert outcome.err == "auralisd: the output: No space left on device; make room\n"


def test_a_library_that_cannot_be_loaded_is_one_line_with_the_cure(command, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "auralisd.synthesis.device", None)
    outcome = command("devices")
    assert outcome.status == 78
    assert outcome.err.startswith("auralisd: a library cannot be loaded: ")
    assert outcome.err.endswith("uv sync --reinstall brings it anew\n")


def test_an_interrupt_is_not_a_fault(command, monkeypatch):
    monkeypatch.setattr(program.program, "main", _raises(KeyboardInterrupt()))
    outcome = command("whatever")
    assert outcome.status == 130
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("argv", [[], ["--port", "1234"]])
def test_run_is_meant_where_no_command_is_named(monkeypatch, argv):
    seen = []
    monkeypatch.setattr(program.program.commands["run"], "callback", lambda **given: seen.append(given["port"]) or 0)
    assert program.exit_status(argv) == 0
    assert seen == [int(argv[1]) if argv else None]


def test_help_loads_none_of_the_heavy_libraries():
    script = (
        "import sys; from auralisd.cli.program import exit_status; exit_status(['--help']);"
        "print([m for m in ('torch', 'numpy', 'trio', 'av', 'pydantic', 'rich') if m in sys.modules])"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert finished.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "line",
    [
        "compose --seconds 600 --seed 1 --events -",  # more than a pipe holds: the reader leaves in the midst of it
        "audit --seconds 60 --seed 1",
        "patches heart",
        "--help",
        "render --help",
    ],
)
def test_a_reader_that_leaves_early_is_no_fault(process, line):
    child = process(*line.split())
    if "--events" in line:
        assert child.stdout.readline()
    child.stdout.close()
    assert child.stderr.read() == ""
    assert child.wait(timeout=60) == 141


def _raises(error):
    def main(**_):
        raise error

    return main
