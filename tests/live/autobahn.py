"""Autobahn's WebSocket test suite, which wants a Python 2.7 of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

SUITE = "autobahntestsuite==25.10.1"
LAST_VIRTUALENV_FOR_IT = "virtualenv==20.15.1"
INSTALLED = Path(tempfile.gettempdir()) / f"auralisd-autobahn-{os.getuid()}"


def wstest() -> Path:
    """The suite's program, installed where a Python 2.7 is found (`PYTHON27`, else on the path).

    Without one the test is skipped, in CI too: no Debian of today has one.
    """
    program = INSTALLED / "bin" / "wstest"
    if not program.exists():
        _install(_python27())
    return program


def _python27() -> str:
    candidate = os.environ.get("PYTHON27") or shutil.which("python2.7")
    if candidate is None or subprocess.run([candidate, "-m", "pip", "--version"], capture_output=True).returncode != 0:
        pytest.skip("Autobahn's suite wants a Python 2.7 with pip; PYTHON27 says where one is")
    return candidate


def _install(python27: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _pip(python27, "--target", folder, LAST_VIRTUALENV_FOR_IT)
        alone = {**os.environ, "PYTHONPATH": folder}
        make = [python27, "-m", "virtualenv", "--quiet", str(INSTALLED)]
        subprocess.run(make, check=True, capture_output=True, env=alone)
    _pip(str(INSTALLED / "bin" / "python"), SUITE)


def _pip(python: str, *what: str) -> None:
    subprocess.run([python, "-m", "pip", "install", "--quiet", *what], check=True, capture_output=True)
