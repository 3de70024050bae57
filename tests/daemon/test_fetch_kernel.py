"""The compiled voices come while torch plays, in a process of their own, or not at all."""

from __future__ import annotations

import shutil

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


async def test_a_missing_kernel_is_compiled_in_another_process_and_then_taken(studio, tmp_path, monkeypatch):
    monkeypatch.setattr(task, "SETTLED_SECONDS", 0.0)
    await task.fetch_kernel(studio, tmp_path / "cache")
    assert studio.kernel.kernel is not None
    assert machine_code.object_file(tmp_path / "cache").exists()


async def test_a_cache_that_cannot_be_written_leaves_torch_playing(studio, tmp_path, monkeypatch):
    monkeypatch.setattr(task, "SETTLED_SECONDS", 0.0)
    (tmp_path / "cache").write_text("not a directory")
    await task.fetch_kernel(studio, tmp_path / "cache" / "kernel")
    assert studio.kernel.kernel is None
    assert "torch alone" in studio.kernel.why


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
