"""The tables of the state file, one script per version."""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x41755261  # "AuRa": tells our file from any other SQLite file

MIGRATIONS: Final = (
    """
    CREATE TABLE stations (
        id TEXT PRIMARY KEY,
        title TEXT NOT NULL,
        seed TEXT NOT NULL,             -- as text: seeds are not bounded by 64 bits
        preset TEXT,
        pinned INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        position INTEGER NOT NULL,      -- frames since the piece began
        start_controls TEXT NOT NULL,   -- JSON, at frame 0 of the piece
        controls TEXT NOT NULL          -- JSON, at the position
    ) WITHOUT ROWID;
    CREATE TABLE controls_log (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        station TEXT NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
        at_frames INTEGER NOT NULL,
        changed TEXT NOT NULL,          -- JSON, normalised
        cause TEXT NOT NULL
    );
    CREATE INDEX controls_log_by_station ON controls_log (station, sequence);
    CREATE TABLE presets (
        folded_name TEXT PRIMARY KEY,   -- presets are found whatever the case
        name TEXT NOT NULL,
        controls TEXT NOT NULL
    ) WITHOUT ROWID;
    """,
)
"""``MIGRATIONS[n]`` takes a file from version n to n + 1; a script is never edited once released."""

SCHEMA_VERSION: Final = len(MIGRATIONS)
