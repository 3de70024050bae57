"""Exports: one child at a time, and what becomes of it."""

import sys
from contextlib import asynccontextmanager

import pytest
import trio

from auralisd.daemon.exports import EXPORTS_KEPT, Exports
from auralisd.daemon.memory_room import EXPORT_BYTES
from auralisd.daemon.state_keeper import StateKeeper
from auralisd.daemon.worker import JobsUnderWay, open_worker, run_inline
from auralisd.errors import ConflictError, ControlsError, MemoryShortError, StorageError, UnknownNameError
from auralisd.observability.metrics import Metrics
from auralisd.storage.state_file import StateFile
from auralisd.units import SAMPLE_RATE_HZ
from tests.daemon.stations import new_station, new_studio

WRITES = "open(sys.argv[2], 'wb').write(' '.join(sys.argv[1:]).encode())"
FAILS = "sys.exit('torch has gone')"
HANGS = "open(sys.argv[2] + '.part', 'w').close(); __import__('time').sleep(60)"
SECONDS_PLAYED = 100


class OneStation:
    """A directory with ``main`` in it."""

    def __init__(self, station):
        self.station = station

    def get(self, station_id):
        if station_id != "main":
            raise UnknownNameError("station", station_id, ("main",))
        return self.station


@asynccontextmanager
async def shelf(tmp_path, does, room=lambda: None):
    """Exports of a station that has played 100 s, by a program that ``does`` something else than render."""
    station = new_station(new_studio(), position=SECONDS_PLAYED * SAMPLE_RATE_HZ)
    with StateFile(tmp_path / "state") as state:
        keeper = StateKeeper(state, run_inline, Metrics())
        exports = Exports(
            directory=OneStation(station),
            keeper=keeper,
            state_dir=tmp_path / "state",
            run_in_worker=open_worker(JobsUnderWay()),
            played_on=lambda: ("--device", "cpu"),
            room=room,
            program=(sys.executable, "-c", f"import sys; {does}"),
        )
        exports.station, exports.keeper = station, keeper
        async with trio.open_nursery() as nursery:
            nursery.start_soon(exports.run)
            yield exports
            nursery.cancel_scope.cancel()


async def until(holds):
    with trio.fail_after(20):
        while not holds():  # noqa: ASYNC110  # a file of another process: there is no event
            await trio.sleep(0.02)


async def in_state(exports, export, *states):
    await until(lambda: exports.get(export.id).state in states)
    return exports.get(export.id)


async def test_the_child_is_told_what_the_station_played(tmp_path):
    async with shelf(tmp_path, WRITES) as exports:
        export = await exports.begin("main", form="flac", seconds=10.0, from_position=None)
        assert export.state == "waiting"
        done = await in_state(exports, export, "done", "failed")
        words = exports.sound_file(export.id).read_text()
        begin = export.from_position / SAMPLE_RATE_HZ
        assert words.startswith(f"render {tmp_path}/state/exports/{export.id}.flac --station main --title Test")
        assert f"--device cpu --from {begin:.6f} --to {begin + 10:.6f} --state-dir {tmp_path}/state" in words
        assert done.size_bytes == len(words)


async def test_where_memory_is_short_no_child_is_started(tmp_path):
    async with shelf(tmp_path, WRITES, room=lambda: EXPORT_BYTES) as exports:
        with pytest.raises(MemoryShortError) as refused:
            await exports.begin("main", form="flac", seconds=10.0, from_position=None)
        assert (refused.value.kind, refused.value.room_bytes) == ("export", EXPORT_BYTES)
        assert exports.all() == ()


async def test_an_export_that_fails_says_why(tmp_path):
    async with shelf(tmp_path, FAILS) as exports:
        failed = await in_state(exports, await ten_seconds(exports), "failed")
        assert failed.why == "torch has gone"
        with pytest.raises(ConflictError, match="is failed"):
            exports.sound_file(failed.id)


async def test_an_export_under_way_can_be_stopped_and_the_next_one_begins(tmp_path):
    async with shelf(tmp_path, HANGS) as exports:
        first, second = await ten_seconds(exports), await ten_seconds(exports)
        part = tmp_path / "state" / "exports" / f"{first.id}.flac.part"
        await until(part.exists)
        assert exports.get(second.id).state == "waiting"
        await exports.remove(first.id)
        await in_state(exports, second, "rendering")
        assert not part.exists()
        assert [export.id for export in exports.all()] == [second.id]


async def test_the_end_of_the_daemon_ends_the_child_at_once_and_leaves_no_file(tmp_path):
    async with shelf(tmp_path, HANGS) as exports:
        await in_state(exports, await ten_seconds(exports), "rendering")
        ends_at = trio.current_time()
    assert trio.current_time() - ends_at < 5
    assert not (tmp_path / "state" / "exports").exists()


async def test_files_of_a_run_before_are_removed(tmp_path):
    left = tmp_path / "state" / "exports" / "old.flac"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"x")
    async with shelf(tmp_path, WRITES) as exports:
        await in_state(exports, await ten_seconds(exports), "done")
        assert not left.exists()


async def test_finished_exports_make_room_and_unfinished_ones_do_not(tmp_path):
    async with shelf(tmp_path, WRITES) as exports:
        made = [await in_state(exports, await ten_seconds(exports), "done") for _ in range(EXPORTS_KEPT + 2)]
        assert [export.id for export in exports.all()] == [export.id for export in made[:1:-1]]
        assert len(list((tmp_path / "state" / "exports").iterdir())) == EXPORTS_KEPT
    async with shelf(tmp_path / "other", HANGS) as exports:
        for _ in range(EXPORTS_KEPT):
            await ten_seconds(exports)
        with pytest.raises(ConflictError, match="no room"):
            await ten_seconds(exports)


async def test_a_piece_that_began_anew_meanwhile_is_not_taken_for_the_old_one(tmp_path):
    async with shelf(tmp_path, "__import__('time').sleep(0.5); " + WRITES) as exports:
        export = await ten_seconds(exports)
        await in_state(exports, export, "rendering")
        exports.station.begin_piece(77)
        assert "a new piece" in (await in_state(exports, export, "failed", "done")).why


@pytest.mark.parametrize(("seconds", "from_position"), [(10.0, 95 * SAMPLE_RATE_HZ), (101.0, None), (200.0, 0)])
async def test_only_what_was_played_can_be_asked_for(tmp_path, seconds, from_position):
    async with shelf(tmp_path, WRITES) as exports:
        with pytest.raises(ConflictError, match="has played 100 s"):
            await exports.begin("main", form="flac", seconds=seconds, from_position=from_position)
        with pytest.raises(ControlsError):
            await exports.begin("main", form="exe", seconds=1.0, from_position=None)
        with pytest.raises(UnknownNameError):
            await exports.begin("attic", form="flac", seconds=1.0, from_position=None)
        assert exports.all() == ()


async def test_without_a_saved_state_there_is_nothing_to_render_from(tmp_path):
    async with shelf(tmp_path, WRITES) as exports:
        exports.keeper.problem = "the disk is full"
        exports.keeper.save = keep_failing
        with pytest.raises(StorageError, match="the disk is full"):
            await ten_seconds(exports)


async def keep_failing(station):
    """A save that changes nothing."""


def ten_seconds(exports):
    return exports.begin("main", form="flac", seconds=10.0, from_position=None)
