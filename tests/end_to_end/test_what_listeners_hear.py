"""The sound itself, as it comes out of a real daemon through decoders that are not ours."""

import contextlib
import itertools
import json
import re
import struct
import subprocess
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.live.listeners import HEADER, connect, next_message
from tests.live.sound import clicks

pytestmark = pytest.mark.realtime

RATES_HZ = {"opus": 48_000, "mp3": 44_100, "flac": 44_100, "aac": 44_100, "wav": 44_100}
PITCH_CLASSES = {"A aeolian": {9, 11, 0, 2, 4, 5, 7}, "Eb aeolian": {3, 5, 6, 8, 10, 11, 1}}


class Recording:
    """What one WebSocket listener receives as 16-bit PCM, with the time of each arrival."""

    def __init__(self, port):
        self.arrivals = []  # (arrived at, position, float32 (2, frames))
        self._listener = connect(port, "auralis.v1.pcm16")
        self._listener.connection.setblocking(True)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._record)
        self._thread.start()

    def _record(self):
        buffered, head_seen = bytearray(), False
        self._listener.connection.settimeout(0.2)
        while not self._ended.is_set():
            try:
                buffered += self._listener.connection.recv(65536)
            except TimeoutError:
                continue
            if not head_seen:
                _head, found, rest = buffered.partition(b"\r\n\r\n")
                if not found:
                    continue
                buffered, head_seen = bytearray(rest), True
            while (message := next_message(buffered)) is not None:
                if message[0] == 2:
                    position = HEADER.unpack_from(message[1])[4]
                    sound = np.frombuffer(message[1], dtype="<i2", offset=HEADER.size).reshape(-1, 2).T / 32768
                    self.arrivals.append((time.monotonic(), position, sound.astype(np.float32)))

    def stop(self):
        self._ended.set()
        self._thread.join(timeout=5)
        self._listener.connection.close()

    def sound(self, since=0.0):
        return np.concatenate([sound for at, _, sound in self.arrivals if at >= since], axis=1)


class Decoding:
    """The Opus stream as ffmpeg decodes it, a tenth of a second at a time, with the time of each."""

    def __init__(self, url):
        self.arrivals = []  # (decoded at, position: none, float32 (2, frames))
        quick = ["-fflags", "nobuffer", "-probesize", "32", "-analyzeduration", "0"]
        command = ["ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "error", *quick, "-i", url]
        command += ["-flush_packets", "1", "-f", "s16le", "-ac", "2", "-ar", "44100", "-"]
        self._ffmpeg = subprocess.Popen(command, stdout=subprocess.PIPE)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self):
        while len(block := self._ffmpeg.stdout.read(4410 * 4)) == 4410 * 4:
            sound = np.frombuffer(block, dtype="<i2").reshape(-1, 2).T / 32768
            self.arrivals.append((time.monotonic(), None, sound.astype(np.float32)))

    def stop(self):
        self._ffmpeg.terminate()
        self._thread.join(timeout=5)
        self._ffmpeg.stdout.close()
        self._ffmpeg.wait(timeout=5)


@pytest.fixture
def recording(sounding_daemon):
    made = Recording(sounding_daemon.port)
    time.sleep(4)
    yield made
    made.stop()


def turn(daemon, **controls):
    daemon.send_json("PATCH", "/api/v1/stations/main/controls", controls)
    return time.monotonic()


def test_a_click_would_be_found():
    t = np.arange(44_100) / 44_100
    tone = 0.2 * np.sin(2 * np.pi * 220 * t) + 1e-4 * np.random.default_rng(1).standard_normal(44_100)
    sound = np.stack([tone, tone]).astype(np.float32)
    assert clicks(sound) == 0
    sound[:, 20_000:] *= 0.7
    assert clicks(sound) == 1


@pytest.fixture(scope="module")
def decodings(sounding_daemon):
    """Thirty seconds of each format, decoded by ffmpeg, all at the same time: what it said, and how long it took."""
    measure = ["-t", "30", "-af", "ebur128=peak=true:framelog=verbose", "-f", "null", "-"]
    with ThreadPoolExecutor(len(RATES_HZ)) as pool:

        def decode(form):
            url = f"{sounding_daemon.url}/stream.{form}"
            command = ["ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-i", url, *measure]
            began = time.monotonic()
            done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
            return done.stderr, time.monotonic() - began

        return dict(zip(RATES_HZ, pool.map(decode, RATES_HZ), strict=True))


@pytest.mark.parametrize("form", RATES_HZ)
def test_ffmpeg_decodes_30_seconds_of_each_format_at_the_right_rate_and_level(decodings, form):
    said, took_seconds = decodings[form]
    summary = said[said.rindex("Summary:") :]
    loudness = float(re.search(r"I:\s+(-?[\d.]+) LUFS", summary)[1])
    true_peak = float(re.search(r"Peak:\s+(-?[\d.]+) dBFS", summary)[1])
    assert f"{RATES_HZ[form]} Hz, stereo" in said
    assert 20 < took_seconds < 38  # no faster than the head start allows, no slower than real time
    assert -22 < loudness < -14
    assert true_peak <= (-1.0 if form in ("wav", "flac") else -0.2)  # lossy codecs overshoot a little
    of_an_endless_wav = "Ignoring maximum wav data size, file may be invalid"
    complaints = re.findall(r"(?i).*(?:error|invalid|corrupt).*", said.replace(of_an_endless_wav, ""))
    assert not complaints


TURNS = 4
"""How often a control is turned: in the mean of several turns the music's own swell and ebb cancel out."""


def turned_often(daemon, name, away, back):
    """Turn a control ``TURNS`` times from ``back`` to ``away``; the moments at which it was."""
    moments = []
    turn(daemon, **{name: back})
    for _ in range(TURNS):
        time.sleep(4)
        moments.append(turn(daemon, **{name: away}))
        time.sleep(4)
        turn(daemon, **{name: back})
    return moments


def mean_course_db(recording, moments, measure):
    """How a power measured packet by packet goes on after each turn, relative to the packets before it.

    Returns:
        Pairs of seconds after the turn, in steps of a packet, and decibels, the mean of all turns.
    """
    courses = []
    for turned_at in moments:
        before = np.mean([10 * np.log10(measure(s)) for at, _, s in recording.arrivals if 0 < turned_at - at < 1.5])
        after = [10 * np.log10(measure(s)) - before for at, _, s in recording.arrivals if 0 < at - turned_at < 3.9]
        courses.append(after[:38])
    return [(0.1 * (place + 1), float(np.mean(course))) for place, course in enumerate(zip(*courses, strict=True))]


def first_heard(course, fall_db):
    """When the course has fallen by ``fall_db`` for good."""
    return next(seconds for place, (seconds, _) in enumerate(course) if all(db < -fall_db for _, db in course[place:]))


def test_a_level_change_over_rest_is_heard_within_a_second_without_a_click(sounding_daemon, recording):
    moments = turned_often(sounding_daemon, "level_db", away=-18, back=0)
    course = mean_course_db(recording, moments, lambda sound: np.mean(sound**2) + 1e-12)
    assert first_heard(course, fall_db=2.0) <= 1.0
    assert np.mean([db for seconds, db in course if seconds > 2.5]) < -12
    assert clicks(recording.sound(moments[0])) == 0


def test_a_level_change_over_rest_is_heard_within_a_second_in_what_ffmpeg_decodes(sounding_daemon):
    decoding = Decoding(f"{sounding_daemon.url}/stream.opus?burst=0")
    time.sleep(4)
    try:
        moments = turned_often(sounding_daemon, "level_db", away=-18, back=0)
    finally:
        decoding.stop()
    course = mean_course_db(decoding, moments, lambda sound: np.mean(sound**2) + 1e-12)
    assert first_heard(course, fall_db=2.0) <= 1.0
    assert np.mean([db for seconds, db in course if seconds > 2.5]) < -12


def test_a_timbre_change_over_rest_is_heard_within_a_second_without_a_click(sounding_daemon, recording):
    def treble_share(sound):
        spectrum = np.abs(np.fft.rfft(sound.mean(axis=0) * np.hanning(sound.shape[1]))) ** 2
        frequencies = np.fft.rfftfreq(sound.shape[1], 1 / 44_100)
        return spectrum[frequencies > 2500].sum() / spectrum.sum()

    moments = turned_often(sounding_daemon, "brightness", away=0.0, back=1.0)
    turn(sounding_daemon, brightness=0.5)
    course = mean_course_db(recording, moments, treble_share)
    assert first_heard(course, fall_db=1.0) <= 1.0
    assert np.mean([db for seconds, db in course if seconds > 2.5]) < -6
    assert clicks(recording.sound(moments[0])) == 0


def test_a_change_of_key_over_rest_is_heard_within_5_seconds_without_a_click(sounding_daemon, recording):
    new_only = PITCH_CLASSES["Eb aeolian"] - PITCH_CLASSES["A aeolian"]
    old_only = PITCH_CLASSES["A aeolian"] - PITCH_CLASSES["Eb aeolian"]
    turn(sounding_daemon, key="A", mode="aeolian", space=0.2)
    time.sleep(12)
    turned_at = turn(sounding_daemon, key="Eb")
    time.sleep(12)
    energy_before = pitch_class_energy(
        np.concatenate([s for at, _, s in recording.arrivals if at < turned_at][-40:], 1)
    )
    share_before = sum(energy_before[pc] for pc in new_only) / energy_before.sum()
    at_5_seconds = [s for at, _, s in recording.arrivals if turned_at + 3.0 < at < turned_at + 5.5]
    energy = pitch_class_energy(np.concatenate(at_5_seconds, 1))
    share_after = sum(energy[pc] for pc in new_only) / energy.sum()
    settled = pitch_class_energy(recording.sound(turned_at + 9))
    assert share_after > max(0.15, 2.5 * share_before)
    assert sum(settled[pc] for pc in new_only) > sum(settled[pc] for pc in old_only)
    assert clicks(recording.sound(turned_at)) == 0
    turn(sounding_daemon, key="A", space=0.5)


def pitch_class_energy(sound):
    """Energy by pitch class, C first, from 100 Hz to 2 kHz."""
    mono = sound.mean(axis=0)
    spectrum = np.abs(np.fft.rfft(mono * np.hanning(len(mono)))) ** 2
    frequencies = np.fft.rfftfreq(len(mono), 1 / 44_100)
    heard = (frequencies > 100) & (frequencies < 2000)
    classes = np.round(69 + 12 * np.log2(frequencies[heard] / 440)).astype(int) % 12
    return np.bincount(classes, weights=spectrum[heard], minlength=12)


def test_ten_listeners_of_mixed_kinds_get_the_same_packets(sounding_daemon):
    kinds = ["auralis.v1.opus"] * 3 + ["auralis.v1.pcm16"] * 3 + ["wav"] * 2 + ["opus"] * 2
    listeners = [connect(sounding_daemon.port, kind) for kind in kinds]
    bodies = [bytearray() for _ in listeners]
    ends_at = time.monotonic() + 6
    while time.monotonic() < ends_at:
        for one, body in zip(listeners, bodies, strict=True):
            with contextlib.suppress(BlockingIOError):
                body += one.connection.recv(262_144)
        time.sleep(0.005)
    for one in listeners:
        one.connection.close()
    for kind in ("auralis.v1.opus", "auralis.v1.pcm16"):
        packets = [packets_by_position(body) for one, body in zip(listeners, bodies, strict=True) if one.form == kind]
        common = set.intersection(*(set(found) for found in packets))
        assert len(common) > 20
        assert all(found[position] == packets[0][position] for found in packets for position in common)
    heads_off = [bytes(body.partition(b"\r\n\r\n")[2]) for body in bodies]
    pcm_of_a_packet = next(iter(packets_by_position(bodies[4]).values()))[HEADER.size :]
    assert all(pcm_of_a_packet in sound for sound in heads_off[6:8])
    tail = heads_off[8][-4000:-2000]
    assert tail in heads_off[9]


def packets_by_position(body):
    buffered = bytearray(body.partition(b"\r\n\r\n")[2])
    packets = {}
    while (message := next_message(buffered)) is not None:
        if message[0] == 2:
            packets[HEADER.unpack_from(message[1])[4]] = message[1]
    return packets


def test_the_v0_client_works_unchanged(sounding_daemon):
    listener = connect(sounding_daemon.port, "auralis.v0.json")
    listener.connection.setblocking(True)
    listener.connection.settimeout(2)
    received = bytearray()
    ends_at = time.monotonic() + 4
    while time.monotonic() < ends_at:
        received += listener.connection.recv(262_144)
    listener.connection.close()
    buffered = bytearray(received.partition(b"\r\n\r\n")[2])
    messages = []
    while (message := next_message(buffered)) is not None:
        assert message[0] == 1
        messages.append(json.loads(message[1]))
    assert len(messages) >= 25
    assert [message["sequence"] for message in messages] == list(range(len(messages)))
    for message in messages:
        assert set(message) == {
            "type", "timestamp", "sequence", "sample_rate", "channels", "duration_ms", "format", "data",
        }  # fmt: skip
        assert (message["type"], message["format"], message["sample_rate"]) == ("audio_chunk", "pcm16", 44_100)
        assert (message["channels"], message["duration_ms"]) == (2, 100)
        assert abs(message["timestamp"] / 1000 - time.time()) < 60
    sizes = {len(__import__("base64").b64decode(message["data"])) for message in messages}
    assert sizes == {17_640}


def test_sound_is_made_and_delivered_in_real_time(sounding_daemon):
    recording = Recording(sounding_daemon.port)
    time.sleep(30)
    recording.stop()
    arrived = [at for at, _, _ in recording.arrivals]
    gaps = sorted(later - earlier for earlier, later in itertools.pairwise(arrived))
    assert gaps[int(len(gaps) * 0.99)] < 0.2  # packets of 100 ms
    positions = [position for _, position, _ in recording.arrivals]
    assert {later - earlier for earlier, later in itertools.pairwise(positions)} == {4410}
    metrics = sounding_daemon.get_json("/api/status")["metrics"]
    assert metrics["synthesis_latency_ms"] < 100  # the budget for 100 ms of sound


def test_what_is_turned_is_at_the_speaker_within_800_ms(sounding_daemon, recording):
    delays = []
    for level_db in (-20, 0, -20, 0, -20, 0):
        time.sleep(2.5)
        answer = sounding_daemon.send_json("PATCH", "/api/v1/stations/main/controls", {"level_db": level_db})
        delays.append(answer["applied_at"]["level_db"]["seconds_from_now"])
    assert max(delays) < 0.55  # leaves a quarter of a second to the player's buffer
    assert struct.calcsize("<2sBBIQdHBBI") == HEADER.size


def test_an_export_is_sample_by_sample_what_was_streamed(sounding_daemon, recording):
    time.sleep(30)
    turn(sounding_daemon, space=0.8, key="E")
    time.sleep(115)  # longer than the pre-roll of the export
    positions = [position for _, position, _ in recording.arrivals]
    begin, frames = positions[-1] - 12 * 44_100, 10 * 44_100
    wanted = {"format": "wav", "seconds": 10, "from_position": begin}
    export = sounding_daemon.send_json("POST", "/api/v1/stations/main/exports", wanted)
    while export["state"] in ("waiting", "rendering"):
        time.sleep(0.5)
        export = sounding_daemon.get_json(f"/api/v1/exports/{export['id']}")
    assert export["why"] is None
    with urllib.request.urlopen(sounding_daemon.url + export["sound"]) as answer:
        exported = np.frombuffer(answer.read()[-4 * frames :], dtype="<i2").reshape(-1, 2).T / np.float32(32768)
    streamed = recording.sound()[:, begin - positions[0] :][:, :frames]
    assert np.abs(streamed).max() > 0.02
    np.testing.assert_array_equal(exported, streamed)
