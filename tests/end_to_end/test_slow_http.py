"""slowhttptest against a running daemon: hundreds who are slow on purpose, and two listeners who should not notice."""

from __future__ import annotations

import csv
import itertools
import subprocess
import time
from dataclasses import dataclass

import pytest

from tests.live.hostile.witness import Witness, descriptors
from tests.live.proxies import need
from tests.live.running_daemon import running_daemon

pytestmark = pytest.mark.realtime

CONNECTIONS = 200
SECONDS = 11
"""Four to connect, five that a head or a body may take, and two."""
ANSWER_SECONDS = 1.0
TRIES = 3
GAP_SECONDS = 0.35
"""From one packet to the next: 100 ms, and a quarter of a second that a player has in its buffer."""
TIDY_SECONDS = 12.0
"""A listener of PCM may take nothing for ten seconds."""
ATTACKS = {
    "slow heads": ["-H", "-i", "2", "-t", "GET", "-u", "/"],
    "slow bodies": ["-B", "-i", "2", "-s", "8192", "-f", "application/json", "-u", "/api/v1/stations/main/preset"],
    "slow readers": ["-X", "-k", "1", "-w", "10", "-y", "20", "-n", "2", "-z", "32", "-u", "/openapi.json"],
    "slow listeners": ["-X", "-k", "1", "-w", "10", "-y", "20", "-n", "2", "-z", "32", "-u", "/stream.wav"],
}


@pytest.fixture(scope="module")
def daemon():
    need("slowhttptest", "slowhttptest")
    with running_daemon() as started:
        started.wait_rendering()
        yield started


@dataclass(frozen=True)
class Outcome:
    """What came of an attack.

    Attributes:
        connected: the most connections that it had open at a time.
        left: how many it had open at its last look.
        longest_answer_seconds: how long anybody else waited for an answer.
        longest_gap_seconds: between two packets of the listener beside.
    """

    connected: int
    left: int
    longest_answer_seconds: float
    longest_gap_seconds: float

    def is_harmless(self):
        return self.longest_gap_seconds < GAP_SECONDS and self.longest_answer_seconds < ANSWER_SECONDS


@pytest.mark.parametrize("attack", ATTACKS)
def test_hundreds_who_are_slow_on_purpose_cost_others_nothing(daemon, tmp_path, attack):
    for _ in range(TRIES):  # what the attack has done, it does again; what the machine has done, it does not
        outcome = outcome_of(ATTACKS[attack], daemon, tmp_path)
        if outcome.is_harmless():
            break
    print(f"{attack}: {outcome}")
    assert outcome.is_harmless()
    assert outcome.connected > (0.1 if attack == "slow bodies" else 0.5) * CONNECTIONS  # most bodies are refused: 429
    if attack in ("slow heads", "slow bodies"):
        assert outcome.left < 0.5 * outcome.connected  # sent away while they are at it


def outcome_of(attack, daemon, folder):
    """Make the attack; that no packet was lost, and nothing stays behind, is seen to."""
    open_before = descriptors(daemon)
    *options, target = attack
    command = ["slowhttptest", *options, daemon.url + target, "-c", str(CONNECTIONS), "-r", "50"]
    command += ["-l", str(SECONDS), "-g", "-o", str(folder / "report")]
    answered = []
    with Witness(daemon.port) as witness:
        time.sleep(1)
        began = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as attacking:
            while attacking.poll() is None:
                assert time.monotonic() < began + 4 * SECONDS
                asked_at = time.monotonic()
                assert daemon.get_json("/healthz")
                answered.append(time.monotonic() - asked_at)
                time.sleep(0.25)
        packets = witness.packets_since(began)
    assert witness.lost == []
    assert {later.sequence - earlier.sequence for earlier, later in itertools.pairwise(packets)} == {1}
    daemon.wait_for(lambda: descriptors(daemon) <= open_before, time.monotonic() - daemon.started_at + TIDY_SECONDS)
    assert daemon.process.poll() is None
    seconds = list(csv.DictReader((folder / "report.csv").read_text().splitlines()))
    return Outcome(
        connected=max(int(each["Connected"]) for each in seconds),
        left=int(seconds[-1]["Connected"]),
        longest_answer_seconds=round(max(answered), 3),
        longest_gap_seconds=round(max(b.arrived_at - a.arrived_at for a, b in itertools.pairwise(packets)), 3),
    )
