"""What thousands of listeners cost beside Icecast and `websockets`, in turns on one machine, over loopback.

    apt-get install icecast2
    uv run python -m tests.benchmarks.listeners [SECTION ...]

The sections are ``cost`` ``sockets`` ``volley`` ``rush`` ``stalled`` ``lateness``, which run where none is named, and
the long ones ``many`` (5000 listeners for a minute) and ``churn`` (50,000 come and go in ten). CPU is the server
process's own (user and system); listeners are real connections of another process.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.stations import compile_kernel
from tests.live.crowd import allow_descriptors, crowd_of, told
from tests.live.icecast import feeding, icecast
from tests.live.running_daemon import RunningDaemon, cpu_seconds, free_port, percentile, resident_bytes, running_daemon

TURNS = 3
CROWD = 2_000
PCM_CROWD = 500  # 88 MB a second
FEW = 10
ARRIVALS_PER_SECOND = 250.0  # Icecast's queue of those who knock is short
SETTLE_SECONDS, COUNTED_SECONDS = 5.0, 10.0
MOUNT = "/mount.mp3"
WITHOUT_VOLLEY = """
import auralisd.daemon.supervisor as supervisor
supervisor.open_volley = lambda: None
from auralisd.cli import main
main()
"""
WEBSOCKETS_PEER = Path(__file__).parents[1] / "live" / "websockets_peer.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One that is measured.

    Attributes:
        name: for people.
        port: where it is.
        process_id: what it is.
        what: what a listener asks it for.
    """

    name: str
    port: int
    process_id: int
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a crowd took of a core.

    Attributes:
        cores: processor seconds a second.
        grown_bytes: how much the server's memory had grown by the end of it.
        delivered: share of the listeners that were served to the end.
        mbit_per_second: what all of them received.
        counted: the crowd's own figures.
    """

    cores: float
    grown_bytes: int
    delivered: float
    mbit_per_second: float
    counted: dict


@contextmanager
def our_daemon(*, program: Sequence[str] = ("-m", "auralisd")) -> Iterator[RunningDaemon]:
    """A daemon with room for everybody, whose station sounds."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        rooms = ["max_listeners = 6_000", "max_connections = 8_000"]
        config.write_text("\n".join([*rooms, "seed = 7", "[[stations]]", 'id = "main"', "pinned = true", ""]))
        with running_daemon("--config", str(config), program=program) as daemon:
            daemon.wait_rendering()
            yield daemon


@contextmanager
def an_icecast(clients: int) -> Iterator[Server]:
    """One with a source of 128 kbit/s."""
    with (
        tempfile.TemporaryDirectory() as folder,
        icecast(Path(folder) / "icecast", clients=clients) as server,
        feeding(server, MOUNT),
    ):
        assert server.process is not None
        yield Server(name="Icecast", port=server.port, process_id=server.process.pid, what=MOUNT)


@contextmanager
def a_websockets_server() -> Iterator[Server]:
    """The asyncio server of `websockets`, whose ``broadcast`` is made for this."""
    port = free_port()
    command = ["uv", "run", "--quiet", "--no-project", "--python", sys.executable, "--with", "websockets"]
    tell = "import os; print(os.getpid(), flush=True); import runpy; runpy.run_path({!r}, run_name='__main__')"
    code = f"import sys; sys.argv = ['peer', '{port}']; " + tell.format(str(WEBSOCKETS_PEER))
    process = subprocess.Popen([*command, "python", "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        process_id = int(process.stdout.readline())
        time.sleep(2)
        yield Server(name="websockets", port=port, process_id=process_id, what="auralis.v1.pcm16")
    finally:
        process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def share(server: Server, listeners: int) -> Share:
    """What ``listeners`` take, once they have their head start."""
    before = resident_bytes(server.process_id)
    wanted, pace = {server.what: listeners}, {"per_second": ARRIVALS_PER_SECOND, "settle": SETTLE_SECONDS}
    with crowd_of(server.port, COUNTED_SECONDS, wanted, **pace) as process:
        told(process, "began")
        cpu, began = cpu_seconds(server.process_id), time.monotonic()
        told(process, "ended")
        seconds = time.monotonic() - began
        cores = (cpu_seconds(server.process_id) - cpu) / seconds
        grown = resident_bytes(server.process_id) - before
        counted = told(process, "counted")
    return Share(
        cores=cores,
        grown_bytes=grown,
        delivered=(counted["served"] - counted["lost"]) / listeners,
        mbit_per_second=counted["received_bytes"] * 8 / 1e6 / seconds,
        counted=counted,
    )


def in_turns(ours: Server, theirs: Server, listeners: int) -> None:
    """Print what ``listeners`` cost each of them, less what few cost, in turns."""
    costs: dict[str, list[float]] = {ours.name: [], theirs.name: []}
    print(f"{listeners} listeners; of a core per 1000 who are served, less what {FEW} listeners take")
    for _ in range(TURNS):
        for server in (ours, theirs):
            few, all_of_them = share(server, FEW), share(server, listeners)
            cost = (all_of_them.cores - few.cores) * 1000 / (all_of_them.delivered * listeners - FEW)
            costs[server.name].append(cost)
            print(
                f"  {server.name:12} {cost:6.1%}   {FEW} listeners {few.cores:5.1%}, all {all_of_them.cores:6.1%}, "
                f"served {all_of_them.delivered:.1%}, {all_of_them.mbit_per_second:.0f} Mbit/s, "
                f"grown by {all_of_them.grown_bytes / listeners / 1000:.1f} kB each, "
                f"their own CPU {all_of_them.counted['cpu_seconds']:.1f} s",
                flush=True,
            )
    ours_median, theirs_median = (statistics.median(costs[server.name]) for server in (ours, theirs))
    ratios = [mine / other for mine, other in zip(costs[ours.name], costs[theirs.name], strict=True)]
    print(
        f"  medians {ours_median:.1%} and {theirs_median:.1%}: {ours_median / theirs_median:.2f} x {theirs.name} "
        f"({min(ratios):.2f} to {max(ratios):.2f} in single turns)",
        flush=True,
    )


def of(daemon: RunningDaemon, what: str) -> Server:
    """Ours, with listeners of ``what``."""
    return Server(name="ours", port=daemon.port, process_id=daemon.process.pid, what=what)


def cost() -> None:
    """128 kbit/s, ten writes a second, beside Icecast."""
    with our_daemon() as daemon, an_icecast(2 * CROWD) as theirs:
        in_turns(of(daemon, "opus"), theirs, CROWD)


def sockets() -> None:
    """PCM over WebSockets beside ``websockets.broadcast``."""
    with our_daemon() as daemon, a_websockets_server() as theirs:
        in_turns(of(daemon, "auralis.v1.pcm16"), theirs, PCM_CROWD)


def volley() -> None:
    """One call of the kernel for many sockets, beside one for each."""
    with our_daemon() as daemon, our_daemon(program=("-c", WITHOUT_VOLLEY)) as without:
        theirs = Server(name="one by one", port=without.port, process_id=without.process.pid, what="opus")
        in_turns(of(daemon, "opus"), theirs, CROWD)


def rush() -> None:
    """Everybody connects at once."""
    print(f"{CROWD} connect at once; seconds to the first byte of sound")
    with our_daemon() as daemon, an_icecast(2 * CROWD) as theirs:
        for _ in range(TURNS):
            for server in (of(daemon, "opus"), of(daemon, "auralis.v1.opus"), theirs):
                cpu = cpu_seconds(server.process_id)
                with crowd_of(server.port, 0.0, {server.what: CROWD}) as process:
                    came = told(process, "in")
                    cpu = cpu_seconds(server.process_id) - cpu
                first = came["first_byte_seconds"]
                print(
                    f"  {server.name:8} {server.what:16} {came['served']} served, p50 {percentile(first, 0.5):.2f}, "
                    f"p99 {percentile(first, 0.99):.2f}, worst {max(first):.2f}, "
                    f"its CPU {cpu:.2f} s {came['why_lost'] or ''}",
                    flush=True,
                )
                time.sleep(3)


def stalled() -> None:
    """A fifth of 500 reads nothing: what the others notice."""
    print("500 listeners, 100 of whom read nothing, and the 400 others without them; worst gap of the others in ms")
    added = []
    with our_daemon() as daemon:
        for _ in range(TURNS):
            worst = {}
            for silent in (0, 100):
                pace = {"per_second": 200.0, "settle": 6.0, "stalled": silent}
                with crowd_of(daemon.port, 15.0, {"opus": 400 + silent}, **pace) as process:
                    counted = told(process, "counted")
                worst[silent] = 1000 * max(counted["gaps_seconds"])
                print(
                    f"  {silent:3} stalled: {worst[silent]:.0f}, p50 "
                    f"{1000 * percentile(counted['gaps_seconds'], 0.5):.0f}, lost {counted['lost']}",
                    flush=True,
                )
            added.append(worst[100] - worst[0])
    print(f"  grown by {statistics.median(added):.0f} ms at the median ({min(added):.0f} to {max(added):.0f})")


def lateness() -> None:
    """How late packets are for the last of 2000, and how soon one hears something."""
    with our_daemon() as daemon:
        print("how late packets come while the station renders, in ms; time to a first byte of sound")
        for _ in range(TURNS):
            for what, wanted in (
                ("all WebSockets", {"auralis.v1.opus": CROWD}),
                ("1800 players, 200 WebSockets", {"opus": CROWD - 200, "auralis.v1.opus": 200}),
            ):
                pace = {"per_second": ARRIVALS_PER_SECOND, "settle": SETTLE_SECONDS}
                with crowd_of(daemon.port, COUNTED_SECONDS, wanted, **pace) as process:
                    told(process, "began")
                    time.sleep(2)
                    first = [first_byte_seconds(daemon, "opus") for _ in range(15)]
                    late = (counted := told(process, "counted"))["lateness_seconds"]
                print(
                    f"  {what:28} p50 {1000 * percentile(late, 0.5):5.1f}, p99 {1000 * percentile(late, 0.99):5.1f}, "
                    f"worst {1000 * max(late):5.1f} ({len(late)} packets), lost {counted['lost']}; "
                    f"first byte beside them p50 {1000 * statistics.median(first):.1f}",
                    flush=True,
                )
        for what in ("opus", "mp3", "auralis.v1.opus", "auralis.v1.pcm16"):
            with crowd_of(daemon.port, 60.0, {what: 1}) as keeps_it_awake:
                told(keeps_it_awake, "in")
                time.sleep(5)
                first = [first_byte_seconds(daemon, what) for _ in range(15)]
            print(f"  first byte of {what}, nobody else there: p50 {1000 * statistics.median(first):.1f} ms")


def first_byte_seconds(daemon: RunningDaemon, what: str) -> float:
    """How long one waits who connects now."""
    with crowd_of(daemon.port, 0.0, {what: 1}) as process:
        return told(process, "in")["first_byte_seconds"][0]


def many() -> None:
    """5000 for a minute."""
    with our_daemon() as daemon:
        wanted = {"opus": 4_800, "auralis.v1.opus": 200}
        pace = {"per_second": ARRIVALS_PER_SECOND, "settle": SETTLE_SECONDS}
        with crowd_of(daemon.port, 60.0, wanted, **pace) as process:
            told(process, "began")
            cpu = daemon.cpu_seconds()
            counted = told(process, "counted")
            cores = (daemon.cpu_seconds() - cpu) / 60
    late, gaps = counted["lateness_seconds"], counted["gaps_seconds"]
    on_time = 1 - counted["late_bytes"] / counted["received_bytes"]
    print(
        f"5000 listeners for 60 s: {on_time:.3%} of the bytes within 200 ms of those before, longest gap "
        f"{1000 * max(gaps):.0f} ms, late by p50 {1000 * percentile(late, 0.5):.0f} ms, "
        f"p99 {1000 * percentile(late, 0.99):.0f} ms, lost {counted['lost']}, {cores:.0%} of a core"
    )


def churn() -> None:
    """50,000 come and go in ten minutes, each for three seconds."""
    with our_daemon() as daemon:
        share(of(daemon, "opus"), FEW)
        before, open_before = daemon.resident_bytes(), daemon.descriptors()
        marks = []
        with crowd_of(daemon.port, 5.0, {"opus": 50_000}, per_second=50_000 / 600, leave_after=3.0) as process:
            for _ in range(9):
                time.sleep(60)
                marks.append(daemon.resident_bytes() - before)
            counted = told(process, "counted")
        time.sleep(5)
        after, open_after = daemon.resident_bytes(), daemon.descriptors()
    print(
        f"{counted['listeners']} came and went in ten minutes, {counted['most_at_once']} at once at the most: "
        f"{counted['served']} heard something, {counted['lost']} lost {counted['why_lost'] or ''}"
    )
    print(f"  descriptors {open_before} before, {open_after} after; memory grown by {(after - before) / 1e6:.1f} MB")
    print("  minute by minute: " + ", ".join(f"{grown / 1e6:.1f}" for grown in marks) + " MB")


SECTIONS = {
    "cost": cost, "sockets": sockets, "volley": volley, "rush": rush, "stalled": stalled, "lateness": lateness,
    "many": many, "churn": churn,
}  # fmt: skip


def main() -> None:
    """Print what was asked for."""
    wanted = sys.argv[1:] or ["cost", "sockets", "volley", "rush", "stalled", "lateness"]
    if unknown := [name for name in wanted if name not in SECTIONS]:
        sys.exit(f"no section {unknown[0]!r}; there are {', '.join(SECTIONS)}")
    if shutil.which("icecast2") is None and {"cost", "rush"} & set(wanted):
        sys.exit("icecast2 is not installed")
    allow_descriptors()
    compile_kernel()
    for name in wanted:
        SECTIONS[name]()


if __name__ == "__main__":
    main()
