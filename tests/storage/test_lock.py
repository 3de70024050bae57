"""A state directory belongs to one daemon at a time."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from auralisd.errors import SettingsError
from auralisd.storage.lock import LOCK_FILE_NAME, state_held

HOLDER = """
import sys
from pathlib import Path
from auralisd.storage.lock import state_held
with state_held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_told_who_holds_the_directory(tmp_path, holder):
    with (
        pytest.raises(SettingsError, match=rf"another auralisd \(process {holder.pid}\)") as refusal,
        state_held(tmp_path),
    ):
        pass
    assert refusal.value.key == "state_dir"


def test_the_directory_is_free_again_however_its_holder_ended(tmp_path, holder):
    holder.kill()
    holder.wait()
    with state_held(tmp_path):
        assert (tmp_path / LOCK_FILE_NAME).read_text() == f"{os.getpid()}\n"


def test_it_can_be_held_again_after_it_was_let_go(tmp_path):
    for _ in range(2):
        with state_held(tmp_path):
            pass


def test_a_directory_that_cannot_be_made_is_not_held_and_stops_nobody(tmp_path):
    (tmp_path / "file").write_text("")
    with state_held(tmp_path / "file" / "state"):
        pass
