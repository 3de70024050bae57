"""A real daemon that sends its station to an Icecast server and writes it as HLS, and what ffmpeg hears of both."""

from __future__ import annotations

import shutil
import subprocess
import urllib.request

import numpy as np
import pytest

from auralisd.units import SAMPLE_RATE_HZ
from tests.live.icecast import PASSWORD, icecast, needs_icecast
from tests.live.running_daemon import running_daemon

pytestmark = [
    needs_icecast,
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the ffmpeg program is not installed"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with icecast(tmp_path_factory.mktemp("icecast")) as running:
        yield running


@pytest.fixture(scope="module")
def sending_daemon(server, tmp_path_factory):
    """A daemon that nobody listens to."""
    folder = tmp_path_factory.mktemp("daemon")
    (folder / "password").write_text(PASSWORD + "\n")
    (folder / "config.toml").write_text(
        f"""
        seed = 7
        hls = ["main"]
        [[push]]
        url = "{server.url}"
        mount = "/auralis.mp3"
        password_file = "{folder}/password"
        name = "radio"
        """
    )
    with running_daemon("--config", str(folder / "config.toml"), state_dir=folder / "state") as started:
        started.wait_for(lambda: all(one["state"] == "on" for one in outputs(started)))
        yield started


def outputs(daemon):
    return daemon.get_json("/api/v1/status")["outputs"]


def heard(url: str, seconds: float) -> np.ndarray:
    """What ffmpeg decodes from ``url``."""
    command = ["ffmpeg", "-v", "error", "-i", url, "-t", str(seconds), "-f", "s16le", "-ac", "1"]
    done = subprocess.run([*command, "-ar", str(SAMPLE_RATE_HZ), "-"], capture_output=True, check=True, timeout=60)
    return np.frombuffer(done.stdout, dtype="<i2").astype(float)


def test_the_station_plays_from_the_icecast_server(sending_daemon, server):
    sound = heard(f"{server.url}/auralis.mp3", 5)
    assert len(sound) == pytest.approx(5 * SAMPLE_RATE_HZ, abs=4000)
    assert np.sqrt(np.mean(sound[SAMPLE_RATE_HZ:] ** 2)) > 200
    assert server.title_seen_by_players("/auralis.mp3", beginning="Auralis - A ")


@pytest.mark.parametrize("playlist", ["index", "all", "opus"])
def test_the_station_plays_as_hls_over_http(sending_daemon, playlist):
    sound = heard(f"{sending_daemon.url}/hls/main/{playlist}.m3u8", 9)
    assert len(sound) == pytest.approx(9 * SAMPLE_RATE_HZ, abs=4000)
    by_second = np.sqrt(np.mean(sound[: 8 * SAMPLE_RATE_HZ].reshape(8, -1) ** 2, axis=1))
    assert by_second.min() > 100  # no second of it is silent


def test_status_health_and_metrics_say_so(sending_daemon):
    shown = {(one["kind"], one["name"], one["state"], one["problem"]) for one in outputs(sending_daemon)}
    assert shown == {("icecast", "radio", "on", None), ("hls", "hls:main", "on", None)}
    checks = {check["name"]: check for check in sending_daemon.get_json("/api/v1/health")["checks"]}
    assert checks["outputs"] == {"name": "outputs", "ok": True, "detail": "2 are well"}
    with urllib.request.urlopen(sending_daemon.url + "/metrics", timeout=5) as answer:
        text = answer.read().decode()
    assert 'auralisd_output_up{output="radio"} 1.0' in text
    assert 'auralisd_listeners{form="push.mp3"} 1.0' in text


def test_the_password_is_nowhere(sending_daemon):
    for path in ("/api/v1/status", "/api/v1/health", "/metrics", "/api/metrics"):
        with urllib.request.urlopen(sending_daemon.url + path, timeout=5) as answer:
            assert PASSWORD not in answer.read().decode()
    assert PASSWORD not in sending_daemon.log_path.read_text()
