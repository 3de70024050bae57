"""A station written as HLS beside its listeners, who hear nothing of whatever happens to the disk."""

from __future__ import annotations

import errno
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
import trio

from auralisd.daemon.sending import HlsFiles, sending
from auralisd.daemon.tasks.hls_task import run_hls
from auralisd.daemon.worker import run_inline
from auralisd.errors import UnknownNameError
from auralisd.settings import Settings
from tests.daemon.stations import new_station, new_studio, on_air

BEGAN = 1_700_000_000


class Directory:
    """One station."""

    def __init__(self, station):
        self.station = station

    def get(self, station_id):
        return self.station


@asynccontextmanager
async def written_to(path: Path, *, run_in_worker=run_inline, station=None, unix_seconds=None):
    """A station in virtual time, and its output; ``path`` becomes the folder of all stations."""
    studio = new_studio()
    station = station or new_station(studio, pinned=False)
    settings = Settings(hls=("main",), hls_formats=("opus",), hls_dir=path)
    ((folder, formats, output),) = sending(settings, studio.metrics).written
    async with on_air(station, studio) as stopping, trio.open_nursery() as nursery:
        run = partial(
            run_hls,
            run_in_worker=run_in_worker,
            metrics=studio.metrics,
            stopping=stopping,
            unix_seconds=unix_seconds or (lambda: BEGAN + trio.current_time()),
        )
        nursery.start_soon(run, folder, formats, output, Directory(station))
        station.stop = stopping
        yield station, output
        stopping.set()
        nursery.cancel_scope.cancel()


def segments(path: Path) -> list[str]:
    lines = (path / "main" / "opus.m3u8").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def marks(path: Path) -> int:
    return (path / "main" / "opus.m3u8").read_text().splitlines().count("#EXT-X-DISCONTINUITY")


def longest_gap_seconds(station) -> float:
    times = [at for at, _, _ in station.broadcast.published]
    return max(later - earlier for earlier, later in pairwise(times))


async def test_a_station_that_is_written_sounds_though_nobody_listens(tmp_path, autojump_clock):
    async with written_to(tmp_path) as (station, output):
        await trio.sleep(21)
        assert output.status().state == "on"
        assert station.summary().state == "sounding"
        shown = segments(tmp_path)
    assert len(shown) in (9, 10)
    assert abs(int(shown[0].split("-")[1].split(".")[0]) - BEGAN / 2) < 1e6  # begins with the time
    assert marks(tmp_path) == 0


async def test_what_is_left_at_the_end_is_written_and_the_next_run_goes_on(tmp_path, autojump_clock):
    async with written_to(tmp_path) as (station, _):
        await trio.sleep(6)
        station.stop.set()
        await trio.sleep(5)
    before = segments(tmp_path)
    async with written_to(tmp_path):
        await trio.sleep(6)
    after = segments(tmp_path)
    assert after[: len(before)] == before
    assert len(after) > len(before)
    numbers = [int(name.split("-")[1].split(".")[0]) for name in after]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert marks(tmp_path) == 1


async def test_a_new_piece_is_no_seam(tmp_path, autojump_clock):
    async with written_to(tmp_path) as (station, _):
        await trio.sleep(9)
        station.begin_piece(77)
        await trio.sleep(9)
    assert len(segments(tmp_path)) >= 8
    assert marks(tmp_path) == 0


@pytest.mark.parametrize("jump_seconds", [-86_400.0, 86_400.0])
async def test_a_time_of_day_that_jumps_changes_the_time_stamps_and_nothing_else(
    tmp_path, autojump_clock, jump_seconds
):
    ahead_seconds = 0.0
    async with written_to(tmp_path, unix_seconds=lambda: BEGAN + ahead_seconds + trio.current_time()) as (station, _):
        await trio.sleep(9)
        ahead_seconds = jump_seconds
        await trio.sleep(9)
        names, lines = segments(tmp_path), (tmp_path / "main" / "opus.m3u8").read_text().splitlines()
        assert longest_gap_seconds(station) < 0.11
    numbers = [int(name.split("-")[1].split(".")[0]) for name in names]
    assert len(numbers) >= 8
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert marks(tmp_path) == 0
    stamps = [
        datetime.fromisoformat(line.split(":", 1)[1]).timestamp()
        for line in lines
        if line.startswith("#EXT-X-PROGRAM-DATE-TIME")
    ]
    assert stamps[-1] - stamps[0] == pytest.approx(jump_seconds + 2 * (len(stamps) - 1), abs=0.2)


async def test_a_full_disk_is_told_of_once_and_costs_listeners_nothing(
    tmp_path, autojump_clock, monkeypatch, log_lines
):
    real = Path.write_bytes
    full = False

    def write(path, content):
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, content)

    monkeypatch.setattr(Path, "write_bytes", write)
    async with written_to(tmp_path) as (station, output):
        await trio.sleep(9)
        before, full = segments(tmp_path), True
        await trio.sleep(60)
        assert output.status().state == "failing"
        assert output.status().problem == "No space left on device"
        assert segments(tmp_path) == before
        full = False
        await trio.sleep(9)
        assert output.status().state == "on"
        assert segments(tmp_path)[: len(before)] == before
        assert marks(tmp_path) == 1
        assert longest_gap_seconds(station) == pytest.approx(0.1)
    assert sum(line["event"] == "output failing" for line in log_lines) == 1
    assert sum(line["event"] == "output on" for line in log_lines) == 2


async def test_a_disk_that_hangs_leaves_a_hole_in_the_playlist_and_none_in_the_music(tmp_path, autojump_clock):
    hangs = False

    async def run_in_worker(job, *args):
        if hangs:
            await trio.sleep(30)
        return await run_inline(job, *args)

    async with written_to(tmp_path, run_in_worker=run_in_worker) as (station, output):
        await trio.sleep(9)
        hangs = True
        await trio.sleep(1)
        hangs = False
        await trio.sleep(40)
        assert output.status().state == "on"
        assert marks(tmp_path) == 1
        assert longest_gap_seconds(station) == pytest.approx(0.1)
        assert station.broadcast.listener_count == 1


async def test_files_are_read_by_name_and_by_no_other_way(tmp_path):
    (tmp_path / "main").mkdir()
    (tmp_path / "main" / "aac-1.m4s").write_bytes(b"sound")
    (tmp_path / "main" / "window.json").write_bytes(b"ours")
    files = HlsFiles(Settings(hls=("main",), hls_dir=tmp_path), run_inline)
    assert await files.read("main", "aac-1.m4s") == b"sound"
    for station, name in (("main", "aac-2.m4s"), ("main", "window.json"), ("main", "../x"), ("night", "aac-1.m4s")):
        with pytest.raises(UnknownNameError):
            await files.read(station, name)
