"""A real daemon in its own process, on a port of its own."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 90.0
STOP_SECONDS = 10.0
HAND_OVER_SECONDS = 180.0
HANDED_OVER = re.compile(r"handed over.*?process=(\d+)")


def free_port() -> int:
    """Return a TCP port of the loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class DaemonProcess:
    """``auralisd run`` with a state directory of its own, started and ended by pid."""

    def __init__(
        self,
        state_dir: Path,
        *,
        token: str | None = None,
        max_listeners: int = 50,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.state_dir = state_dir
        self.port = free_port()
        self.token = token
        self.max_listeners = max_listeners
        self.environment = dict(environment or {})
        self.log = state_dir / "daemon.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._successor: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; return once it says it is ready.

        Raises:
            RuntimeError: when it ended, or was not ready in time; with the end of its log.
        """
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **self.environment}
        environment["AURALISD_MAX_LISTENERS"] = str(self.max_listeners)
        if self.token is not None:
            environment["AURALISD_TOKEN"] = self.token
        command = [sys.executable, "-m", "auralisd", "run", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--state-dir", str(self.state_dir)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers("/healthz") or not self._answers("/readyz"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"auralisd did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.2)

    def stop(self) -> None:
        """Ask it to stop, and wait."""
        self._stop_successor()
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def hand_over(self) -> None:
        """Let a second process take its place; return when that one goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGUSR2)
        self._process.wait(HAND_OVER_SECONDS)
        self._process = None
        self._successor = int(HANDED_OVER.findall(self.log.read_text())[-1])

    def freeze(self) -> None:
        """Let it answer nothing, with its sockets open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a crash would: no farewell."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _stop_successor(self) -> None:
        if self._successor is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._successor, signal.SIGTERM)
            ends_at = time.monotonic() + STOP_SECONDS
            while time.monotonic() < ends_at:
                os.kill(self._successor, 0)  # raises once it has ended
                time.sleep(0.05)
            os.kill(self._successor, signal.SIGKILL)
        self._successor = None

    def get(self, path: str) -> dict[str, object]:
        """Return what a REST path answers."""
        with urllib.request.urlopen(self.url + path, timeout=10) as response:
            answer: dict[str, object] = json.load(response)
            return answer

    def change(self, method: str, path: str, body: dict[str, object]) -> dict[str, object]:
        """Send a change to a REST path and return the answer."""
        headers = {"Content-Type": "application/json"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as response:
            answer: dict[str, object] = json.load(response)
            return answer

    @contextmanager
    def open_stream(self) -> Iterator[None]:
        """Listen for the time of the block: one listener more."""
        with urllib.request.urlopen(self.url + "/stream.opus", timeout=60) as response:
            response.read(1)
            yield

    def _answers(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(self.url + path, timeout=2) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False
