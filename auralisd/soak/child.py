"""The daemon under judgement: a real process on a free loopback port, with a state folder of its own."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Protocol

import trio

from auralisd.errors import SoakError

GOODBYE_SECONDS: Final = 6.0
"""A stop takes less than three."""

_HANDED_OVER: Final = re.compile(r"handed over.*?process=(\d+)")
_STATEMENT_BYTES: Final = 4096
_KEPT_VARIABLES: Final = frozenset({"AURALISD_COMPILED_KERNEL", "AURALISD_DEVICE"})
_FOREIGN_PREFIXES: Final = ("AURALISD_", "LISTEN_")
_FOREIGN_VARIABLES: Final = frozenset({"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "STATE_DIRECTORY"})


class Process(Protocol):
    """What we do with a process: ours, or one that another of ours has started."""

    @property
    def pid(self) -> int:
        """Its number."""
        ...

    def poll(self) -> int | None:
        """None while it runs."""
        ...

    async def wait(self) -> int:
        """Wait until it has ended."""
        ...

    def send_signal(self, sig: signal.Signals) -> None:
        """Send a signal, if it is still there."""
        ...


class Adopted:
    """A process that is not our child, held by a descriptor: its number cannot come to mean another one.

    How it ended is its parent's to know; ``poll`` and ``wait`` say 0.
    """

    def __init__(self, pid: int) -> None:
        """Hold it; raises ProcessLookupError where there is none."""
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """None while it runs."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return 0 if poll.poll(0) else None

    async def wait(self) -> int:
        """Wait until it has ended."""
        await trio.lowlevel.wait_readable(self._descriptor)
        return 0

    def send_signal(self, sig: signal.Signals) -> None:
        """Send a signal, if it is still there."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, sig)

    def let_go(self) -> None:
        """Hold it no longer."""
        os.close(self._descriptor)


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
        self._process: Process | None = None
        self._wanted = 0  # the number of the process that is meant to run
        self._heir_told_from: int | None = None  # bytes of the log before the last SIGUSR2

    @property
    def pid(self) -> int:
        """The process that runs, or ran last."""
        return self._running().pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def is_missed(self) -> bool:
        """Whether it should run, and does not: nobody has ended it."""
        return self._wanted == self.number > 0 and not self.is_alive

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

    def expect_heir(self) -> None:
        """The process that runs will end because another goes on, and that is as it should be."""
        self._wanted = 0
        self._heir_told_from = self.log_bytes()

    def keep(self) -> None:
        """The process that runs goes on after all."""
        self._wanted = self.number

    async def adopt(self, pid: int) -> None:
        """Another process goes on, on the same port and state; returns when the one before it has ended."""
        before, self._process = self._running(), Adopted(pid)
        self.number += 1
        self._wanted = self.number
        await before.wait()

    def send(self, number: int) -> None:
        """Send a signal."""
        self._running().send_signal(signal.Signals(number))

    async def kill(self) -> None:
        """End it without a word to anybody, and wait until it is gone."""
        self._wanted = 0
        self._running().send_signal(signal.SIGKILL)
        await self._running().wait()

    async def replace(self) -> None:
        """Start another one in the place of one that ended by itself."""
        self.ended_by_itself += 1
        await self.start()

    async def end(self) -> None:
        """Say goodbye, and end it if that takes too long. Returns when there is no process any more."""
        process, self._wanted = self._process, 0
        if process is not None:
            await _ended(process)
        if (heir := self._heir()) is not None:
            await _ended(heir)

    def _heir(self) -> Adopted | None:
        """A process that went on without our having adopted it yet, if there is one and it runs."""
        if self._heir_told_from is None:
            return None
        number = successor(self.said_since(self._heir_told_from))
        if number is None or number == self.pid:
            return None
        try:
            heir = Adopted(number)
            is_ours = str(self.state_dir).encode() in Path(f"/proc/{number}/cmdline").read_bytes()
        except OSError:
            return None
        return heir if is_ours else None

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

    def _running(self) -> Process:
        if self._process is None:
            raise SoakError("the daemon was not started")
        return self._process


async def _ended(process: Process) -> None:
    """Say goodbye to it, and end it if that takes too long."""
    if process.poll() is None:
        with trio.CancelScope(shield=True):
            if hasattr(signal, "SIGCONT"):
                process.send_signal(signal.SIGCONT)  # a process that stands still hears no goodbye
            process.send_signal(signal.SIGTERM)
            with trio.move_on_after(GOODBYE_SECONDS):
                await process.wait()
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            await process.wait()
    if isinstance(process, Adopted):
        process.let_go()


def successor(said: str) -> int | None:
    """The process that went on last, as the log tells it; None where none did."""
    told = _HANDED_OVER.findall(said)
    return int(told[-1]) if told else None


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
