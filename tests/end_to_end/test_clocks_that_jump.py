"""A real process whose clocks jump: the time of day by years, the monotonic one as after a machine's sleep."""

import contextlib
import subprocess
import sys
import time
import urllib.request

import pytest

from tests.live.listeners import connect, read
from tests.live.running_daemon import running_daemon
from tests.live.shifted_clocks import needs_a_compiler, shifted_clocks

pytestmark = [pytest.mark.realtime, needs_a_compiler]

DAY_SECONDS = 86_400.0
SLEEP_SECONDS = 30.0
FORMS = ("auralis.v1.pcm16", "auralis.v1.opus", "wav", "mp3")
LONGEST_GAP_SECONDS = 1.0  # a machine that has much else to do included; a jump that is heard is the jump long


@pytest.fixture
def clocks(tmp_path):
    """Clocks as they are, until they jump."""
    return shifted_clocks(tmp_path)


@pytest.fixture
def daemon(clocks, tmp_path, monkeypatch):
    """A daemon that goes by these clocks, and plays the music itself."""
    for name, value in clocks.environ.items():
        monkeypatch.setenv(name, value)
    with running_daemon(state_dir=tmp_path / "state") as started:
        for name in clocks.environ:
            monkeypatch.delenv(name)
        started.wait_rendering()
        yield started


@pytest.fixture
def listeners(daemon):
    """One of each form, who have heard three seconds of it."""
    with contextlib.ExitStack() as stack:
        connected = [stack.enter_context(connect(daemon.port, form)) for form in FORMS]
        hear(connected, 3)
        yield connected


def hear(listeners, seconds):
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        for one in listeners:
            read(one, time.monotonic())
        time.sleep(0.005)


def restarts(daemon):
    with urllib.request.urlopen(f"{daemon.url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {line for line in lines if line.startswith("auralisd_restarts_total")}


def heard_on(listeners, heard_before):
    return all(one.received > before for one, before in zip(listeners, heard_before, strict=True))


def test_the_clocks_of_a_process_jump_and_its_waits_do_not(clocks):
    program = (
        "import sys, threading, time\n"
        "print(time.time(), time.monotonic(), flush=True)\n"
        "sys.stdin.readline()\n"
        "before = time.perf_counter()\n"
        "threading.Event().wait(0.2); threading.Semaphore(0).acquire(timeout=0.2); time.sleep(0.2)\n"
        "print(time.time(), time.monotonic(), time.perf_counter() - before, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=clocks.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        before = [float(word) for word in process.stdout.readline().split()]
        clocks.jump(time_of_day_seconds=-DAY_SECONDS, monotonic_seconds=SLEEP_SECONDS)
        said, _ = process.communicate("go\n", timeout=20)
    time_of_day, monotonic, waited = (float(word) for word in said.split())
    assert time_of_day - before[0] == pytest.approx(-DAY_SECONDS, abs=10)
    assert monotonic - before[1] == pytest.approx(SLEEP_SECONDS, abs=10)
    assert 0.6 <= waited < 5


def test_a_time_of_day_that_jumps_by_a_day_and_back_by_a_year_is_not_heard(daemon, listeners, clocks):
    before, heard = restarts(daemon), [one.received for one in listeners]
    for days in (1, -366, 5000):
        said = daemon.get_json("/api/health")["timestamp"]
        clocks.jump(time_of_day_seconds=days * DAY_SECONDS)
        jumped = daemon.get_json("/api/health")["timestamp"] - said
        assert jumped / 1000 == pytest.approx(days * DAY_SECONDS, abs=10)
        hear(listeners, 3)
    assert heard_on(listeners, heard)
    assert [one.closed for one in listeners] == [False] * len(FORMS)
    assert sum(one.jumps for one in listeners) == 0
    assert max(one.longest_gap_seconds for one in listeners) < LONGEST_GAP_SECONDS
    assert restarts(daemon) == before
    assert daemon.stop() < 3
    assert daemon.process.returncode == 0


def test_a_monotonic_clock_that_jumps_as_after_a_sleep_holds_the_music_back_and_nobody_is_sent_away(
    daemon, listeners, clocks
):
    before, heard = restarts(daemon), [one.received for one in listeners]
    position = daemon.get_json("/api/v1/stations/main")["position"]
    clocks.jump(monotonic_seconds=SLEEP_SECONDS)
    hear(listeners, 6)
    assert heard_on(listeners, heard)
    assert [one.closed for one in listeners] == [False] * len(FORMS)
    assert sum(one.jumps for one in listeners) == 0
    assert max(one.longest_gap_seconds for one in listeners) < LONGEST_GAP_SECONDS + 1
    assert restarts(daemon) == before
    gone_on = (daemon.get_json("/api/v1/stations/main")["position"] - position) / 44_100
    assert 3 < gone_on < 12  # not the thirty seconds that the clock says have gone by
    assert daemon.stop() < 3
    assert daemon.process.returncode == 0
