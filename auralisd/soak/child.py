"""The daemon under judgement: a real process on a free loopback port, with a state folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import trio

from auralisd.errors import SoakError

GOODBYE_SECONDS: Final = 6.0
"""A stop takes less than three."""

_STATEMENT_BYTES: Final = 4096
_KEPT_VARIABLES: Final = frozenset({"AURALISD_COMPILED_KERNEL", "AURALISD_DEVICE"})
_FOREIGN_PREFIXES: Final = ("AURALISD_", "LISTEN_")
_FOREIGN_VARIABLES: Final = frozenset({"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "STATE_DIRECTORY"})


class Child:
    """The process, and the next one on the same port and state.

    Attributes:
        port: where it listens.
        state_dir: where it keeps its state.
        config_path: what it reads at its start and on SIGHUP.
        number: which process it is, from 1; 0 before the first.
        ended_by_itself: processes that nobody had ended.
    """

    def __init__(self, folder: Path, *, seed: int, device: str | None, log_path: Path | None = None) -> None:
        """Start nothing yet.

        Args:
            folder: for state, configuration and log; its owner's to remove.
            seed: what the station main plays.
            device: what renders; the best there is without it.
            log_path: where what the daemon says goes, if not into ``folder``.
        """
        self.port = free_port()
        self.state_dir = folder / "state"
        self.config_path = folder / "config.toml"
        self.log_path = log_path or folder / "log"
        self.number = 0
        self.ended_by_itself = 0
        self._settings = f"seed = {seed}\n"
        self._device = device
        self._process: trio.Process | None = None
        self._wanted = 0  # the number of the process that is meant to run

    @property
    def pid(self) -> int:
        """The process that runs, or ran last."""
        return self._running().pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def command(self, *, port: int | None = None) -> list[str]:
        """What starts a daemon on this state, at ``port`` instead of its own."""
        options = ["--port", str(self.port if port is None else port), "--config", str(self.config_path)]
        options += ["--state-dir", str(self.state_dir)]
        if self._device is not None:
            options += ["--device", self._device]
        return [sys.executable, "-m", "auralisd", "run", *options]

    def configure(self, more: str = "") -> None:
        """Write the configuration, with ``more`` lines in it."""
        self.config_path.write_text(self._settings + more, encoding="utf-8")

    async def start(self) -> None:
        """Start the next process. It has a session of its own: Ctrl-C at the terminal is not for it."""
        self.configure()
        with self.log_path.open("ab") as log:
            self._process = await trio.lowlevel.open_process(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=own_environment(os.environ),
                start_new_session=True,
            )
        self.number += 1
        self._wanted = self.number

    def send(self, number: int) -> None:
        """Send a signal."""
        self._running().send_signal(signal.Signals(number))

    async def kill(self) -> None:
        """End it without a word to anybody, and wait until it is gone."""
        self._wanted = 0
        self._running().kill()
        await self._running().wait()

    async def wait(self) -> bool:
        """Wait until the process that runs now has ended; whether it did so by itself."""
        number = self.number
        await self._running().wait()
        if self._wanted != number:
            return False
        self.ended_by_itself += 1
        return True

    async def end(self) -> None:
        """Say goodbye, and end it if that takes too long. Returns when there is no process any more."""
        process, self._wanted = self._process, 0
        if process is None or process.poll() is not None:
            return
        with trio.CancelScope(shield=True):
            if hasattr(signal, "SIGCONT"):
                process.send_signal(signal.SIGCONT)  # a process that stands still hears no goodbye
            process.terminate()
            with trio.move_on_after(GOODBYE_SECONDS):
                await process.wait()
            if process.poll() is None:
                process.kill()
            await process.wait()

    def last_words(self) -> str:
        """The last line of its log."""
        try:
            with self.log_path.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - _STATEMENT_BYTES))
                lines = log.read().decode(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""

    def log_bytes(self) -> int:
        """How long the log is."""
        return self.log_path.stat().st_size

    def said_since(self, offset: int) -> str:
        """What was logged after the first ``offset`` bytes."""
        with self.log_path.open("rb") as log:
            log.seek(offset)
            return log.read().decode(errors="replace")

    def resident_bytes(self) -> int | None:
        """Its memory, as the kernel says; None where there is no /proc."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        except (OSError, ValueError, IndexError):
            return None
        return pages * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self) -> int | None:
        """What it holds open; None where there is no /proc."""
        try:
            return sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())
        except OSError:
            return None

    def _running(self) -> trio.Process:
        if self._process is None:
            raise SoakError("the daemon was not started")
        return self._process


@asynccontextmanager
async def running(child: Child) -> AsyncIterator[None]:
    """Start the child, and end whichever process it has become, come what may."""
    try:
        await child.start()
        yield
    finally:
        await child.end()


def free_port() -> int:
    """A port of loopback that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def own_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables without what would make another daemon of it: settings, a service manager's sockets."""
    return {
        name: value
        for name, value in environ.items()
        if name in _KEPT_VARIABLES or not (name.startswith(_FOREIGN_PREFIXES) or name in _FOREIGN_VARIABLES)
    }
