"""What it costs to send a station elsewhere: ``python -m tests.benchmarks.sending``; it needs icecast2.

CPU of a whole daemon with one pinned station and nobody who listens, and how soon an Icecast server
that was killed has its source back after it is started again.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.live.icecast import PASSWORD, IcecastServer, icecast
from tests.live.running_daemon import RunningDaemon, running_daemon

MEASURED_SECONDS = 25
OUTAGES_SECONDS = (0.0, 3.0, 10.0)
CASES = (("pinned, sent nowhere", 0, False), ("1 Icecast mount", 1, False), ("8 Icecast mounts", 8, False))


def configured(folder: Path, server: IcecastServer, *, targets: int, hls: bool) -> str:
    """A configuration file with as many mounts of ``server`` in MP3."""
    lines = ["seed = 7", *(['hls = ["main"]'] if hls else []), "[[stations]]", 'id = "main"', "pinned = true"]
    for number in range(targets):
        lines += ["[[push]]", f'url = "{server.url}"', f'mount = "/{number}.mp3"', f'password = "{PASSWORD}"']
    file = folder / "config.toml"
    file.write_text("\n".join(lines))
    return str(file)


def cpu_share(daemon: RunningDaemon) -> float:
    """CPU seconds of the daemon a second, once it has settled."""
    daemon.wait_rendering()
    time.sleep(10)
    cpu, began = daemon.cpu_seconds(), time.monotonic()
    time.sleep(MEASURED_SECONDS)
    return (daemon.cpu_seconds() - cpu) / (time.monotonic() - began)


def back_after(daemon: RunningDaemon, server: IcecastServer, outage_seconds: float) -> float:
    """Seconds from the answer of a server that was started again to its source."""
    server.kill()
    time.sleep(outage_seconds)
    server.start()
    began = time.monotonic()
    daemon.wait_for(lambda: bool(server.sources()))
    return time.monotonic() - began


def main() -> None:
    """Print one line per case, then one per outage."""
    with tempfile.TemporaryDirectory() as name, icecast(Path(name) / "icecast") as server:
        for label, targets, hls in (*CASES, ("HLS in AAC and Opus", 0, True)):
            with running_daemon("--config", configured(Path(name), server, targets=targets, hls=hls)) as daemon:
                print(f"{label:24}{100 * cpu_share(daemon):6.1f} % of a core", flush=True)
        with running_daemon("--config", configured(Path(name), server, targets=1, hls=False)) as daemon:
            daemon.wait_for(lambda: bool(server.sources()))
            for outage_seconds in OUTAGES_SECONDS:
                time.sleep(2)
                print(f"back {back_after(daemon, server, outage_seconds):4.1f} s after {outage_seconds:g} s away")


if __name__ == "__main__":
    main()
