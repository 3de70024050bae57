"""Stations are added, changed, removed and brought back from a real state file."""

from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
import trio
import trio.testing

from auralisd.daemon.directory import STATIONS_MOST, LiveDirectory, now_playing
from auralisd.daemon.house_presets import house_presets
from auralisd.daemon.state_keeper import StateKeeper
from auralisd.daemon.tasks.keeper_task import run_keeper
from auralisd.daemon.worker import run_inline
from auralisd.errors import ConflictError, ControlsError, MemoryShortError, StorageError, UnknownNameError
from auralisd.observability.metrics import Metrics
from auralisd.settings import Settings, StationSettings
from auralisd.storage.preset_shelf import SavedPresetShelf
from auralisd.storage.state_file import StateFile
from auralisd.transport.forms import STATE_FORM
from auralisd.transport.listener import Farewell, Listener
from tests.daemon.stations import new_studio


@asynccontextmanager
async def open_directory(folder, state=None, room=lambda: None, **settings):
    with state or StateFile(folder) as kept:
        async with trio.open_nursery() as nursery:
            keeper = StateKeeper(kept, run_inline, Metrics())
            directory = LiveDirectory(
                settings=Settings(state_dir=folder, **settings),
                studio=new_studio(),
                keeper=keeper,
                presets=SavedPresetShelf(kept, built_in=house_presets(), run_in_worker=run_inline),
                nursery=nursery,
                stopping=trio.Event(),
                room=room,
            )
            await directory.open()
            directory.keeper = keeper
            yield directory
            nursery.cancel_scope.cancel()


async def test_there_is_always_a_main_station_with_the_preset_of_the_settings(tmp_path, autojump_clock):
    async with open_directory(tmp_path, preset="Bright", title="Kitchen", seed=5) as directory:
        summary = directory.get("main").summary()
    assert (summary.id, summary.title, summary.preset, summary.seed) == ("main", "Kitchen", "Bright", 5)
    assert directory.get("main").controls.mode == "lydian"


async def test_where_memory_is_short_no_station_is_added_but_those_that_were_asked_for_are_there(
    tmp_path, autojump_clock
):
    stations = (StationSettings(id="night"),)
    async with open_directory(tmp_path, room=lambda: 0, stations=stations) as directory:
        with pytest.raises(MemoryShortError) as refused:
            await directory.add(title="One more")
        assert refused.value.kind == "station"
        assert directory.ids() == ("main", "night")


async def test_a_station_comes_back_as_it_was_in_a_new_epoch(tmp_path, autojump_clock):
    async with open_directory(tmp_path) as directory:
        station = await directory.add(title="Night", preset="Sleep", seed=7, pinned=True)
        await trio.sleep(60)
        station.change_controls({"key": "D"}, cause="rest")
        await directory.keeper.save(station)
        before = station.summary()
    async with open_directory(tmp_path) as directory:
        after = directory.get("night").summary()
        assert directory.get("night").controls.key == "D"
        assert [entry.changed for entry in directory.get("night").piece.desk.log] == [{"key": "D"}]
    assert (after.seed, after.title, after.pinned) == (7, "Night", True)
    assert after.epoch == before.epoch + 1
    assert after.position >= before.position


async def test_score_time_stands_still_while_the_process_is_down(tmp_path, autojump_clock):
    async with open_directory(tmp_path) as directory:
        await trio.sleep(60)
        await directory.keeper.save(directory.get("main"))
        before = directory.get("main").summary().position
    await trio.sleep(3600)
    async with open_directory(tmp_path) as directory:
        assert directory.get("main").summary().position == pytest.approx(before, abs=44_100)


async def test_ids_are_made_from_titles_and_never_collide(tmp_path, autojump_clock):
    async with open_directory(tmp_path) as directory:
        ids = [(await directory.add(title="Yoga room!")).id for _ in range(3)]
        assert ids == ["yoga-room", "yoga-room-2", "yoga-room-3"]
        assert directory.ids()[0] == "main"


async def test_of_two_that_want_the_same_id_at_once_one_is_refused(tmp_path, autojump_clock):
    answers = []

    async def add(directory):
        try:
            answers.append((await directory.add(title="Night", station_id="night")).id)
        except ConflictError:
            answers.append("refused")

    async with open_directory(tmp_path) as directory, trio.open_nursery() as nursery:
        nursery.start_soon(add, directory)
        nursery.start_soon(add, directory)
    assert sorted(answers) == ["night", "refused"]


async def test_what_cannot_be_is_refused_and_adds_nothing(tmp_path, autojump_clock):
    async with open_directory(tmp_path) as directory:
        with pytest.raises(ConflictError):
            await directory.add(title="x", station_id="main")
        with pytest.raises(UnknownNameError):
            await directory.add(title="x", preset="Doom")
        with pytest.raises(ControlsError):
            await directory.add(title="x", controls={"tempo_bpm": 4000})
        with pytest.raises(ConflictError):
            await directory.remove("main")
        with pytest.raises(UnknownNameError):
            directory.get("x")
        assert directory.ids() == ("main",)


async def test_listeners_of_a_removed_station_hear_why_in_a_word(tmp_path, autojump_clock):
    farewells = []
    outlet = SimpleNamespace(open=lambda frames: None, abort=lambda: None, ended_by=None)
    watcher = Listener(form=STATE_FORM, outlet=outlet, head_start_seconds=0.0, dismiss=farewells.append)
    async with open_directory(tmp_path) as directory:
        station = await directory.add(title="Brief")
        with station.broadcast.listening(watcher):
            await directory.remove("brief")
    assert farewells == [Farewell(reason="removed", retry_ms=0)]


async def test_a_client_that_does_not_wait_for_its_answer_removes_the_station_all_the_same(tmp_path, autojump_clock):
    farewells = []
    outlet = SimpleNamespace(open=lambda frames: None, abort=lambda: None, ended_by=None)
    watcher = Listener(form=STATE_FORM, outlet=outlet, head_start_seconds=0.0, dismiss=farewells.append)
    async with open_directory(tmp_path) as directory:
        station = await directory.add(title="Brief")
        with station.broadcast.listening(watcher):
            with trio.move_on_after(0):
                await directory.remove("brief")
            await trio.sleep(2)
        assert farewells == [Farewell(reason="removed", retry_ms=0)]
    async with open_directory(tmp_path) as directory:
        assert directory.ids() == ("main",)


async def test_a_removed_station_is_gone_for_good(tmp_path, autojump_clock):
    async with open_directory(tmp_path) as directory:
        await directory.add(title="Brief", pinned=True)
        await trio.sleep(2)
        await directory.remove("brief")
        await trio.sleep(2)
        assert directory.ids() == ("main",)
    async with open_directory(tmp_path) as directory:
        assert directory.ids() == ("main",)


async def test_a_save_that_comes_late_does_not_bring_a_removed_station_back(tmp_path, autojump_clock):
    async with open_directory(tmp_path) as directory:
        station = await directory.add(title="Brief")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(directory.remove, "brief")
            await trio.testing.wait_all_tasks_blocked()
            await directory.keeper.save(station)
    async with open_directory(tmp_path) as directory:
        assert directory.ids() == ("main",)


async def test_a_reseed_is_kept_and_forgets_the_log_of_the_old_piece(tmp_path, autojump_clock):
    async with open_directory(tmp_path) as directory:
        directory.get("main").change_controls({"intensity": 0.9}, cause="rest")
        await directory.update("main", seed=77)
    async with open_directory(tmp_path) as directory:
        station = directory.get("main")
        assert station.summary().seed == 77
        assert station.controls.intensity == 0.9
        assert station.piece.desk.log == []


async def test_configured_stations_are_there_from_the_start(tmp_path, autojump_clock):
    stations = (StationSettings(id="sauna", title="Sauna", seed=3, preset="Sleep", controls={"key": "Eb"}),)
    async with open_directory(tmp_path, stations=stations) as directory:
        assert directory.get("sauna").controls.key == "Eb"


async def test_a_configured_preset_that_does_not_exist_keeps_nobody_from_listening(tmp_path, autojump_clock):
    stations = (StationSettings(id="sauna", preset="Doom"),)
    async with open_directory(tmp_path, stations=stations) as directory:
        assert "sauna" in directory.ids()


async def test_more_configured_stations_than_there_is_room_for_keep_nobody_from_listening(tmp_path, autojump_clock):
    stations = tuple(StationSettings(id=f"room-{number}") for number in range(STATIONS_MOST + 1))
    async with open_directory(tmp_path, stations=stations) as directory:
        assert len(directory.ids()) == STATIONS_MOST
        assert directory.ids()[0] == "main"


@pytest.mark.logs_errors
async def test_a_full_disk_costs_no_music_and_is_tried_again(tmp_path, autojump_clock):
    class FullDisk(StateFile):
        full = False

        def save_stations(self, stations):
            if self.full:
                raise StorageError(str(self.path), "disk full", "Make room.")
            super().save_stations(stations)

    async with open_directory(tmp_path, state=FullDisk(tmp_path)) as directory:
        station = directory.get("main")
        FullDisk.full = True
        station.change_controls({"key": "F"}, cause="rest")
        await directory.keeper.save(station)
        assert "disk full" in directory.keeper.problem
        FullDisk.full = False
        await directory.keeper.save(station)
        assert directory.keeper.problem is None
    async with open_directory(tmp_path) as directory:
        assert directory.get("main").controls.key == "F"


class Locked(StateFile):
    """Another program holds the database."""

    held = False

    def remove_station(self, station_id):
        if self.held:
            raise StorageError(str(self.path), "database is locked", "Stop the other program that uses the file.")
        super().remove_station(station_id)


@pytest.mark.logs_errors
async def test_a_station_removed_while_the_state_is_locked_does_not_come_back(tmp_path, autojump_clock, nursery):
    state = Locked(tmp_path)
    async with open_directory(tmp_path, state=state) as directory:
        nursery.start_soon(run_keeper, directory.keeper, lambda: directory.stations)
        await directory.add(title="Night")
        state.held = True
        await directory.remove("night")
        await trio.sleep(3)
        assert "locked" in directory.keeper.problem
        state.held = False
        await trio.sleep(2)
        assert directory.keeper.problem is None
        nursery.cancel_scope.cancel()
    async with open_directory(tmp_path) as directory:
        assert directory.ids() == ("main",)


@pytest.mark.logs_errors
async def test_another_station_of_the_same_name_stays_when_the_one_before_is_forgotten_late(tmp_path, autojump_clock):
    state = Locked(tmp_path)
    async with open_directory(tmp_path, state=state) as directory:
        await directory.add(title="Night", seed=1)
        state.held = True
        await directory.remove("night")
        state.held = False
        await directory.add(title="Night", seed=2)
        await directory.keeper.forget_removed()
    async with open_directory(tmp_path) as directory:
        assert directory.get("night").summary().seed == 2


@pytest.mark.logs_errors
async def test_a_reseed_while_the_disk_is_full_is_kept_later_without_the_old_log(tmp_path, autojump_clock):
    class FullDisk(StateFile):
        full = False

        def begin_piece(self, station):
            if self.full:
                raise StorageError(str(self.path), "disk full", "Make room.")
            super().begin_piece(station)

    async with open_directory(tmp_path, state=FullDisk(tmp_path)) as directory:
        station = directory.get("main")
        station.change_controls({"intensity": 0.9}, cause="rest")
        await directory.keeper.save(station)
        FullDisk.full = True
        await directory.update("main", seed=77)
        FullDisk.full = False
        await directory.keeper.save(station)
    async with open_directory(tmp_path) as directory:
        assert directory.get("main").summary().seed == 77
        assert directory.get("main").piece.desk.log == []


async def test_what_a_player_shows_is_the_title_and_then_what_sounds(tmp_path, autojump_clock):
    async with open_directory(tmp_path) as directory:
        station = directory.get("main")
        assert now_playing(station) == "Auralis"
        station.pin(True)
        await trio.sleep(3)
        assert now_playing(station).startswith("Auralis - A dorian, ")
