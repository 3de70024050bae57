"""Whatever lies where the state should be, the music starts."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auralisd.controls import Controls
from auralisd.storage import opening
from auralisd.storage.schema import APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION
from auralisd.storage.state_file import SavedStation, StateFile

MAIN = SavedStation(
    id="main",
    title="Auralis",
    seed=7,
    preset=None,
    pinned=False,
    epoch=1,
    position=0,
    start_controls=Controls(),
    controls=Controls(),
)


def filled(directory) -> bytes:
    """A state file with something in it, as bytes."""
    with StateFile(directory) as state:
        state.save_stations([MAIN])
        for number in range(300):
            state.save_preset(f"preset {number}", {"key": "D"})
    return (directory / "auralis.db").read_bytes()


def is_fresh(directory, *, kept_as: str) -> None:
    """A fresh state works in ``directory`` and what was there is beside it."""
    with StateFile(directory) as state:
        assert state.kept
        (notice,) = state.notices
        assert kept_as in notice
        assert (directory / kept_as).exists()
        assert state.stations() == ()
        state.save_stations([MAIN])
    with StateFile(directory) as state:
        assert state.notices == ()
        assert state.stations() == (MAIN,)


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"not a database at all" * 300,
        lambda whole: whole[:100],
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-4096],
        lambda whole: b"\0" * len(whole),
        lambda whole: whole[:4096] + b"\xff" * 4096 + whole[8192:],
        lambda whole: whole[:16] + b"\xff" * 84 + whole[100:],
    ],
    ids=["text", "stub", "half", "a page short", "zeros", "a page of ones", "broken header"],
)
def test_a_damaged_file_is_set_aside(tmp_path, damage):
    whole = filled(tmp_path)
    damaged = damage(whole)
    (tmp_path / "auralis.db").write_bytes(damaged)
    is_fresh(tmp_path, kept_as="auralis.db.corrupt-1")
    assert (tmp_path / "auralis.db.corrupt-1").read_bytes() == damaged


def test_an_empty_file_is_a_beginning(tmp_path):
    (tmp_path / "auralis.db").touch()
    with StateFile(tmp_path) as state:
        assert state.notices == ()
        state.save_stations([MAIN])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_keeps_the_music_from_starting(tmp_path_factory, data):
    directory = tmp_path_factory.mktemp("state")
    whole = bytearray(filled(directory))
    for _ in range(data.draw(st.integers(1, 4))):
        where = data.draw(st.integers(0, len(whole) - 1))
        patch = data.draw(st.binary(min_size=1, max_size=64))
        whole[where : where + len(patch)] = patch
    (directory / "auralis.db").write_bytes(bytes(whole[: data.draw(st.integers(1, len(whole)))]))
    with StateFile(directory) as state:
        state.stations()
        state.presets()
        state.save_stations([MAIN])
        assert MAIN in state.stations()


def test_each_file_set_aside_has_a_name_of_its_own(tmp_path):
    for number in (1, 2, 3):
        (tmp_path / "auralis.db").write_bytes(b"garbage" * 100 * number)
        with StateFile(tmp_path) as state:
            assert f"corrupt-{number}" in state.notices[0]
    assert len(list(tmp_path.glob("auralis.db.corrupt-*"))) == 3


def test_what_lies_beside_the_file_goes_with_it(tmp_path):
    (tmp_path / "auralis.db").mkdir()
    (tmp_path / "auralis.db-wal").write_bytes(b"its log")
    with StateFile(tmp_path) as state:
        state.save_stations([MAIN])
    assert (tmp_path / "auralis.db.foreign-1-wal").read_bytes() == b"its log"


def test_another_programs_database_is_left_whole(tmp_path):
    with closing(sqlite3.connect(tmp_path / "auralis.db")) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
        other.execute("INSERT INTO recipes VALUES ('soup')")
        other.commit()
    is_fresh(tmp_path, kept_as="auralis.db.foreign-1")
    with closing(sqlite3.connect(tmp_path / "auralis.db.foreign-1")) as other:
        assert other.execute("SELECT name FROM recipes").fetchall() == [("soup",)]


def test_a_database_with_another_application_id_is_foreign_even_if_empty(tmp_path):
    with closing(sqlite3.connect(tmp_path / "auralis.db")) as other:
        other.execute("PRAGMA application_id = 99")
        other.execute("CREATE TABLE t (a)")
        other.execute("DROP TABLE t")
    is_fresh(tmp_path, kept_as="auralis.db.foreign-1")


def test_a_state_of_a_newer_release_is_kept_for_it(tmp_path):
    filled(tmp_path)
    with closing(sqlite3.connect(tmp_path / "auralis.db")) as newer:
        newer.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 7}")
    name = f"auralis.db.version-{SCHEMA_VERSION + 7}-1"
    is_fresh(tmp_path, kept_as=name)
    with closing(sqlite3.connect(tmp_path / name)) as newer:
        assert newer.execute("SELECT count(*) FROM presets").fetchone() == (300,)


def test_a_directory_in_the_place_of_the_file_is_set_aside(tmp_path):
    (tmp_path / "auralis.db").mkdir()
    (tmp_path / "auralis.db" / "inside").touch()
    is_fresh(tmp_path, kept_as="auralis.db.foreign-1")
    assert (tmp_path / "auralis.db.foreign-1" / "inside").exists()


def test_where_nothing_can_be_written_the_music_starts_without_keeping_anything(tmp_path):
    (tmp_path / "file").touch()
    with StateFile(tmp_path / "file" / "state") as state:
        assert not state.kept
        (notice,) = state.notices
        assert "nothing is saved" in notice
        state.save_stations([MAIN])
        assert state.stations() == (MAIN,)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_is_read_only_is_told_with_its_cure(tmp_path):
    tmp_path.chmod(0o500)
    with StateFile(tmp_path) as state:
        assert not state.kept
        assert "writable" in state.notices[0]
    tmp_path.chmod(0o700)


def test_an_older_state_is_brought_up_to_date_and_copied_first(tmp_path, monkeypatch):
    filled(tmp_path)
    newer = (*MIGRATIONS, "ALTER TABLE stations ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue';")
    monkeypatch.setattr(opening, "MIGRATIONS", newer)
    monkeypatch.setattr(opening, "SCHEMA_VERSION", len(newer))
    with StateFile(tmp_path) as state:
        assert state.notices == ()
        assert state.stations() == (MAIN,)
        assert state._connection.execute("SELECT colour FROM stations").fetchone() == ("blue",)
    with closing(sqlite3.connect(tmp_path / f"auralis.db.before-version-{len(newer)}")) as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert copy.execute("SELECT count(*) FROM presets").fetchone() == (300,)


def test_of_many_migrations_the_last_two_copies_are_kept(tmp_path, monkeypatch):
    filled(tmp_path)
    scripts = list(MIGRATIONS)
    for number in range(10):
        scripts.append(f"CREATE TABLE added_{number} (name TEXT);")
        monkeypatch.setattr(opening, "MIGRATIONS", tuple(scripts))
        monkeypatch.setattr(opening, "SCHEMA_VERSION", len(scripts))
        with StateFile(tmp_path) as state:
            assert state.kept
    newest = len(scripts)
    copies = {path.name for path in tmp_path.glob("*before*")}
    assert copies == {f"auralis.db.before-version-{number}" for number in (newest - 1, newest)}
    for number in (newest - 1, newest):
        with closing(sqlite3.connect(tmp_path / f"auralis.db.before-version-{number}")) as copy:
            assert copy.execute("PRAGMA user_version").fetchone() == (number - 1,)


def test_of_several_versions_at_once_none_is_left_half_way(tmp_path, monkeypatch):
    filled(tmp_path)
    fails = "INSERT INTO presets SELECT id, NULL, controls FROM stations;"
    scripts = (*MIGRATIONS, "CREATE TABLE colours (name TEXT);", fails)
    monkeypatch.setattr(opening, "MIGRATIONS", scripts)
    monkeypatch.setattr(opening, "SCHEMA_VERSION", len(scripts))
    with StateFile(tmp_path) as state:
        assert not state.kept
    for name in ("auralis.db", f"auralis.db.before-version-{len(scripts)}"):
        with closing(sqlite3.connect(tmp_path / name)) as file:
            assert file.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
            assert file.execute("SELECT count(*) FROM presets").fetchone() == (300,)


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    filled(tmp_path)
    broken = (
        *MIGRATIONS,
        "CREATE TABLE colours (name TEXT); INSERT INTO presets SELECT id, NULL, controls FROM stations;",
    )
    with monkeypatch.context() as patched:
        patched.setattr(opening, "MIGRATIONS", broken)
        patched.setattr(opening, "SCHEMA_VERSION", len(broken))
        with StateFile(tmp_path) as state:
            assert not state.kept
    with StateFile(tmp_path) as state:
        assert state.kept
        assert state.stations() == (MAIN,)
        tables = state._connection.execute("SELECT name FROM sqlite_master WHERE name = 'colours'").fetchall()
        assert tables == []


def test_the_file_says_whose_it_is(tmp_path):
    filled(tmp_path)
    with closing(sqlite3.connect(tmp_path / "auralis.db")) as raw:
        assert raw.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert raw.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
