"""A real daemon in a process of its own, and what the kernel says of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PASSING = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="auralisd.socket")
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""
"""What a service manager does between fork and exec."""

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class RunningDaemon:
    """The daemon under measurement."""

    process: subprocess.Popen[bytes]
    port: int
    started_at: float
    log_path: Path

    @property
    def url(self) -> str:
        """Where its page is."""
        return f"http://127.0.0.1:{self.port}"

    def get_json(self, path: str) -> dict:
        """The JSON at ``path``."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def send_json(self, method: str, path: str, body: dict) -> dict:
        """The answer to a change."""
        request = urllib.request.Request(
            self.url + path, method=method, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def cpu_seconds(self) -> float:
        """User and system time of the process so far."""
        return cpu_seconds(self.process.pid)

    def resident_bytes(self) -> int:
        """Resident memory now."""
        return resident_bytes(self.process.pid)

    def descriptors(self) -> int:
        """How many files and sockets it has open."""
        return sum(1 for _ in Path(f"/proc/{self.process.pid}/fd").iterdir())

    def wait_for(self, condition, timeout_seconds: float = 120.0) -> float:
        """Seconds since the start when ``condition()`` first holds.

        Raises:
            TimeoutError: it never did.
        """
        while time.monotonic() - self.started_at < timeout_seconds:
            if self.process.poll() is not None:
                raise RuntimeError(f"the daemon ended: {self.log_path.read_text()[-2000:]}")
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                if condition():
                    return time.monotonic() - self.started_at
            time.sleep(0.01)
        raise TimeoutError(self.log_path.read_text()[-2000:])

    def wait_rendering(self) -> float:
        """Seconds since the start when torch is imported and a device chosen."""
        return self.wait_for(lambda: self.get_json("/api/v1/status")["device"]["name"] != "none")

    def stop(self) -> float:
        """Seconds from SIGTERM to the end of the process."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)
        return time.monotonic() - began


def cpu_seconds(process_id: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def resident_bytes(process_id: int) -> int:
    """Resident memory of a process now."""
    pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def free_port() -> int:
    """A port that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running_daemon(
    *options: str,
    port: int | None = None,
    state_dir: Path | None = None,
    program: Sequence[str] = ("-m", "auralisd"),
    passed: socket.socket | None = None,
) -> Iterator[RunningDaemon]:
    """Start ``auralisd run`` on loopback with a fresh state, and end it afterwards.

    ``program`` is what Python runs: for tests that break something inside the process first. ``passed`` is a
    listening socket that the daemon finds at descriptor 3, as from systemd; the caller keeps his own.
    """
    with tempfile.TemporaryDirectory(prefix="auralisd-bench-") as folder:
        log_path = Path(folder) / "log"
        chosen = port or free_port()
        if passed is not None:
            program = ("-c", PASSING, str(passed.fileno()), *program)
        command = [sys.executable, *program, "run", "--port", str(chosen)]
        command += ["--state-dir", str(state_dir or Path(folder) / "state"), *options]
        with log_path.open("wb") as log:
            started_at = time.monotonic()
            kept = () if passed is None else (passed.fileno(),)
            process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, pass_fds=kept)
        daemon = RunningDaemon(process=process, port=chosen, started_at=started_at, log_path=log_path)
        try:
            yield daemon
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of ``values`` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]
