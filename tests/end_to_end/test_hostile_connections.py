"""A daemon that is attacked over one connection after another, and two listeners who should not notice."""

import itertools
import time
import urllib.request

import pytest

from tests.live.hostile.connections import CONNECTIONS
from tests.live.hostile.requests import REQUESTS
from tests.live.hostile.websockets import WEBSOCKETS
from tests.live.hostile.witness import Witness, descriptors, lag_p99_seconds, loop_passes
from tests.live.running_daemon import running_daemon

pytestmark = pytest.mark.realtime

LEAST_SECONDS = 0.8
"""What is watched lasts at least this long."""
GAP_SECONDS = 0.35
"""From one packet to the next: 100 ms, and a quarter of a second that a player has in its buffer."""
LAG_SECONDS = 0.05
PACKET_FRAMES, PACKET_BYTES = 4410, 17_640
TIDY_SECONDS = 3.0
"""Within this time after an attack nothing is left of it."""
ATTACKS = {**REQUESTS, **CONNECTIONS, **WEBSOCKETS}


@pytest.fixture(scope="module")
def besieged(tmp_path_factory):
    """A daemon that plays, and the two who listen to it."""
    config = tmp_path_factory.mktemp("config") / "config.toml"
    config.write_text('seed = 7\nlog_format = "json"\n')
    with running_daemon("--config", str(config)) as daemon:
        daemon.wait_rendering()
        with Witness(daemon.port) as witness:
            time.sleep(3)
            yield daemon, witness


def test_a_loop_that_lags_would_be_seen():
    before = {0.02: 100.0, 0.05: 100.0, 0.1: 100.0, float("inf"): 100.0}
    assert lag_p99_seconds(before, {0.02: 1098.0, 0.05: 1100.0, 0.1: 1100.0, float("inf"): 1100.0}) < 0.02
    assert 0.05 < lag_p99_seconds(before, {0.02: 1080.0, 0.05: 1080.0, 0.1: 1100.0, float("inf"): 1100.0}) <= 0.1


@pytest.mark.parametrize("attack", [pytest.param(attack, id=phrase) for phrase, attack in ATTACKS.items()])
def test_a_hostile_connection_ends_nothing_but_itself(besieged, attack):
    daemon, witness = besieged
    gap_seconds, lag_seconds = suffered(daemon, witness, attack)
    if gap_seconds >= GAP_SECONDS or lag_seconds >= LAG_SECONDS:  # what the attack has done, it does again
        gap_seconds, lag_seconds = suffered(daemon, witness, attack)
    assert gap_seconds < GAP_SECONDS
    assert lag_seconds < LAG_SECONDS


def suffered(daemon, witness, attack):
    """Attack, see that nothing was lost, broken or left behind; the longest gap and the lag of the loop meanwhile."""
    logged, open_before = daemon.log_path.stat().st_size, descriptors(daemon)
    faults, passes = contained_faults(daemon), loop_passes(metrics_text(daemon))
    began = time.monotonic()
    attack(daemon.port)
    time.sleep(max(0.0, began + LEAST_SECONDS - time.monotonic()))
    lag_seconds = lag_p99_seconds(passes, loop_passes(metrics_text(daemon)))
    assert daemon.process.poll() is None
    daemon.wait_for(lambda: descriptors(daemon) <= open_before, time.monotonic() - daemon.started_at + TIDY_SECONDS)
    assert contained_faults(daemon) == faults
    said = daemon.log_path.read_text()[logged:]
    assert not any(word in said for word in ('"level": "error"', '"level": "critical"', "Traceback")), said
    gap_seconds = gap_in_what_was_heard(witness, began)
    print(f"gap {gap_seconds * 1000:.0f} ms, loop lag p99 {lag_seconds * 1000:.1f} ms")
    return gap_seconds, lag_seconds


def gap_in_what_was_heard(witness, began):
    """The longest since ``began``; that no byte is missing is seen in order and length, and in the other's bytes."""
    now = time.monotonic()
    wav, packets = witness.wav_between(began - 0.5, now - 0.2), witness.packets_since(began - 1.0)
    assert witness.lost == []
    assert len(packets) > 10
    assert {len(packet.pcm) for packet in packets} == {PACKET_BYTES}
    assert {later.position - earlier.position for earlier, later in itertools.pairwise(packets)} == {PACKET_FRAMES}
    assert {later.sequence - earlier.sequence for earlier, later in itertools.pairwise(packets)} == {1}
    assert wav in b"".join(packet.pcm for packet in packets), "one heard what the other did not"
    return max(later.arrived_at - earlier.arrived_at for earlier, later in itertools.pairwise(packets))


def contained_faults(daemon):
    return daemon.get_json("/api/metrics")["auralisd_connection_errors_contained"]


def metrics_text(daemon):
    with urllib.request.urlopen(daemon.url + "/metrics", timeout=10) as answer:
        return answer.read().decode()
