"""A long run with ten listeners of mixed kinds: underruns, gaps in sequence, memory.

``python -m tests.benchmarks.long_run [MINUTES]``; 30 by default, 10 shows the growth of memory.
"""

from __future__ import annotations

import importlib.metadata
import platform
import sys
import time

from tests.live.listeners import finished, start_listeners
from tests.live.running_daemon import RunningDaemon, percentile, running_daemon

WANTED = {
    "auralis.v1.opus": 3,
    "auralis.v1.pcm16": 2,
    "auralis.v0.json": 1,
    "opus": 1,
    "mp3": 1,
    "aac": 1,
    "wav": 1,
}
SETTLING_SECONDS = 60.0
CHANGES = ({"key": "D"}, {"mode": "dorian"}, {"intensity": 0.8}, {"space": 0.9}, {"tempo_bpm": 72}, {"key": "A"})


def watch(daemon: RunningDaemon, seconds: float) -> list[tuple[float, int]]:
    """Resident memory every ten seconds while the listeners listen; a control is turned each minute."""
    began, samples, turned = time.monotonic(), [], 0
    while (elapsed := time.monotonic() - began) < seconds:
        samples.append((elapsed, daemon.resident_bytes()))
        if elapsed // 60 > turned:
            daemon.send_json("PATCH", "/api/v1/stations/main/controls", CHANGES[turned % len(CHANGES)])
            turned += 1
        time.sleep(10)
    return samples


def slope_mb_per_hour(samples: list[tuple[float, int]]) -> float:
    """Least-squares slope of resident memory after the first minute."""
    settled = [(t / 3600, size / 1e6) for t, size in samples if t >= SETTLING_SECONDS]
    if len(settled) < 2:
        return 0.0
    mean_t = sum(t for t, _ in settled) / len(settled)
    mean_size = sum(size for _, size in settled) / len(settled)
    spread = sum((t - mean_t) ** 2 for t, _ in settled)
    return sum((t - mean_t) * (size - mean_size) for t, size in settled) / spread


def main() -> None:
    """Run, and print the figures."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    seconds = minutes * 60
    with running_daemon() as daemon:
        daemon.wait_rendering()
        process = start_listeners(daemon.port, seconds + 5, WANTED)
        time.sleep(5)
        cpu_before = daemon.cpu_seconds()
        samples = watch(daemon, seconds - 5)
        cpu_share = (daemon.cpu_seconds() - cpu_before) / (seconds - 5)
        performance = daemon.get_json("/api/metrics")
        report = finished(process)
        warnings = [line for line in daemon.log_path.read_text().splitlines() if "warn" in line or "error" in line]
    versions = {name: importlib.metadata.version(name) for name in ("auralisd", "torch", "trio", "av", "hypercorn")}
    late = report["lateness_seconds"]
    print(f"{minutes:g} minutes, {sum(WANTED.values())} listeners, Python {platform.python_version()}, {versions}")
    for one in report["listeners"]:
        print(
            f"  {one['form']:<17} {one['received_bytes'] / 1e6:7.1f} MB, {one['jumps']} jumps in sequence, "
            f"{one['bed_packets']} bed packets, longest gap {1000 * one['longest_gap_seconds']:.0f} ms"
            f"{', CLOSED' if one['closed'] else ''}"
        )
    print(f"packet lateness p50 {1000 * percentile(late, 0.5):.1f} ms, p99 {1000 * percentile(late, 0.99):.1f} ms")
    print(
        f"CPU {cpu_share:.1%} of a core; resident {samples[-1][1] / 1e6:.0f} MB, {slope_mb_per_hour(samples):+.1f} MB/h"
    )
    print(f"metrics {performance}")
    print(f"warnings in the log: {len(warnings)}", *warnings[:20], sep="\n  ")


if __name__ == "__main__":
    main()
