"""Many stations of different presets at once, each with its listeners: who hears a gap, and what it costs.

``python -m tests.benchmarks.stations [STATIONS [MINUTES]]``: 12 stations for 10 minutes by default, 25 listeners each,
20 of them Opus and 5 MP3. Listeners are real connections of another process on the same machine. The kernel is compiled
first where it is not there yet, as on any day but a machine's first; ``AURALISD_COMPILED_KERNEL=false`` leaves it out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from auralisd.composition.presets import CHARACTERS
from auralisd.kernel.machine_code import can_compile, object_file
from auralisd.settings.files import kernel_dir
from tests.live.listeners import finished, start_listeners
from tests.live.running_daemon import percentile, running_daemon

LISTENERS = {"opus": 20, "mp3": 5}
SETTLING_SECONDS = 30.0
"""Instruments are built and their tables drawn before anything is counted, as at the start of a day."""

BETWEEN_CHANGES_SECONDS = 0.15  # ten changes a second are allowed


def compile_kernel() -> None:
    """Leave the kernel where the daemon looks for it."""
    directory = kernel_dir(os.environ)
    if directory is not None and can_compile() and not object_file(directory).exists():
        subprocess.run([sys.executable, "-m", "auralisd.kernel", str(directory)], check=True)


def main() -> None:
    """Run, and print the figures."""
    compile_kernel()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    minutes = float(sys.argv[2]) if len(sys.argv) > 2 else 10.0
    presets = list(CHARACTERS)
    with running_daemon() as daemon:
        daemon.wait_rendering()
        alone_bytes = daemon.resident_bytes()
        names = [f"room-{index}" for index in range(count)]
        for index, name in enumerate(names):
            preset = presets[index % len(presets)]
            body = {"id": name, "title": name, "seed": index + 1, "preset": preset, "pinned": True}
            daemon.send_json("POST", "/api/v1/stations", body)
            time.sleep(BETWEEN_CHANGES_SECONDS)
        time.sleep(SETTLING_SECONDS)
        before, cpu_before, began = daemon.get_json("/api/metrics"), daemon.cpu_seconds(), time.monotonic()
        wanted = {f"{form}@{name}": each for name in names for form, each in LISTENERS.items()}
        heard = finished(start_listeners(daemon.port, 60 * minutes, wanted))["listeners"]
        elapsed = time.monotonic() - began
        after = daemon.get_json("/api/metrics")
        cpu_percent = 100 * (daemon.cpu_seconds() - cpu_before) / elapsed
        grown_mb = (daemon.resident_bytes() - alone_bytes) / 1e6
        gaps = [one["longest_gap_seconds"] for one in heard]
        print(f"{count} stations, {len(heard)} listeners, {elapsed / 60:.1f} minutes")
        print(f"underruns            {after['auralisd_underruns'] - before['auralisd_underruns']:.0f}")
        print(f"seconds of bed       {after['auralisd_bed_seconds'] - before['auralisd_bed_seconds']:.1f}")
        print(f"quality steps shed   {after['auralisd_quality_steps_shed']:.0f} at the end")
        print(f"listeners lost       {sum(one['closed'] for one in heard)}")
        print(f"longest gap          {percentile(gaps, 0.5):.2f} s at the median, {max(gaps):.2f} s at the most")
        print(f"processor            {cpu_percent:.0f} % of a core, {cpu_percent / count:.1f} % a station")
        print(
            f"memory               {grown_mb / count:.1f} MB a station beside the daemon's {alone_bytes / 1e6:.0f} MB"
        )
        lag = after["auralisd_loop_lag_seconds"]
        print(f"loop lag             p99 {1000 * lag['p99']:.0f} ms")


if __name__ == "__main__":
    main()
