"""A daemon that is allowed 60, 40 and 20 % of one core: what its listeners hear, and how soon it has recovered.

``python -m tests.benchmarks.quota [SECONDS]``: so long at each quota (60), five listeners of mixed kinds all the while.
Needs root and a writable ``cpu`` control group, version 1 or 2; the daemon alone is put into it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.live.listeners import finished, start_listeners
from tests.live.running_daemon import RunningDaemon, running_daemon

PERIOD_MICROSECONDS = 100_000
WANTED = {"auralis.v1.opus": 2, "auralis.v1.pcm16": 1, "mp3": 1, "opus": 1}
QUOTAS_PERCENT = (60, 40, 20)
LONGEST_RECOVERY_SECONDS = 60.0


class ControlGroup:
    """One group with a CPU quota."""

    def __init__(self, folder: Path, version: int) -> None:
        """Under ``folder``, made by ``control_group``."""
        self._folder, self._version = folder, version

    def hold(self, process_id: int) -> None:
        """Put the process into it, with all its threads."""
        (self._folder / "cgroup.procs").write_text(str(process_id))

    def allow(self, percent: int | None) -> None:
        """So much of one core; None for all there is."""
        quota = None if percent is None else percent * PERIOD_MICROSECONDS // 100
        if self._version == 1:
            (self._folder / "cpu.cfs_quota_us").write_text(str(quota or -1))
        else:
            (self._folder / "cpu.max").write_text(f"{quota or 'max'} {PERIOD_MICROSECONDS}")


@contextlib.contextmanager
def control_group() -> Iterator[ControlGroup]:
    """A group of our own, gone afterwards.

    Raises:
        SystemExit: none may be made here.
    """
    first, second = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
    version = 1 if (first / "cpu.cfs_quota_us").exists() or (first / "tasks").exists() else 2
    parent = first if version == 1 else second
    folder = parent / f"auralisd-quota-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        raise SystemExit(f"no control group may be made under {parent}: {error}") from error
    try:
        yield ControlGroup(folder, version)
    finally:
        for process_id in (folder / "cgroup.procs").read_text().split():
            with contextlib.suppress(OSError):
                (parent / "cgroup.procs").write_text(process_id)
        folder.rmdir()


def watch(daemon: RunningDaemon, seconds: float) -> dict[str, float]:
    """What the daemon says of ``seconds`` from now on."""
    before = figures(daemon)
    cpu_before, began = daemon.cpu_seconds(), time.monotonic()
    worst_steps = 0.0
    while time.monotonic() - began < seconds:
        time.sleep(1.0)
        worst_steps = max(worst_steps, figures(daemon)["steps"])
    after, elapsed = figures(daemon), time.monotonic() - began
    return {
        "underruns": after["underruns"] - before["underruns"],
        "bed_seconds": after["bed_seconds"] - before["bed_seconds"],
        "steps": worst_steps,
        "reserve": after["reserve"],
        "cpu_percent": 100 * (daemon.cpu_seconds() - cpu_before) / elapsed,
    }


def figures(daemon: RunningDaemon) -> dict[str, float]:
    """The counters at this moment."""
    metrics = daemon.get_json("/api/metrics")
    return {
        "underruns": metrics["auralisd_underruns"],
        "steps": metrics["auralisd_quality_steps_shed"],
        "bed_seconds": metrics["auralisd_bed_seconds"],
        "reserve": metrics["auralisd_reserve_seconds"],
    }


def recovery_seconds(daemon: RunningDaemon) -> float:
    """From now until the live sound is there in full quality."""
    began = time.monotonic()
    while (waited := time.monotonic() - began) < LONGEST_RECOVERY_SECONDS:
        sounding = daemon.get_json("/api/v1/stations/main")["state"] == "sounding"
        if sounding and figures(daemon)["steps"] == 0:
            return waited
        time.sleep(0.2)
    return float("inf")


def main() -> None:
    """Print a line a quota."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with control_group() as group, running_daemon() as daemon:
        daemon.wait_rendering()
        daemon.send_json("PATCH", "/api/v1/stations/main", {"pinned": True})
        time.sleep(20)
        group.hold(daemon.process.pid)
        print("quota %   used %  underruns  bed s  steps shed  reserve s  longest gap s  lost  full again after s")
        for percent in QUOTAS_PERCENT:
            listeners = start_listeners(daemon.port, seconds, WANTED)
            group.allow(percent)
            seen = watch(daemon, seconds - 1.0)
            heard = finished(listeners)["listeners"]
            group.allow(None)
            again = recovery_seconds(daemon)
            gap = max(one["longest_gap_seconds"] for one in heard)
            lost = sum(one["jumps"] + one["closed"] for one in heard)
            print(
                f"{percent:7} {seen['cpu_percent']:8.1f} {seen['underruns']:10.0f} {seen['bed_seconds']:6.1f}"
                f" {seen['steps']:11.0f} {seen['reserve']:10.2f} {gap:14.2f} {lost:5} {again:20.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
