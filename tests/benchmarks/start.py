"""From the start of the process to the page, the bed and live sound; and the cost of an idle daemon."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from tests.live.listeners import connect, read
from tests.live.running_daemon import RunningDaemon, running_daemon

RUNS = 3
IDLE_SECONDS = 30.0


def torch_import_seconds() -> float:
    """How long ``import torch`` takes alone, in a process of its own."""
    code = "import time; t = time.monotonic(); import torch; print(time.monotonic() - t)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def first_packets(daemon: RunningDaemon) -> dict[str, float]:
    """Seconds from the start of the process to the page, the first packet, and the first live packet."""
    page = daemon.wait_for(lambda: _page_answers(daemon))
    listener = connect(daemon.port, "auralis.v1.pcm16")
    bed = live = None
    while live is None and time.monotonic() - daemon.started_at < 90:
        read(listener, time.monotonic())
        if listener.packets and bed is None:
            bed = time.monotonic() - daemon.started_at
        if listener.packets > listener.bed_packets:
            live = time.monotonic() - daemon.started_at
        time.sleep(0.005)
    listener.connection.close()
    if bed is None or live is None:
        raise RuntimeError(f"no sound: {daemon.log_path.read_text()[-2000:]}")
    return {"page": page, "first packet (bed)": bed, "live sound": live}


def _page_answers(daemon: RunningDaemon) -> bool:
    import urllib.request

    with urllib.request.urlopen(daemon.url + "/", timeout=2) as answer:
        return answer.status == 200


def idle_share(daemon: RunningDaemon) -> float:
    """Share of a core that a daemon costs to which nobody listens."""
    time.sleep(25)  # the listener of before is forgotten after 20 s
    before, began = daemon.cpu_seconds(), time.monotonic()
    time.sleep(IDLE_SECONDS)
    return (daemon.cpu_seconds() - before) / (time.monotonic() - began)


def main() -> None:
    """Print the medians."""
    imports = [torch_import_seconds() for _ in range(RUNS)]
    runs = []
    for number in range(RUNS):
        with running_daemon() as daemon:
            runs.append(first_packets(daemon))
            if number == RUNS - 1:
                idle = idle_share(daemon)
                stopped = daemon.stop()
    print(f"import torch alone: {statistics.median(imports):.2f} s (in the daemon it runs beside the bed)")
    for name in runs[0]:
        print(f"process start to {name}: median {statistics.median(run[name] for run in runs):.2f} s")
    print(f"idle daemon: {idle:.2%} of a core over {IDLE_SECONDS:.0f} s")
    print(f"SIGTERM to exit, idle: {stopped:.2f} s")


if __name__ == "__main__":
    main()
