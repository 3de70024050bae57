"""What an export costs listeners: the lateness of packets without one and with one after the other being rendered.

``python -m tests.benchmarks.export [SECONDS]``: so long each way (60), 25 listeners all the while.
"""

from __future__ import annotations

import sys
import time

from tests.live.listeners import finished, start_listeners
from tests.live.running_daemon import RunningDaemon, percentile, running_daemon

LISTENERS = {"auralis.v1.opus": 20, "auralis.v1.pcm16": 5}
EXPORTED_SECONDS = 30.0


def lateness_ms(daemon: RunningDaemon, seconds: float, *, exporting: bool) -> tuple[list[float], int]:
    """Lateness of each packet for each listener over ``seconds``, and how many exports were finished meanwhile."""
    listeners = start_listeners(daemon.port, seconds, LISTENERS)
    ends_at, made = time.monotonic() + seconds, 0
    while exporting and time.monotonic() < ends_at:
        wanted = {"seconds": EXPORTED_SECONDS, "format": "flac"}
        export = daemon.send_json("POST", "/api/v1/stations/main/exports", wanted)
        while export["state"] in ("waiting", "rendering") and time.monotonic() < ends_at:
            time.sleep(0.5)
            export = daemon.get_json(f"/api/v1/exports/{export['id']}")
        if export["state"] == "failed":
            raise SystemExit(export["why"])
        made += export["state"] == "done"
    return [1000 * late for late in finished(listeners)["lateness_seconds"]], made


def main() -> None:
    """Print both and their difference."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with running_daemon() as daemon:
        daemon.wait_rendering()
        lateness_ms(daemon, EXPORTED_SECONDS + 10.0, exporting=False)  # there has to be something to export
        quiet, _ = lateness_ms(daemon, seconds, exporting=False)
        busy, made = lateness_ms(daemon, seconds, exporting=True)
    for name, values in (("alone", quiet), (f"{made} exports", busy)):
        print(f"{name:<12} p50 {percentile(values, 0.5):6.2f} ms   p99 {percentile(values, 0.99):6.2f} ms")
    print(f"p99 moved by {percentile(busy, 0.99) - percentile(quiet, 0.99):+.2f} ms")


if __name__ == "__main__":
    main()
