"""What is saved comes back, and a disk that refuses costs nothing that was there."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auralisd.controls import KEYS, LAYERS, RANGES, Controls, merge_change
from auralisd.errors import StorageError
from auralisd.score import ControlChange
from auralisd.storage import state_file
from auralisd.storage.state_file import SavedStation, StateFile


def station(**changes) -> SavedStation:
    usual = SavedStation(
        id="main",
        title="Auralis",
        seed=7,
        preset="Focus",
        pinned=True,
        epoch=3,
        position=12_345_678_901,
        start_controls=Controls(),
        controls=merge_change(Controls(), {"key": "D", "layers": {"bells": "off"}})[0],
    )
    return replace(usual, **changes)


def change(at_frames: int, **changed) -> ControlChange:
    return ControlChange(at_frames=at_frames, changed=changed, cause="rest")


@pytest.fixture
def state(tmp_path):
    with StateFile(tmp_path) as opened:
        yield opened


def test_a_fresh_directory_gets_a_file_without_a_word(tmp_path):
    with StateFile(tmp_path / "deep" / "down") as state:
        assert state.notices == ()
        assert state.kept
        assert state.path.is_file()
        assert state.stations() == ()
    assert state.path.parent.stat().st_mode & 0o077 == 0


def test_stations_come_back_as_they_were(tmp_path):
    saved = (station(id="a", seed=2**70, preset=None, pinned=False), station())
    with StateFile(tmp_path) as state:
        state.save_stations(saved)
    with StateFile(tmp_path) as state:
        assert state.stations() == saved


def test_the_log_comes_back_in_the_order_it_is_played(state):
    state.save_stations([station()])
    state.append_changes("main", [change(10, key="D"), change(30, tempo_bpm=50.0)])
    state.append_changes("main", [change(20, layers={"bells": "off", "pad": -3.0})])
    assert state.changes("main") == (
        change(10, key="D"),
        change(20, layers={"bells": "off", "pad": -3.0}),
        change(30, tempo_bpm=50.0),
    )


def test_a_new_piece_begins_with_an_empty_log_and_leaves_those_of_others(state):
    state.save_stations([station(), station(id="night")])
    for name in ("main", "night"):
        state.append_changes(name, [change(10, key="D")])
    state.begin_piece(station(epoch=4, seed=8))
    assert state.changes("main") == ()
    assert len(state.changes("night")) == 1
    assert {saved.id: saved.epoch for saved in state.stations()} == {"main": 4, "night": 3}


def test_a_removed_station_takes_its_log_along(state):
    state.save_stations([station()])
    state.append_changes("main", [change(10, key="D")])
    state.remove_station("main")
    state.remove_station("main")
    state.save_stations([station()])
    assert state.changes("main") == ()


def test_a_log_that_grows_too_long_is_folded_into_the_beginning(state, monkeypatch):
    monkeypatch.setattr(state_file, "LOG_ROWS_MAX", 50)
    monkeypatch.setattr(state_file, "_PRUNE_BATCH", 10)
    state.save_stations([station()])
    for at in range(200):
        state.append_changes("main", [change(at, key=KEYS[at % 12], layers={LAYERS[at % 7]: -float(at % 60)})])
    kept = state.changes("main")
    assert 40 <= len(kept) <= 50
    assert kept[-1].at_frames == 199
    folded = Controls()
    for at in range(kept[0].at_frames):
        folded, _ = merge_change(folded, {"key": KEYS[at % 12], "layers": {LAYERS[at % 7]: -float(at % 60)}})
    assert state.stations()[0].start_controls == folded


def test_presets_are_kept_by_name_whatever_the_case(state):
    state.save_preset("Attic", {"key": "D"})
    state.save_preset("ATTIC", {"tempo_bpm": 50.0})
    state.save_preset("attic stairs", {"layers": {"bells": "off"}})
    assert state.presets() == {"ATTIC": {"tempo_bpm": 50.0}, "attic stairs": {"layers": {"bells": "off"}}}
    state.remove_preset("attic")
    assert list(state.presets()) == ["attic stairs"]


_controls = st.fixed_dictionaries(
    {},
    optional={
        "key": st.sampled_from(KEYS),
        "layers": st.dictionaries(st.sampled_from(LAYERS), st.one_of(st.just("off"), st.floats(-60, 6))),
        **{name: st.floats(bounds.low, bounds.high) for name, bounds in RANGES.items()},
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=_controls, now=_controls, title=st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_any_controls_and_any_title_survive(state, start, now, title):
    saved = station(
        title=title, start_controls=merge_change(Controls(), start)[0], controls=merge_change(Controls(), now)[0]
    )
    state.save_stations([saved])
    assert state.stations() == (saved,)


def test_a_row_that_makes_no_sense_is_left_out_and_told(tmp_path):
    with StateFile(tmp_path) as state:
        state.save_stations([station(), station(id="night"), station(id="noon")])
        state.append_changes("main", [change(10, key="D"), change(20, key="E")])
        state.save_preset("Attic", {"key": "D"})
    with sqlite3.connect(tmp_path / "auralis.db") as raw:
        raw.execute("UPDATE stations SET controls = '{\"key\": \"H\"}' WHERE id = 'night'")
        raw.execute("UPDATE stations SET start_controls = '[' WHERE id = 'noon'")
        raw.execute("UPDATE controls_log SET changed = '[]' WHERE at_frames = 10")
        raw.execute("UPDATE presets SET controls = 'null'")
    raw.close()
    with StateFile(tmp_path) as state:
        assert [saved.id for saved in state.stations()] == ["main"]
        assert state.changes("main") == (change(20, key="E"),)
        assert state.presets() == {}
        state.stations()
        assert len(state.notices) == 4  # each is told once, however often it is read
        assert "'night'" in state.notices[0]


def test_a_change_of_an_unknown_station_is_refused(state):
    with pytest.raises(StorageError):
        state.append_changes("moon", [change(10, key="D")])


def test_all_or_none_is_saved(state):
    state.save_stations([station(title="before")])
    broken = station(id="night", title=None)
    with pytest.raises(StorageError) as caught:
        state.save_stations([station(title="after"), broken])
    assert caught.value.path == str(state.path)
    assert [saved.title for saved in state.stations()] == ["before"]


def test_a_full_disk_is_named_with_its_cure_and_costs_nothing_that_was_there(state):
    state.save_stations([station()])
    pages = state._connection.execute("PRAGMA page_count").fetchone()[0]
    state._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageError, match="disk is full") as caught:
        state.append_changes("main", [change(number, key="D") for number in range(5000)])
    assert caught.value.cure == "Make room on the disk."
    assert state.stations() == (station(),)
    assert state.changes("main") == ()
    state._connection.execute("PRAGMA max_page_count = 1000000")
    state.append_changes("main", [change(1, key="E")])
    assert state.changes("main") == (change(1, key="E"),)


def test_a_file_that_became_read_only_is_named_with_its_cure(state):
    state._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StorageError) as caught:
        state.save_stations([station()])
    assert "writable" in caught.value.cure


def test_a_file_that_another_program_holds_is_not_waited_for_long(tmp_path, monkeypatch):
    monkeypatch.setattr("auralisd.storage.opening._BUSY_TIMEOUT_SECONDS", 0.05)
    with StateFile(tmp_path) as state, sqlite3.connect(tmp_path / "auralis.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="locked") as caught:
            state.save_preset("Attic", {"key": "D"})
        assert "other program" in caught.value.cure
        other.execute("ROLLBACK")
        state.save_preset("Attic", {"key": "D"})
    other.close()


def test_after_closing_nothing_is_written(tmp_path):
    state = StateFile(tmp_path)
    state.close()
    with pytest.raises(StorageError):
        state.save_preset("Attic", {"key": "D"})


def test_calls_from_many_threads_wait_for_one_another(state):
    state.save_stations([station()])

    def turn() -> None:
        for at in range(20):
            state.append_changes("main", [change(at, key="D")])

    threads = [threading.Thread(target=turn) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(state.changes("main")) == 80


def test_what_was_saved_survives_a_process_that_is_killed(tmp_path):
    state = StateFile(tmp_path / "first")
    state.save_stations([station()])
    (tmp_path / "second").mkdir()
    for name in ("auralis.db", "auralis.db-wal"):  # as they lie on the disk while the process runs
        (tmp_path / "second" / name).write_bytes((tmp_path / "first" / name).read_bytes())
    with StateFile(tmp_path / "second") as survivor:
        assert survivor.notices == ()
        assert survivor.stations() == (station(),)
    state.close()


def test_the_path_is_where_the_directory_is(state, tmp_path):
    assert state.path == Path(tmp_path) / "auralis.db"
