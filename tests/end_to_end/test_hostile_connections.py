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


@pytest.mark.parametrize("attack", [pytest.param(attack, id=phrase) for phrase, attack in ATTACKS.items()])
def test_a_hostile_connection_ends_nothing_but_itself(besieged, attack):
    daemon, witness = besieged
    logged, before = daemon.log_path.stat().st_size, daemon.get_json("/api/metrics")
    open_before, passes = descriptors(daemon), loop_passes(metrics_text(daemon))
    began = time.monotonic()
    attack(daemon.port)
    time.sleep(max(0.0, began + LEAST_SECONDS - time.monotonic()))
    lag_seconds = lag_p99_seconds(passes, loop_passes(metrics_text(daemon)))
    daemon.wait_for(lambda: descriptors(daemon) <= open_before, time.monotonic() - daemon.started_at + TIDY_SECONDS)
    after = daemon.get_json("/api/metrics")
    packets, wav = witness.packets_since(began - 1.0), witness.wav_since(began)
    heard = b"".join(packet.pcm for packet in packets)
    gap_seconds = max(b.arrived_at - a.arrived_at for a, b in itertools.pairwise(packets))
    slow_steps = after["auralisd_slow_steps"] - before["auralisd_slow_steps"]
    print(f"gap {gap_seconds * 1000:.0f} ms, loop lag p99 {lag_seconds * 1000:.1f} ms, {slow_steps:.0f} slow steps")
    assert daemon.process.poll() is None
    assert witness.lost == []
    assert len(packets) > 10
    assert {b.position - a.position for a, b in itertools.pairwise(packets)} == {4410}
    assert {b.sequence - a.sequence for a, b in itertools.pairwise(packets)} == {1}
    assert wav in heard
    assert gap_seconds < GAP_SECONDS
    assert lag_seconds < LAG_SECONDS
    said = daemon.log_path.read_text()[logged:]
    assert '"level": "error"' not in said
    assert '"level": "critical"' not in said
    assert "Traceback" not in said
    assert after["auralisd_connection_errors_contained"] == before["auralisd_connection_errors_contained"]


def metrics_text(daemon):
    with urllib.request.urlopen(daemon.url + "/metrics", timeout=10) as answer:
        return answer.read().decode()
