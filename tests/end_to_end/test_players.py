"""The endless streams of a real daemon, played for 20 s and more by the players that people have."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pyloudnorm
import pytest

from tests.live.proxies import need
from tests.live.running_daemon import free_port
from tests.live.sound import clicks

pytestmark = pytest.mark.realtime

RATE_HZ = 44_100
SECONDS = 23
"""How long each plays: the music asked for, and what a player needs to begin."""
LEAST_SECONDS = 20
BEGINNING_SECONDS = 1.0
"""A decoder's first frames are not judged."""
SILENCE_DBFS = -60.0
WAV_HEADER_BYTES = 44
FORMS = ("opus", "mp3", "flac", "aac", "wav")
NOT_JUDGED = {("cvlc", "flac"): "VLC 3.0.24 stops after the first frames of some FLAC streams that others play whole"}
PACKAGES = {"mpv": "mpv", "cvlc": "vlc-bin", "gst-launch-1.0": "gstreamer1.0-tools", "mpd": "mpd", "curl": "curl"}


def by_mpv(url, file, form):
    command = ["mpv", "--no-config", "--no-video", "--really-quiet", "--ao=pcm", f"--ao-pcm-file={file}"]
    subprocess.run([*command, f"--length={SECONDS}", url], check=True, capture_output=True, timeout=3 * SECONDS)


def by_vlc(url, file, form):
    chain = f"#transcode{{acodec=s16l,channels=2,samplerate={RATE_HZ}}}:std{{access=file,mux=wav,dst={file}}}"
    nobody = {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}  # VLC refuses to be root
    home = {**os.environ, "HOME": str(file.parent)}
    command = ["cvlc", "--quiet", "--no-video", "--sout", chain, url]
    for _ in range(2):  # one in some dozens is ended before it has written a byte of what it played
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=home, **nobody
        ) as playing:
            time.sleep(SECONDS + 2)
            playing.terminate()
        if file.exists() and file.stat().st_size > WAV_HEADER_BYTES:
            return


def by_gstreamer(url, file, form):
    source = ["souphttpsrc", f"location={url}", "is-live=true", "!", "decodebin", "!", "audioconvert", "!"]
    sink = ["audioresample", "!", f"audio/x-raw,rate={RATE_HZ}", "!", "wavenc", "!", "filesink", f"location={file}"]
    command = ["gst-launch-1.0", "--quiet", "--eos-on-shutdown", *source, *sink]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as playing:
        time.sleep(SECONDS + 2)
        playing.send_signal(signal.SIGINT)
        said, _ = playing.communicate(timeout=10)
    assert b"ERROR" not in said, said


def by_curl(url, file, form):
    command = ["curl", "--silent", "--show-error", "--max-time", str(SECONDS), "--output", str(file), url]
    done = subprocess.run(command, capture_output=True, timeout=3 * SECONDS, check=False)
    assert done.returncode == 28  # the stream has no end, so curl's time has


def by_mpd(url, file, form):
    port = free_port()
    (file.parent / f"mpd-{form}.conf").write_text(
        f"""
        bind_to_address "127.0.0.1"
        port "{port}"
        audio_output {{
            type "recorder"
            name "file"
            path "{file}"
            encoder "wave"
            format "{RATE_HZ}:16:2"
        }}
        """
    )
    command = ["mpd", "--no-daemon", "--stderr", str(file.parent / f"mpd-{form}.conf")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as playing:
        try:
            with mpd_connection(port) as connection:
                connection.sendall(f'add "{url}"\nplay\n'.encode())
                time.sleep(SECONDS + 2)
                connection.sendall(b"stop\n")
                time.sleep(0.5)
                assert b"ACK" not in connection.recv(4096)
        finally:
            playing.terminate()


def mpd_connection(port):
    deadline = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


PLAYERS = {"mpv": by_mpv, "cvlc": by_vlc, "gst-launch-1.0": by_gstreamer, "mpd": by_mpd, "curl": by_curl}


@pytest.fixture(scope="module", params=PLAYERS)
def played(request, sounding_daemon):
    """The player, and the files that it has made of every form, all at the same time."""
    need(request.param, PACKAGES[request.param])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
        folder.chmod(0o777)

        def play(form):
            file = folder / f"{form}.{form if request.param == 'curl' else 'wav'}"
            PLAYERS[request.param](f"{sounding_daemon.url}/stream.{form}", file, form)
            return file

        forms = [form for form in FORMS if (request.param, form) not in NOT_JUDGED]
        with ThreadPoolExecutor(len(forms)) as pool:
            yield request.param, dict(zip(forms, pool.map(play, forms), strict=True))


def sound_in(file):
    """What the file holds, at `RATE_HZ`: float32 ``(2, frames)``."""
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE_HZ)
    with av.open(str(file)) as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray() for frame in frames], axis=1)


@pytest.mark.parametrize("form", FORMS)
def test_players_play_every_stream_without_silence_or_clicks(played, form):
    player, files = played
    if form not in files:
        pytest.skip(NOT_JUDGED[player, form])
    sound = sound_in(files[form])[:, int(BEGINNING_SECONDS * RATE_HZ) :]
    seconds = sound.shape[1] / RATE_HZ
    loudness = pyloudnorm.Meter(RATE_HZ).integrated_loudness(sound.T)
    whole = sound[:, : sound.shape[1] // 4410 * 4410].reshape(2, -1, 4410)
    quietest_dbfs = 10 * np.log10(np.mean(whole**2, axis=(0, 2)).min() + 1e-12)
    print(f"{player} {form}: {seconds:.1f} s, {loudness:.1f} LUFS, the quietest 100 ms {quietest_dbfs:.1f} dBFS")
    assert seconds > LEAST_SECONDS
    assert -26 < loudness < -12
    assert quietest_dbfs > SILENCE_DBFS
    assert clicks(sound) == 0
