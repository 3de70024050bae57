"""The state file: one SQLite file, one connection, plain synchronous calls.

Each call is one transaction of well under a millisecond on a disk that works; the
daemon makes them from its worker door, so that a disk that does not costs no sound.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from auralisd.controls import Controls, merge_change
from auralisd.errors import ControlsError, StorageError
from auralisd.score import ControlChange
from auralisd.storage.opening import STATE_FILE_NAME, open_state

LOG_ROWS_MAX: Final = 100_000
"""Changes kept per piece. Older ones are folded into its first controls, see ``append_changes``."""

_PRUNE_BATCH: Final = 1_000  # so that a full log is not pruned at every change

_CURES: Final[Mapping[int, str]] = {
    sqlite3.SQLITE_FULL: "Make room on the disk.",
    sqlite3.SQLITE_READONLY: "Make the file and its directory writable for this user.",
    sqlite3.SQLITE_CANTOPEN: "Make the directory writable for this user.",
    sqlite3.SQLITE_BUSY: "Stop the other program that uses the file.",
    sqlite3.SQLITE_LOCKED: "Stop the other program that uses the file.",
    sqlite3.SQLITE_CORRUPT: "Start again: the file is then set aside and a fresh one begins.",
    sqlite3.SQLITE_NOTADB: "Start again: the file is then set aside and a fresh one begins.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedStation:
    """A station as it was last saved.

    Attributes:
        id: the name in URLs.
        title: for people.
        seed: of the piece.
        preset: the one last applied, None once a control differs.
        pinned: whether it plays to nobody too.
        epoch: of the positions listeners were told.
        position: frames since the piece began.
        start_controls: at frame 0 of the piece; with the log they give the piece.
        controls: at ``position``.
    """

    id: str
    title: str
    seed: int
    preset: str | None
    pinned: bool
    epoch: int
    position: int
    start_controls: Controls
    controls: Controls


class StateFile:
    """Stations, controls log and presets.

    Every method may be called from any thread; calls wait for one another. Those that
    write raise ``StorageError`` when the disk refuses, and have then changed nothing.
    """

    def __init__(self, directory: Path) -> None:
        """Open ``auralis.db`` in ``directory``; see ``notices`` for what was found. Never fails."""
        opened = open_state(directory)
        self.path = directory / STATE_FILE_NAME
        self.kept = opened.kept
        self._connection = opened.connection
        self._notices = dict.fromkeys(opened.notices)  # in order, each once
        self._lock = threading.Lock()

    @property
    def notices(self) -> tuple[str, ...]:
        """What the operator should know of the file, a sentence each."""
        return tuple(self._notices)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write everything into the one file and let go of it."""
        with self._lock:
            self._connection.close()

    # Stations

    def stations(self) -> tuple[SavedStation, ...]:
        """All saved stations by id; a row that makes no sense is left out and noticed."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT id, title, seed, preset, pinned, epoch, position, start_controls, controls"
                " FROM stations ORDER BY id"
            ).fetchall()
        return tuple(station for row in rows if (station := self._station_of(row)) is not None)

    def save_stations(self, stations: Sequence[SavedStation]) -> None:
        """Keep these stations, new or changed, all or none."""
        with self._transaction() as connection:
            for station in stations:
                _save_station(connection, station)

    def begin_piece(self, station: SavedStation) -> None:
        """Keep a station whose piece begins anew: its controls log is emptied."""
        with self._transaction() as connection:
            _save_station(connection, station)
            connection.execute("DELETE FROM controls_log WHERE station = ?", (station.id,))

    def remove_station(self, station_id: str) -> None:
        """Forget a station and its controls log; nothing happens if it is not there."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM stations WHERE id = ?", (station_id,))

    # Controls log

    def append_changes(self, station_id: str, changes: Sequence[ControlChange]) -> None:
        """Keep what was changed in the piece of a saved station.

        Past ``LOG_ROWS_MAX`` the oldest are folded into the station's ``start_controls``:
        from there on the piece is the one that is heard, before them it is not.
        """
        with self._transaction() as connection:
            connection.executemany(
                "INSERT INTO controls_log (station, at_frames, changed, cause) VALUES (?, ?, ?, ?)",
                [(station_id, change.at_frames, _as_json(change.changed), change.cause) for change in changes],
            )
            count = connection.execute("SELECT count(*) FROM controls_log WHERE station = ?", (station_id,)).fetchone()
            if count[0] > LOG_ROWS_MAX:
                _fold_oldest(connection, station_id, count[0] - LOG_ROWS_MAX + _PRUNE_BATCH)

    def changes(self, station_id: str) -> tuple[ControlChange, ...]:
        """The controls log of the present piece, sorted by ``at_frames``."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT at_frames, changed, cause FROM controls_log WHERE station = ? ORDER BY at_frames, sequence",
                (station_id,),
            ).fetchall()
        return tuple(
            ControlChange(at_frames=at_frames, changed=changed, cause=cause)
            for at_frames, text, cause in rows
            if (changed := self._change_of(station_id, text)) is not None
        )

    # Presets

    def presets(self) -> dict[str, dict[str, Any]]:
        """The saved presets by name, sorted."""
        with self._transaction() as connection:
            rows = connection.execute("SELECT name, controls FROM presets ORDER BY folded_name").fetchall()
        found = ((name, self._change_of(f"preset {name}", text)) for name, text in rows)
        return {name: controls for name, controls in found if controls is not None}

    def save_preset(self, name: str, controls: Mapping[str, Any]) -> None:
        """Keep a preset, replacing one of the same name in whatever case."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO presets (folded_name, name, controls) VALUES (?, ?, ?)",
                (name.casefold(), name, _as_json(controls)),
            )

    def remove_preset(self, name: str) -> None:
        """Forget a preset; nothing happens if it is not there."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM presets WHERE folded_name = ?", (name.casefold(),))

    # Inside

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection.execute("BEGIN")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                finally:
                    if self._connection.in_transaction:  # a full disk has rolled back already
                        self._connection.execute("ROLLBACK")
            except sqlite3.Error as error:
                cure = _CURES.get(_error_code(error), "See that the disk is well and start again.")
                raise StorageError(str(self.path), str(error), cure) from error

    def _station_of(self, row: tuple[Any, ...]) -> SavedStation | None:
        station_id, title, seed, preset, pinned, epoch, position, start_controls, controls = row
        try:
            return SavedStation(
                id=str(station_id),
                title=str(title),
                seed=int(seed),
                preset=preset,
                pinned=bool(pinned),
                epoch=int(epoch),
                position=int(position),
                start_controls=_controls_of(start_controls),
                controls=_controls_of(controls),
            )
        except (ValueError, TypeError, ControlsError) as error:
            self._notices[f"the saved station {station_id!r} cannot be read and is left out: {error}"] = None
            return None

    def _change_of(self, where: str, text: str) -> dict[str, Any] | None:
        try:
            return merge_change(Controls(), _object_of(text))[1]
        except (ValueError, TypeError, ControlsError) as error:
            self._notices[f"a saved change of {where} cannot be read and is left out: {error}"] = None
            return None


def _save_station(connection: sqlite3.Connection, station: SavedStation) -> None:
    connection.execute(
        "INSERT INTO stations (id, title, seed, preset, pinned, epoch, position, start_controls, controls)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET title = excluded.title, seed = excluded.seed, preset = excluded.preset,"
        " pinned = excluded.pinned, epoch = excluded.epoch, position = excluded.position,"
        " start_controls = excluded.start_controls, controls = excluded.controls",
        (
            station.id,
            station.title,
            str(station.seed),
            station.preset,
            station.pinned,
            station.epoch,
            station.position,
            _as_json(station.start_controls.as_dict()),
            _as_json(station.controls.as_dict()),
        ),
    )


def _fold_oldest(connection: sqlite3.Connection, station_id: str, count: int) -> None:
    rows = connection.execute(
        "SELECT sequence, changed FROM controls_log WHERE station = ? ORDER BY sequence LIMIT ?", (station_id, count)
    ).fetchall()
    (text,) = connection.execute("SELECT start_controls FROM stations WHERE id = ?", (station_id,)).fetchone()
    controls = _controls_of(text)
    for _, changed in rows:
        controls, _ = merge_change(controls, _object_of(changed))
    connection.execute(
        "UPDATE stations SET start_controls = ? WHERE id = ?", (_as_json(controls.as_dict()), station_id)
    )
    connection.execute("DELETE FROM controls_log WHERE station = ? AND sequence <= ?", (station_id, rows[-1][0]))


def _as_json(value: Mapping[str, Any]) -> str:
    plain = {name: dict(part) if isinstance(part, Mapping) else part for name, part in value.items()}
    return json.dumps(plain, separators=(",", ":"), allow_nan=False)


def _object_of(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _controls_of(text: str) -> Controls:
    return merge_change(Controls(), _object_of(text))[0]


def _error_code(error: sqlite3.Error) -> int:
    code = getattr(error, "sqlite_errorcode", None)  # absent from errors of the Python module itself
    return code & 0xFF if isinstance(code, int) else -1
