"""The compiled voices come while torch plays, in a process of their own, or not at all."""

from __future__ import annotations

import shlex
import shutil
import sys

import pytest

from auralisd.daemon.tasks import fetch_kernel as task
from auralisd.daemon.worker import JobsUnderWay, open_worker
from auralisd.kernel import machine_code
from tests.daemon.stations import new_studio


@pytest.fixture
def studio():
    return new_studio(new_worker=lambda: open_worker(JobsUnderWay()))


async def test_a_kernel_in_the_cache_is_taken_at_once(studio, kernel_directory):
    await task.fetch_kernel(studio, kernel_directory)
    assert studio.kernel.kernel is not None
    assert studio.kernel.why == "the compiled kernel"


@pytest.fixture
def compiler(tmp_path, monkeypatch):
    """Stands in for the process that compiles, which takes half a minute; ``kernel_directory`` has been through it."""

    def becomes(script):
        program = tmp_path / "python"
        program.write_text(f'#!/bin/sh\ntest "$1 $2" = "-m auralisd.kernel" || exit 9\n{script}\n')
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))
        monkeypatch.setattr(task, "SETTLED_SECONDS", 0.0)

    return becomes


async def test_a_missing_kernel_is_compiled_in_another_process_and_then_taken(
    studio, tmp_path, compiler, kernel_directory
):
    compiler(f'cp -r {shlex.quote(str(kernel_directory))} "$3"')
    await task.fetch_kernel(studio, tmp_path / "cache")
    assert studio.kernel.kernel is not None
    assert machine_code.object_file(tmp_path / "cache").exists()


async def test_a_compiler_that_fails_leaves_torch_playing_and_its_last_line_is_told(studio, tmp_path, compiler):
    compiler('echo first >&2; echo "$3 cannot be written: Not a directory" >&2; exit 1')
    await task.fetch_kernel(studio, tmp_path / "cache")
    assert studio.kernel.kernel is None
    reason = f"torch alone: the kernel could not be compiled: {tmp_path / 'cache'} cannot be written: Not a directory"
    assert studio.kernel.why == reason


async def test_a_compiler_that_makes_nothing_leaves_torch_playing(studio, tmp_path, compiler):
    compiler("exit 0")
    await task.fetch_kernel(studio, tmp_path / "cache")
    assert studio.kernel.kernel is None


async def test_without_a_compiler_nothing_is_tried(studio, tmp_path, monkeypatch):
    monkeypatch.setattr(task, "can_compile", lambda: False)
    await task.fetch_kernel(studio, tmp_path / "cache")
    assert studio.kernel.kernel is None
    assert not (tmp_path / "cache").exists()


async def test_without_a_home_torch_plays_alone(studio):
    await task.fetch_kernel(studio, None)
    assert "no directory" in studio.kernel.why


async def test_an_older_kernel_makes_room_for_the_new_one(kernel_directory, tmp_path):
    shutil.copytree(kernel_directory, tmp_path / "cache")
    older = tmp_path / "cache" / "kernel-000000000000000000000000.o"
    older.write_bytes(b"older")
    machine_code.forget_older(machine_code.object_file(tmp_path / "cache"))
    assert not older.exists()
    assert machine_code.object_file(tmp_path / "cache").exists()
