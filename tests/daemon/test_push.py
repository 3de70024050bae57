"""A station sent to real Icecast servers, which are killed, made to hang, and refuse; listeners hear nothing of it."""

from __future__ import annotations

import random
import subprocess
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import trio
from pydantic import SecretStr

from auralisd.daemon.live_station import LiveStation
from auralisd.daemon.outputs import Output
from auralisd.daemon.sending import sending
from auralisd.daemon.tasks import push_task
from auralisd.daemon.tasks.push_task import pause_seconds, run_push
from auralisd.daemon.worker import JobsUnderWay, open_worker, run_inline
from auralisd.errors import UnknownNameError
from auralisd.settings import PushSettings, Settings
from auralisd.units import SAMPLE_RATE_HZ
from tests.daemon.stations import new_station, new_studio, on_air
from tests.live.icecast import PASSWORD, icecast, needs_icecast


def target_on(server, **changes) -> PushSettings:
    given = {"url": server.url, "mount": "/test.mp3", "password": SecretStr(PASSWORD)} | changes
    return PushSettings(**given)


class Directory:
    """One station, or none."""

    def __init__(self, station):
        self.station = station

    def get(self, station_id):
        if self.station is None:
            raise UnknownNameError("station", station_id, ())
        return self.station


@dataclass
class Sent:
    """A station on the air and on its way to a server."""

    station: LiveStation
    output: Output
    metrics: object
    directory: Directory

    def state(self) -> str:
        return self.output.status().state

    def failures(self, cause: str) -> float:
        labels = {"output": self.output.name, "cause": cause}
        return self.metrics.registry.get_sample_value("auralisd_output_failures_total", labels) or 0.0

    async def until(self, state: str, *, within_seconds: float) -> float:
        """Seconds until it is in ``state``."""
        began = trio.current_time()
        with trio.fail_after(within_seconds):
            while self.state() != state:  # noqa: ASYNC110 - what is awaited is in another process
                await trio.sleep(0.02)
        return trio.current_time() - began

    def longest_gap_seconds(self, since: int = 0) -> float:
        """Between two packets that listeners were sent."""
        times = [at for at, _, _ in self.station.broadcast.published[since:]]
        return max(later - earlier for earlier, later in pairwise(times))


@asynccontextmanager
async def sent_to(target: PushSettings, *, pinned=True, there=True):
    """A station that sounds a tone, sent to ``target`` in real time."""
    studio = new_studio(new_worker=partial(open_worker, JobsUnderWay()))
    station = new_station(studio, pinned=pinned)
    directory = Directory(station if there else None)
    (output,) = sending(Settings(push=(target,)), studio.metrics).outputs
    async with on_air(station, studio) as stopping, trio.open_nursery() as nursery:
        push = partial(run_push, run_in_worker=run_inline, chance=random.Random(1), stopping=stopping)
        nursery.start_soon(push, target, output, directory)
        yield Sent(station=station, output=output, metrics=studio.metrics, directory=directory)
        stopping.set()
        nursery.cancel_scope.cancel()


def strongest_hz(url: str) -> float:
    """What two seconds of ``url`` sound like to ffmpeg, past the first half second."""
    command = ["ffmpeg", "-v", "error", "-i", url, "-t", "2.5", "-f", "s16le", "-ac", "1", "-ar", str(SAMPLE_RATE_HZ)]
    done = subprocess.run([*command, "-"], capture_output=True, check=True, timeout=30)
    sound = np.frombuffer(done.stdout, dtype="<i2")[SAMPLE_RATE_HZ // 2 :].astype(float)
    if len(sound) < SAMPLE_RATE_HZ:
        raise TimeoutError(f"{url} has not begun")
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum) * SAMPLE_RATE_HZ / len(sound))


async def heard(sent: Sent, url: str) -> float:
    """The same, as soon as the server has something to play."""
    with trio.fail_after(20):
        while True:
            try:
                return await trio.to_thread.run_sync(strongest_hz, url)
            except (subprocess.CalledProcessError, TimeoutError):
                assert sent.state() == "on", sent.output.status()
                await trio.sleep(0.25)


@needs_icecast
@pytest.mark.parametrize("form", ["mp3", "aac", "opus"])
async def test_a_station_plays_from_an_icecast_server_and_from_its_relay(tmp_path, form):
    with icecast(tmp_path / "first") as first:
        relay = (
            f"<relay><server>127.0.0.1</server><port>{first.port}</port><mount>/test.{form}</mount>"
            f"<local-mount>/relayed.{form}</local-mount><on-demand>1</on-demand></relay>"
        )
        with icecast(tmp_path / "second", more=relay) as second:
            async with sent_to(target_on(first, mount=f"/test.{form}", format=form), pinned=False) as sent:
                await sent.until("on", within_seconds=3)
                assert await heard(sent, f"{first.url}/test.{form}") == pytest.approx(220, abs=1)
                assert await heard(sent, f"{second.url}/relayed.{form}") == pytest.approx(220, abs=1)
                assert sent.output.status().problem is None
                assert sent.station.summary().state == "sounding"  # though nobody listens here


@needs_icecast
async def test_what_sounds_now_is_shown_to_the_servers_listeners(tmp_path):
    with icecast(tmp_path) as server:
        async with sent_to(target_on(server)) as sent:
            await sent.until("on", within_seconds=3)
            seen = partial(server.title_seen_by_players, "/test.mp3", beginning="Test - A aeolian, ")
            assert await trio.to_thread.run_sync(seen)


@needs_icecast
@pytest.mark.realtime
async def test_a_server_that_was_killed_has_its_source_back_within_5_seconds_of_its_return(tmp_path):
    with icecast(tmp_path) as server:
        async with sent_to(target_on(server)) as sent:
            await sent.until("on", within_seconds=3)
            before = len(sent.station.broadcast.published)
            await trio.to_thread.run_sync(server.kill)
            assert await sent.until("failing", within_seconds=2) < 1
            await trio.sleep(8)  # long enough for the longest pause
            assert sent.output.status().problem == "Connection refused"
            await trio.to_thread.run_sync(server.start)
            assert await sent.until("on", within_seconds=10) < 5
            assert await heard(sent, f"{server.url}/test.mp3") == pytest.approx(220, abs=1)
            assert sent.longest_gap_seconds(before) < 0.3
        assert sent.failures("unreachable") >= 3


@needs_icecast
@pytest.mark.realtime
async def test_a_server_that_hangs_is_given_up_and_served_again_when_it_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(push_task, "STALL_PATIENCE_SECONDS", 1.0)
    with icecast(tmp_path) as server:
        async with sent_to(target_on(server, mount="/test.opus", format="opus")) as sent:
            await sent.until("on", within_seconds=3)
            before = len(sent.station.broadcast.published)
            server.hang()
            await sent.until("failing", within_seconds=60)
            assert sent.longest_gap_seconds(before) < 0.3
            server.go_on()
            await sent.until("on", within_seconds=15)
            assert await heard(sent, f"{server.url}/test.opus") == pytest.approx(220, abs=1)


@needs_icecast
@pytest.mark.logs_errors
async def test_a_refused_password_is_named_and_not_tried_again_soon(tmp_path, log_lines):
    with icecast(tmp_path) as server:
        target = target_on(server, password=SecretStr("quite-another-password"), name="radio")
        async with sent_to(target) as sent:
            await sent.until("failing", within_seconds=3)
            assert sent.output.status().problem == "the server refuses the user or the password"
            await trio.sleep(5)
            assert sent.failures("refused") == 1
        assert server.log().count("invalid or missing password") == 1
    told = [line for line in log_lines if line["event"] == "output failing"]
    assert [(line["log_level"], line["output"]) for line in told] == [("error", "radio")]
    assert "quite-another-password" not in repr(log_lines)
    assert 30 <= pause_seconds("refused", 1, random.Random(1)) <= 60


async def test_a_problem_that_lasts_is_told_of_once(log_lines):
    class Nowhere:
        url = "http://127.0.0.1:9"

    async with sent_to(target_on(Nowhere)) as sent:
        await sent.until("failing", within_seconds=3)
        await trio.sleep(3)
        assert sent.failures("unreachable") >= 2
        assert sent.longest_gap_seconds() < 0.3
    assert sum(line["event"] == "output failing" for line in log_lines) == 1


async def test_a_station_that_is_made_later_is_waited_for(autojump_clock):
    class Nowhere:
        url = "http://127.0.0.1:9"

    async with sent_to(target_on(Nowhere, station="later"), there=False) as sent:
        await trio.sleep(100)
        assert sent.output.status().as_dict() == {
            "kind": "icecast",
            "name": "test.mp3",
            "station": "later",
            "formats": ["mp3"],
            "state": "waiting",
            "problem": "there is no station 'later'",
            "seconds": 100.0,
        }


def test_pauses_grow_to_4_seconds_and_no_two_sources_come_back_at_once():
    sources = [random.Random(seed) for seed in range(100)]
    for failures in range(1, 40):
        pauses = [pause_seconds("lost", failures, chance) for chance in sources]
        longest = min(4.0, 0.5 * 2 ** (failures - 1))
        assert longest / 2 <= min(pauses) < max(pauses) <= longest
        assert len(set(pauses)) == 100
