"""Sound files of what stations played, rendered by a process of their own so that no listener waits for it.

One at a time and at the lowest priority, into a folder beside the state that is emptied at each start. The child is
the program's own ``render``: it reads seed and controls log from the state file, and what it writes is what was
streamed, sample by sample, where the stream had been live and in full quality for two minutes.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog
import trio

from auralisd.daemon.directory import LiveDirectory
from auralisd.daemon.live_station import LiveStation
from auralisd.daemon.memory_room import EXPORT_BYTES, Room, require, room_bytes
from auralisd.daemon.state_keeper import StateKeeper
from auralisd.daemon.worker import RunInWorker
from auralisd.errors import ConflictError, ControlsError, StorageError, UnknownNameError
from auralisd.station import Export
from auralisd.transport.sound_file import FILE_FORMATS
from auralisd.units import SAMPLE_RATE_HZ, frames_to_seconds, seconds_to_frames

log = structlog.get_logger()

EXPORTS_KEPT: Final = 4
"""The oldest finished one makes room for a new one; so many unfinished ones are refused."""

SLOWEST_X_REAL_TIME: Final = 0.5
"""A child slower than this hangs, and is ended."""

_START_SECONDS: Final = 120.0
_WORDS_KEPT: Final = 300


class Exports:
    """The exports there are, and the one task that makes them."""

    def __init__(
        self,
        *,
        directory: LiveDirectory,
        keeper: StateKeeper,
        state_dir: Path,
        run_in_worker: RunInWorker,
        played_on: Callable[[], Sequence[str]],
        program: Sequence[str] = (sys.executable, "-m", "auralisd"),
        room: Room = room_bytes,
    ) -> None:
        """None yet; ``run`` has them made by the ``render`` of ``program``, with the options ``played_on``."""
        self._program = program
        self._room = room
        self._directory = directory
        self._keeper = keeper
        self._state_dir = state_dir
        self._folder = state_dir / "exports"
        self._run_in_worker = run_in_worker
        self._played_on = played_on
        self._exports: dict[str, Export] = {}
        self._origins: dict[str, int] = {}
        self._running: tuple[str, trio.CancelScope] | None = None
        self._asked = trio.Event()

    def all(self) -> tuple[Export, ...]:
        """Every export, the newest first."""
        return tuple(reversed(self._exports.values()))

    def get(self, export_id: str) -> Export:
        """The export of that id.

        Raises:
            UnknownNameError: there is none.
        """
        if export_id not in self._exports:
            raise UnknownNameError("export", export_id, tuple(self._exports))
        return self._exports[export_id]

    def sound_file(self, export_id: str) -> Path:
        """Where the finished sound is.

        Raises:
            UnknownNameError: there is no such export.
            ConflictError: it is not finished.
        """
        export = self.get(export_id)
        if export.state != "done":
            raise ConflictError("export", export_id, f"is {export.state}; ask again when it is done")
        return self._path(export)

    async def begin(self, station_id: str, *, form: str, seconds: float, from_position: int | None) -> Export:
        """Ask for ``seconds`` of what ``station_id`` played from ``from_position`` on; None: the last ones until now.

        Raises:
            UnknownNameError: there is no such station.
            ControlsError: nobody writes such a file.
            ConflictError: this piece has not played so much, or enough of them are unfinished.
            MemoryShortError: the child would not fit beside what plays.
            StorageError: the state cannot be saved, so the child would not know of the last changes.
        """
        station = self._directory.get(station_id)
        begin, end = _span(station, seconds, from_position)
        if form not in FILE_FORMATS:
            raise ControlsError("format", form, f"one of {', '.join(FILE_FORMATS)}")
        require("export", EXPORT_BYTES, self._room)
        self._make_room()
        await self._keeper.save(station)
        if self._keeper.problem is not None:
            raise StorageError(str(self._state_dir), self._keeper.problem, "Exports are rendered from the saved state.")
        export = Export(
            id=secrets.token_hex(6),
            station=station.id,
            format=form,
            from_position=begin,
            to_position=end,
            state="waiting",
        )
        self._make_room()  # others may have come while the disk was waited for
        self._exports[export.id], self._origins[export.id] = export, station.piece_origin
        self._asked.set()
        return export

    async def remove(self, export_id: str) -> None:
        """Forget an export, and stop it if it is being made.

        Raises:
            UnknownNameError: there is none.
        """
        export = self.get(export_id)
        del self._exports[export_id], self._origins[export_id]
        if self._running is not None and self._running[0] == export_id:
            self._running[1].cancel()  # its file goes when the child has ended
        else:
            await self._run_in_worker(_forget, self._path(export))

    async def run(self) -> None:
        """Make one export after the other until cancelled; leaves no files behind."""
        await self._run_in_worker(_emptied, self._folder)
        try:
            while True:
                waiting = next((export for export in self._exports.values() if export.state == "waiting"), None)
                if waiting is None:
                    self._asked = trio.Event()
                    await self._asked.wait()
                    continue
                with trio.CancelScope() as scope:
                    self._running = (waiting.id, scope)
                    await self._make(waiting.id)
                self._running = None
                if waiting.id not in self._exports:
                    await self._run_in_worker(_forget, self._path(waiting))
        finally:
            _emptied(self._folder)  # at the end of the process, when nobody waits for the loop any more

    async def _make(self, export_id: str) -> None:
        export = self._note(export_id, state="rendering")
        log.info("export begins", station=export.station, id=export_id)
        began = trio.current_time()
        try:
            words = await self._child(export, origin=self._origins[export_id])
        except (OSError, trio.TooSlowError, UnknownNameError) as error:
            words = str(error) or "it took too long"
        path = self._path(export)
        if words or not path.is_file():
            log.warning("export failed", station=export.station, id=export_id, error=words)
            self._note(export_id, state="failed", why=words or "the renderer ended without a file")
            return
        seconds = round(trio.current_time() - began, 1)
        log.info("export done", station=export.station, id=export_id, seconds=seconds)
        self._note(export_id, state="done", size_bytes=path.stat().st_size)

    async def _child(self, export: Export, *, origin: int) -> str:
        """Run ``render``; empty when it went well, else its last words.

        Raises:
            OSError: it cannot be run, or its folder cannot be made.
            trio.TooSlowError: it hangs.
            UnknownNameError: the station is gone.
        """
        station = self._directory.get(export.station)
        await trio.Path(self._folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        command = [
            *_lowest_priority(), *self._program, "render", str(self._path(export)),
            "--station", export.station, "--title", station.title, *self._played_on(),
            "--from", f"{(export.from_position - origin) / SAMPLE_RATE_HZ:.6f}",
            "--to", f"{(export.to_position - origin) / SAMPLE_RATE_HZ:.6f}",
            "--state-dir", str(self._state_dir),
        ]  # fmt: skip
        length_seconds = frames_to_seconds(export.to_position - export.from_position)
        with trio.fail_after(_START_SECONDS + length_seconds / SLOWEST_X_REAL_TIME):
            ended = await trio.run_process(
                command,
                stdin=subprocess.DEVNULL,
                capture_stderr=True,
                check=False,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                deliver_cancel=_killed,
            )
        if station.piece_origin != origin:
            return "a new piece has begun; what was played before it is not kept"
        if ended.returncode == 0:
            return ""
        return ended.stderr.decode(errors="replace").strip()[-_WORDS_KEPT:] or f"it ended with {ended.returncode}"

    def _note(self, export_id: str, **changes: object) -> Export:
        noted: Export = replace(self.get(export_id), **changes)  # type: ignore[arg-type]
        self._exports[export_id] = noted
        return noted

    def _make_room(self) -> None:
        if len(self._exports) < EXPORTS_KEPT:
            return
        finished = [export for export in self._exports.values() if export.state in ("done", "failed")]
        if not finished:
            raise ConflictError("export", "one more", f"has no room: {EXPORTS_KEPT} are being made")
        del self._exports[finished[0].id], self._origins[finished[0].id]
        _forget(self._path(finished[0]))

    def _path(self, export: Export) -> Path:
        return self._folder / f"{export.id}.{export.format}"


def _span(station: LiveStation, seconds: float, from_position: int | None) -> tuple[int, int]:
    """The first programme frame of what is wanted, and the first after it.

    Raises:
        ConflictError: not all of it was played.
    """
    live, frames = station.live_position(), seconds_to_frames(seconds)
    begin = live - frames if from_position is None else from_position
    if begin < station.piece_origin or begin + frames > live:
        heard = frames_to_seconds(max(live - station.piece_origin, 0))
        reason = f"is not all there: this piece has played {heard:.0f} s, from {station.piece_origin} to {live}"
        raise ConflictError("export", f"{begin} to {begin + frames}", reason)
    return begin, begin + frames


def _lowest_priority() -> list[str]:
    nice = shutil.which("nice")
    return [nice, "-n", "19"] if nice else []


async def _killed(process: trio.Process) -> None:
    """A cancelled child ends at once: a stop of the daemon does not wait for it, and its file is ours to remove."""
    with contextlib.suppress(OSError):
        process.kill()


def _forget(path: Path) -> None:
    for one in (path, path.with_name(path.name + ".part")):
        with contextlib.suppress(OSError):
            one.unlink(missing_ok=True)


def _emptied(folder: Path) -> None:
    if folder.is_dir():
        shutil.rmtree(folder, ignore_errors=True)
