"""Opening the state file, whatever lies there: ours, damaged, foreign, or nothing.

The music must start. So whatever cannot be used is set aside under a name that says
why, a fresh file takes its place, and a notice tells the operator.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from auralisd.storage.schema import APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION

STATE_FILE_NAME: Final = "auralis.db"
_BUSY_TIMEOUT_SECONDS: Final = 2.0
_COMPANIONS: Final = ("-wal", "-shm")
COPIES_KEPT: Final = 2
"""Copies from before migrations; the oldest goes when there is one more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedState:
    """A connection that works.

    Attributes:
        connection: autocommitting, usable from any thread (one at a time).
        kept: whether what is written outlives the process.
        notices: what the operator should know, a sentence each.
    """

    connection: sqlite3.Connection
    kept: bool
    notices: tuple[str, ...] = ()


class _UnusableError(Exception):
    """Why a file is set aside: a word for its new name, and the rest of a sentence."""

    def __init__(self, word: str, problem: str) -> None:
        super().__init__(problem)
        self.word = word
        self.problem = problem


def open_state(directory: Path) -> OpenedState:
    """Open ``auralis.db`` in ``directory``, making both where they are missing. Never fails."""
    path = directory / STATE_FILE_NAME
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return OpenedState(connection=_connect(path), kept=True)
        except _UnusableError as unusable:
            aside = _set_aside(path, unusable.word)
            notice = f"{path} {unusable.problem}; it is kept as {aside.name} and a fresh state begins"
            return OpenedState(connection=_connect(path), kept=True, notices=(notice,))
    except (OSError, sqlite3.Error, _UnusableError) as error:
        notice = f"nothing is saved: {path} cannot be written ({error}); make {directory} writable and start again"
        return OpenedState(connection=_in_memory(), kept=False, notices=(notice,))


def _connect(path: Path) -> sqlite3.Connection:
    """A connection to a file that is known to be ours and whole, at the present version."""
    if path.is_dir():
        raise _UnusableError("foreign", "is a directory")
    connection = sqlite3.connect(
        path, timeout=_BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
    )
    try:
        _prepare(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise _UnusableError("corrupt", "is damaged") from error
        raise
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version = _pragma(connection, "user_version")
    application = _pragma(connection, "application_id")
    empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if application != APPLICATION_ID and not (empty and application == 0):
        raise _UnusableError("foreign", "belongs to another program")
    if version > SCHEMA_VERSION:
        raise _UnusableError(f"version-{version}", f"was written by a newer auralisd (version {version})")
    if not empty and connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise _UnusableError("corrupt", "is damaged")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")  # a power cut may lose the last save, never the file
    connection.execute("PRAGMA foreign_keys = ON")
    if 0 < version < SCHEMA_VERSION:
        _copy_before_migration(connection, path)
    _migrate(connection, version)


def _copy_before_migration(connection: sqlite3.Connection, path: Path) -> None:
    """Keep the file as it is, for the release that wrote it, and no more than ``COPIES_KEPT`` of such copies."""
    prefix = f"{path.name}.before-version-"
    with closing(sqlite3.connect(path.with_name(f"{prefix}{SCHEMA_VERSION}"))) as copy:
        connection.backup(copy)
    numbers = [beside.name.removeprefix(prefix) for beside in path.parent.glob(f"{prefix}*")]
    for number in sorted((int(number) for number in numbers if number.isdecimal()), reverse=True)[COPIES_KEPT:]:
        path.with_name(f"{prefix}{number}").unlink(missing_ok=True)


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    """All versions in one transaction: a copy is never taken of a file that is half way."""
    if version == SCHEMA_VERSION:
        return
    scripts = " ".join(MIGRATIONS[version:])
    marks = f"PRAGMA user_version = {SCHEMA_VERSION}; PRAGMA application_id = {APPLICATION_ID};"
    connection.executescript(f"BEGIN IMMEDIATE; {scripts} {marks} COMMIT;")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _in_memory() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    _migrate(connection, 0)
    return connection


def _set_aside(path: Path, word: str) -> Path:
    """Rename ``path`` and what SQLite keeps beside it; the first free number is taken."""
    number = 1
    while (aside := path.with_name(f"{path.name}.{word}-{number}")).exists():
        number += 1
    path.rename(aside)
    for companion in _COMPANIONS:
        beside = path.with_name(path.name + companion)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + companion))
    return aside
