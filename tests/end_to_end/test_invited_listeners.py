"""A real daemon for invited listeners: what ffmpeg hears by a link, and what everybody else is told."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

import numpy as np
import pytest

from auralisd.units import SAMPLE_RATE_HZ
from tests.live.handed_over import Ear, end, hand_over
from tests.live.running_daemon import free_port, running_daemon

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the ffmpeg program is not installed")

SECONDS = 5


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A daemon behind an address of the world: being on the same machine opens nothing."""
    folder, port = tmp_path_factory.mktemp("invited"), free_port()
    config = folder / "config.toml"
    config.write_text(
        f"""
        seed = 7
        hls = ["main"]
        listen_access = "signed"
        public_url = "http://127.0.0.1:{port}"
        log_level = "debug"
        """
    )
    options = ("--config", str(config))
    with running_daemon(*options, port=port, state_dir=folder / "state") as daemon:
        daemon.wait_for(lambda: daemon.get_json("/healthz"))
        yield daemon, (*options, "--state-dir", str(folder / "state")), folder / "state"


def link(house, *options):
    """A link as the command makes it, beside the daemon."""
    command = [sys.executable, "-m", "auralisd", "token", "--listen", "--json", *house[1], *options]
    made = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)
    assert made["addresses"]
    return made


def heard(address):
    """What ffmpeg decodes of an address."""
    command = ["ffmpeg", "-v", "error", "-i", address, "-t", str(SECONDS), "-f", "s16le", "-ac", "1"]
    done = subprocess.run([*command, "-ar", str(SAMPLE_RATE_HZ), "-"], capture_output=True, check=False, timeout=60)
    return np.frombuffer(done.stdout, dtype="<i2").astype(float), done.stderr.decode()


def status_of(address):
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def segments(address):
    """How many a playlist of HLS lists, each of two seconds; none while there is no playlist."""
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.read().count(b"#EXTINF")
    except urllib.error.HTTPError as error:
        with error:
            return 0


@pytest.mark.parametrize("way", ["opus", "mp3", "wav", "m3u", "hls"])
def test_ffmpeg_plays_a_link_and_is_refused_without_one(house, way):
    address = link(house)["addresses"][way]
    if way == "m3u":  # ffmpeg takes no simple playlist over HTTP; any player asks for the last line
        with urllib.request.urlopen(address, timeout=10) as answer:
            address = answer.read().decode().splitlines()[-1]
    if way == "hls":  # the folder is written from the beginning, and its segments take their time
        house[0].wait_for(lambda: segments(address.replace("index", "aac")) * 2 > SECONDS, timeout_seconds=600)
    sound, said = heard(address)
    assert len(sound) == pytest.approx(SECONDS * SAMPLE_RATE_HZ, abs=4000), said
    assert np.sqrt(np.mean(sound[SAMPLE_RATE_HZ:] ** 2)) > 20
    refused, said = heard(address.partition("?")[0])
    assert len(refused) == 0
    assert "401" in said


def test_a_link_for_one_format_and_one_that_ran_out_open_nothing_else(house):
    one = link(house, "--format", "mp3", "--expires", "60")["addresses"]
    assert status_of(one["mp3"]) == 200
    assert status_of(one["mp3"].replace("stream.mp3", "stream.flac")) == 403
    assert status_of(one["mp3"].replace("l1.main.mp3", "l1.main.-")) == 403
    short = link(house, "--expires", "1")["addresses"]["wav"]
    time.sleep(1.5)
    assert status_of(short) == 403


def test_refusals_are_counted_by_their_reason_and_no_link_is_in_the_log(house):
    daemon, _, state_dir = house
    made = link(house)
    before = daemon.get_json("/api/metrics")["auralisd_connections_refused"]
    assert status_of(daemon.url + "/stream.mp3") == 401
    assert status_of(made["addresses"]["mp3"]) == 200
    after = daemon.get_json("/api/metrics")["auralisd_connections_refused"]
    assert after["uninvited"] == before.get("uninvited", 0) + 1
    log = daemon.log_path.read_text()
    assert made["token"] not in log
    assert made["token"].rpartition(".")[2] not in log
    assert (state_dir / "listen-key").read_text().strip() not in log
    assert "auralisd token --listen" in log  # what the start says


@pytest.mark.realtime
def test_a_stream_goes_on_past_the_end_of_its_link_and_through_a_restart(tmp_path):
    port = free_port()
    config = tmp_path / "config.toml"
    config.write_text(f"listen_access = 'signed'\npublic_url = 'http://127.0.0.1:{port}'\n")
    options = ("--config", str(config))
    with running_daemon(*options, port=port, state_dir=tmp_path / "state") as daemon:
        daemon.wait_rendering()
        token = link((daemon, (*options, "--state-dir", str(tmp_path / "state"))), "--expires", "5")["token"]
        ear = Ear(port, f"mp3?listen={token}")
        time.sleep(6)
        successor = hand_over(daemon)
        try:
            time.sleep(3)
            assert not ear.closed
            assert ear.longest_gap_seconds() < 1.0
            assert status_of(f"{daemon.url}/stream.mp3?listen={token}") == 403
            assert status_of(f"{daemon.url}/stream.mp3") == 401
        finally:
            ear.leave()
            end(successor)
        assert "passed=1" in daemon.log_path.read_text()
