"""The command as a user runs it: with a home of its own and no configuration of the machine's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from auralisd.cli import root
from auralisd.cli.program import exit_status
from auralisd.settings import files as settings_files


@dataclass(frozen=True)
class Outcome:
    """What a run of the command left behind."""

    status: int
    out: str
    err: str


type RunCommand = Callable[..., Outcome]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith(("AURALISD_", "XDG_")) or name in {"STATE_DIRECTORY", "CREDENTIALS_DIRECTORY"}:
            monkeypatch.delenv(name)
    monkeypatch.setattr(root, "is_root", lambda: False)  # whoever runs the tests
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(settings_files, "SYSTEM_CONFIG_FILE", tmp_path / "etc" / "config.toml")
    return tmp_path


@pytest.fixture
def command(home: Path, capsys: pytest.CaptureFixture[str]) -> RunCommand:
    """Run the command in this process."""

    def run(*argv: object) -> Outcome:
        capsys.readouterr()
        status = exit_status([str(arg) for arg in argv])
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return run


@pytest.fixture
def process(home: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command as a process of its own; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*argv: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "auralisd", *map(str, argv)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=home,
        )
        started.append(process)
        return process

    yield start
    for child in started:
        if child.poll() is None:
            child.kill()
        child.communicate()
