"""Telling systemd how we are: readiness, status and the watchdog (sd_notify(3))."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

import structlog

log = structlog.get_logger()


class Notifier:
    """Sends datagrams to ``NOTIFY_SOCKET``; does nothing where there is none."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        """Read the addresses systemd set for this process."""
        env = os.environ if environ is None else environ
        self._address = _socket_address(env.get("NOTIFY_SOCKET", ""))
        self.watchdog_seconds = _watchdog_seconds(env)

    def ready(self) -> None:
        """The service answers."""
        self._send("READY=1")

    def reloading(self, monotonic_usec: int) -> None:
        """A reload has begun; ``ready`` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={monotonic_usec}")

    def stopping(self) -> None:
        """The service says goodbye."""
        self._send("STOPPING=1")

    def main_process(self, pid: int) -> None:
        """From now on ``pid`` is the service."""
        self._send(f"MAINPID={pid}")

    def status(self, sentence: str) -> None:
        """One line for ``systemctl status``."""
        self._send(f"STATUS={sentence}")

    def alive(self) -> None:
        """The music goes on."""
        self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | getattr(socket, "SOCK_CLOEXEC", 0)) as sender:
                sender.setblocking(False)
                sender.sendto(message.encode(), self._address)
        except OSError as error:
            # The watchdog will judge a service that cannot report; the music does not depend on it.
            log.warning("systemd could not be told", message=message.partition("\n")[0], error=str(error))


def _socket_address(path: str) -> str | None:
    if not path or not hasattr(socket, "AF_UNIX"):
        return None
    return "\0" + path[1:] if path.startswith("@") else path


def _watchdog_seconds(env: Mapping[str, str]) -> float | None:
    try:
        interval_usec = int(env.get("WATCHDOG_USEC", ""))
    except ValueError:
        return None
    meant_for = env.get("WATCHDOG_PID")
    if interval_usec <= 0 or (meant_for is not None and meant_for != str(os.getpid())):
        return None
    return interval_usec / 1e6
