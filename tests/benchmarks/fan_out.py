"""What listeners cost: lateness, CPU, and the time to a first byte, on a real daemon over loopback."""

from __future__ import annotations

import statistics
import time

from tests.live.listeners import finished, start_listeners
from tests.live.running_daemon import RunningDaemon, percentile, running_daemon


def lateness(daemon: RunningDaemon) -> None:
    """50 Opus listeners while the station renders."""
    report = finished(start_listeners(daemon.port, 25, {"auralis.v1.opus": 50}))
    late = report["lateness_seconds"]
    print(
        f"packet lateness, 50 listeners while rendering: p50 {1000 * percentile(late, 0.5):.1f} ms, "
        f"p99 {1000 * percentile(late, 0.99):.1f} ms, longest {1000 * max(late):.1f} ms ({len(late)} packets)"
    )


def first_byte(daemon: RunningDaemon) -> None:
    """One listener after another; the station sounds already."""
    keep_awake = start_listeners(daemon.port, 40, {"opus": 1, "mp3": 1, "aac": 1, "flac": 1})
    time.sleep(4)
    for form in ("auralis.v1.opus", "auralis.v1.pcm16", "opus", "mp3", "aac", "flac", "wav"):
        seconds = [
            finished(start_listeners(daemon.port, 0.5, {form: 1}))["listeners"][0]["first_byte_seconds"]
            for _ in range(5)
        ]
        print(f"first audio byte after connecting, {form}: median {1000 * statistics.median(seconds):.1f} ms")
    finished(keep_awake)


def cpu_per_listener(daemon: RunningDaemon) -> None:
    """500 listeners at 128 kbit/s against one."""
    shares = {}
    for count in (1, 500):
        process = start_listeners(daemon.port, 24, {"opus": count})
        time.sleep(10)
        before, began = daemon.cpu_seconds(), time.monotonic()
        time.sleep(10)
        shares[count] = (daemon.cpu_seconds() - before) / (time.monotonic() - began)
        report = finished(process)
        worst = max(one["longest_gap_seconds"] for one in report["listeners"])
        lost = sum(one["closed"] for one in report["listeners"])
        print(f"{count} listeners: {shares[count]:.1%} of a core, longest gap {1000 * worst:.0f} ms, {lost} lost")
    print(f"500 listeners at 128 kbit/s cost {shares[500] - shares[1]:.1%} of a core")


def main() -> None:
    """Print everything."""
    with running_daemon() as daemon:
        daemon.wait_rendering()
        lateness(daemon)
        first_byte(daemon)
        cpu_per_listener(daemon)


if __name__ == "__main__":
    main()
