"""A real daemon in a control group that has no more memory for it."""

import contextlib
import http.client
import os
import signal
import urllib.error

import pytest

from tests.live.listeners import connect, hear
from tests.live.memory_group import memory_group
from tests.live.running_daemon import free_port, running_daemon

pytestmark = [pytest.mark.realtime, pytest.mark.skipif(os.geteuid() != 0, reason="control groups are for root")]


@pytest.fixture
def group():
    """A group without a limit yet."""
    with memory_group() as made:
        yield made


def room_for_one_more(daemon):
    """The status of a wish for another station, and what is said."""
    try:
        daemon.send_json("POST", "/api/v1/stations", {"title": "One more"})
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()
    return 201, ""


def test_near_its_limit_the_daemon_plays_on_and_refuses_another_station_by_name(group, tmp_path):
    with running_daemon(state_dir=tmp_path / "state") as daemon, contextlib.ExitStack() as stack:
        group.hold(daemon.process.pid)
        daemon.wait_rendering()
        listener = stack.enter_context(connect(daemon.port, "auralis.v1.pcm16"))
        hear(listener, 5)
        group.allow(group.used_bytes() + 120_000_000)
        heard = listener.packets
        status, said = room_for_one_more(daemon)
        assert status == 503
        assert '"unavailable"' in said
        assert "no memory for one more station: 160 MB have to be free" in said
        hear(listener, 5)
        assert listener.packets > heard
        assert (listener.jumps, listener.closed) == (0, False)
        group.allow(None)
        assert room_for_one_more(daemon)[0] == 201


def test_killed_for_its_memory_the_daemon_comes_back_with_the_same_piece(group, tmp_path):
    state_dir, port = tmp_path / "state", free_port()
    with running_daemon(state_dir=state_dir, port=port) as daemon:
        group.hold(daemon.process.pid)
        daemon.wait_rendering()
        daemon.send_json("PATCH", "/api/v1/stations/main/controls", {"key": "Eb"})
        others = [daemon.send_json("POST", "/api/v1/stations", {"title": "Asleep"})["id"] for _ in range(4)]
        with connect(port, "auralis.v1.pcm16") as listener:
            hear(listener, 3)
        before = daemon.get_json("/api/v1/stations/main")
        group.allow(group.used_bytes() + 20_000_000)
        with contextlib.suppress(
            OSError, http.client.HTTPException
        ):  # each takes 58 MB when it begins to sound; the end comes in the midst of it
            for station in others:
                daemon.send_json("PATCH", f"/api/v1/stations/{station}", {"pinned": True})
        assert daemon.process.wait(timeout=30) == -signal.SIGKILL
    group.allow(None)
    with running_daemon(state_dir=state_dir, port=port) as daemon:
        daemon.wait_for(lambda: daemon.get_json("/healthz"))
        after = daemon.get_json("/api/v1/stations/main")
    assert (after["seed"], after["controls"]["key"]) == (before["seed"], "Eb")
    assert after["epoch"] > before["epoch"]
