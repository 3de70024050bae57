"""Stations that come and go beside one that stays: what each leaves behind in memory.

``python -m tests.benchmarks.station_churn [STATIONS]``: 12 by default, one after the other, each heard for 4 s.
"""

from __future__ import annotations

import sys
import threading
import time
import urllib.request

from tests.live.listeners import connect, read
from tests.live.running_daemon import RunningDaemon, running_daemon

HEARD_SECONDS = 4.0
SETTLING_SECONDS = 5.0


def hear(port: int, form: str, until: threading.Event, seconds: float) -> None:
    """Listen until told to stop, or for so long."""
    with connect(port, form) as listener:
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at and not until.is_set() and not listener.closed:
            read(listener, time.monotonic())
            time.sleep(0.01)


def come_and_go(daemon: RunningDaemon, name: str) -> None:
    """Make a station, listen to it, remove it."""
    daemon.send_json("POST", "/api/v1/stations", {"title": name, "id": name, "preset": "Focus"})
    hear(daemon.port, f"wav@{name}", threading.Event(), HEARD_SECONDS)
    request = urllib.request.Request(f"{daemon.url}/api/v1/stations/{name}", method="DELETE")
    with urllib.request.urlopen(request, timeout=10):
        time.sleep(SETTLING_SECONDS)


def main() -> None:
    """Run, and print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    with running_daemon() as daemon:
        daemon.wait_rendering()
        over = threading.Event()
        stays = threading.Thread(target=hear, args=(daemon.port, "wav", over, 3600.0))
        stays.start()
        try:
            time.sleep(6)
            sizes = [daemon.resident_bytes() / 1e6]
            for number in range(1, count + 1):
                come_and_go(daemon, f"passing-{number}")
                sizes.append(daemon.resident_bytes() / 1e6)
        finally:
            over.set()
            stays.join()
    print("resident MB before and after each:", *(f"{size:.0f}" for size in sizes))
    print(f"{(sizes[-1] - sizes[0]) / count:+.1f} MB a station that has come and gone")


if __name__ == "__main__":
    main()
