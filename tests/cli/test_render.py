"""A file of a piece: as long as asked, the same again from the same seed, and whole or not at all."""

from __future__ import annotations

import json
import signal
import sys
import time
import wave

import mido
import pytest

from auralisd.audio import AudioBlock
from auralisd.cli import performance, render
from auralisd.cli.performance import Performance
from auralisd.controls import Controls, merge_change
from auralisd.score import ControlChange
from auralisd.storage.state_file import SavedStation, StateFile
from auralisd.units import BLOCK_FRAMES, SAMPLE_RATE_HZ

SECOND = SAMPLE_RATE_HZ


def frames_of(path) -> tuple[int, bytes]:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, SAMPLE_RATE_HZ, 2)
        return file.getnframes(), file.readframes(file.getnframes())


def test_a_file_is_as_long_as_asked_and_the_same_again(command, home):
    for name in ("a.wav", "b.wav"):
        done = command("render", home / name, "--seed", 7, "--preset", "bright", "--seconds", "1.5", "--device", "cpu")
        assert done.status == 0, done.err
        assert "x real time" in done.err
    length, sound = frames_of(home / "a.wav")
    assert length == 1.5 * SECOND
    assert any(sound)
    assert frames_of(home / "b.wav") == (length, sound)


def test_score_and_midi_come_along(command, home):
    done = command(
        "render", home / "a.wav", "--seed", 7, "--seconds", 1, "--start", "0:30", "--events", home / "a.jsonl",
        "--midi", home / "a.mid", "--device", "cpu",
    )  # fmt: skip
    assert done.status == 0, done.err
    events = [json.loads(line) for line in (home / "a.jsonl").read_text().splitlines()]
    assert all(30 * SECOND <= e.get("onset_frames", e.get("at_frames", 0)) < 31 * SECOND for e in events)
    assert mido.MidiFile(home / "a.mid").length <= 6
    assert sorted(entry.name for entry in home.iterdir() if entry.is_file()) == ["a.jsonl", "a.mid", "a.wav"]


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (("--seconds", "0"), "--seconds"),
        (("--tempo-bpm", "500"), "--tempo-bpm"),
        (("--layer", "bells"), "NAME=DB"),
        (("--layer", "drums=1"), "--layer"),
        (("--layer", "bells=loud"), "dB"),
        (("--preset", "Foucs"), "Focus"),
        (("--key", "H"), "--key"),
        (("--from", "3"), "--station"),
        (("--station", "main", "--to", "9", "--seed", "1"), "--station"),
        (("--station", "main", "--to", "9", "--intensity", "0"), "--station"),
        (("--station", "main", "--from", "9", "--to", "3"), "--to"),
    ],
)
def test_what_cannot_be_played_is_wrong_usage_before_anything_is_loaded(command, home, argv, hint):
    outcome = command("render", home / "a.wav", *argv)
    assert outcome.status == 64
    assert hint in outcome.err
    assert not list(home.glob("a.wav*"))


@pytest.mark.parametrize("name", ["a.txt", "a", "nowhere/a.wav"])
def test_a_file_that_cannot_be_written_is_refused_before_torch_is_loaded(command, home, monkeypatch, name):
    monkeypatch.setattr(render, "played", lambda *_, **__: pytest.fail("rendered all the same"))
    outcome = command("render", home / name, "--seconds", 1)
    assert outcome.status == 64
    assert "loading" not in outcome.err


@pytest.mark.parametrize(("option", "name"), [("--midi", "nowhere/a.mid"), ("--events", "a.wav")])
def test_a_score_that_cannot_be_written_is_refused_before_hours_of_rendering(command, home, monkeypatch, option, name):
    monkeypatch.setattr(render, "played", lambda *_, **__: pytest.fail("rendered all the same"))
    outcome = command("render", home / "a.wav", "--seconds", 1, option, home / name)
    assert outcome.status == 64
    assert name in outcome.err
    assert not list(home.glob("a.*"))


def saved(station_id, controls):
    """A station as the daemon keeps it, of seed 99."""
    return SavedStation(
        id=station_id, title="Auralis", seed=99, preset=None, pinned=False, epoch=1, position=0,
        start_controls=controls, controls=controls,
    )  # fmt: skip


def test_an_unknown_station_is_named_with_the_ones_there_are(command, home):
    with StateFile(home / ".local/state/auralisd") as state:
        state.save_stations([saved("cellar", Controls())])
    outcome = command("render", home / "a.wav", "--station", "attic", "--to", "5")
    assert outcome.status == 64
    assert "attic" in outcome.err
    assert "cellar" in outcome.err


def test_where_no_daemon_has_kept_anything_that_is_said_and_nothing_is_made(command, home):
    outcome = command("render", home / "a.wav", "--station", "main", "--to", "5")
    assert outcome.status == 78
    assert "--state-dir" in outcome.err
    assert list(home.iterdir()) == []


def test_a_stations_log_is_played_again(command, home, monkeypatch):
    start, _ = merge_change(Controls(), {"key": "D"})
    change = ControlChange(at_frames=2 * SECOND, changed={"brightness": 0.9}, cause="rest")
    with StateFile(home / ".local/state/auralisd") as state:
        state.save_stations([saved("main", start)])
        state.append_changes("main", [change])
    seen: list[Performance] = []

    def played(asked: Performance, *, device: str, shelf):
        seen.append(asked)
        for position in range(asked.begin_frames, asked.end_frames, BLOCK_FRAMES):
            yield AudioBlock(position=position, pcm16=bytes(4 * BLOCK_FRAMES))

    monkeypatch.setattr(render, "played", played)
    assert command("render", home / "a.wav", "--station", "main", "--from", 1, "--to", "0:04").status == 0
    assert frames_of(home / "a.wav")[0] == 3 * SECOND
    assert (seen[0].seed, seen[0].controls, seen[0].log) == (99, start, (change,))


class Recorder:
    """Stands in for the synthesiser: remembers with which controls each block was rendered."""

    def __init__(self, *, seed, device, position, controls, shelf) -> None:
        self.position = position
        self.begun_at = position
        self.seen: list[tuple[int, float]] = []
        self.notes: list[int] = []
        Recorder.last = self

    last: Recorder

    def accept(self, piece) -> None:
        self.notes += [note.onset_frames for note in piece.notes]

    def render(self, controls, frames):
        self.seen.append((self.position, controls.brightness))
        self.position += frames
        return AudioBlock(position=self.position - frames, pcm16=bytes(4 * frames))


def test_a_change_of_the_log_is_heard_from_its_frame_on_and_the_score_arrives_in_time(monkeypatch):
    monkeypatch.setattr("auralisd.synthesis.Renderer", Recorder)
    at = 3 * SECOND - 1
    asked = Performance(
        seed=1,
        controls=Controls(),
        begin_frames=0,
        end_frames=60 * SECOND,
        log=(ControlChange(at_frames=at, changed={"brightness": 0.9}, cause="rest"),),
    )
    blocks = list(performance.played(asked, device="cpu"))
    assert [block.position for block in blocks] == list(range(0, 60 * SECOND, BLOCK_FRAMES))
    assert all((brightness == 0.9) == (position >= at) for position, brightness in Recorder.last.seen)
    assert min(Recorder.last.notes) >= 0
    assert max(Recorder.last.notes) >= 40 * SECOND


def test_a_start_in_the_middle_is_played_into_and_only_what_was_asked_for_is_handed_out(monkeypatch):
    monkeypatch.setattr("auralisd.synthesis.Renderer", Recorder)
    begin = 3600 * SECOND + 1234
    asked = Performance(seed=1, controls=Controls(), begin_frames=begin, end_frames=begin + SECOND)
    blocks = list(performance.played(asked, device="cpu"))
    assert Recorder.last.begun_at <= begin - performance.PRE_ROLL_FRAMES
    handed_out = [block for block in blocks if block is not None]
    assert handed_out[0].position <= begin < handed_out[0].end
    assert handed_out[-1].end >= begin + SECOND
    sound = b"".join(render._within(block, asked) for block in handed_out)
    assert len(sound) == 4 * SECOND


def test_a_file_is_made_with_the_kernel_the_daemon_has_compiled_here(kernel_directory, tmp_path, monkeypatch):
    monkeypatch.setenv("CACHE_DIRECTORY", str(kernel_directory.parent))
    assert performance.kept_kernel().kernel is not None
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path))
    assert performance.kept_kernel().kernel is None


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_render_that_is_stopped_leaves_nothing_behind(process, home, signal_number):
    child = process("render", home / "long.flac", "--seed", "7", "--seconds", "10:00:00", "--device", "cpu")
    part = home / "long.flac.part"
    until = time.monotonic() + 90
    while not (part.exists() and part.stat().st_size > 20_000):
        assert child.poll() is None, child.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.05)
    child.send_signal(signal_number)
    assert child.wait(timeout=30) == 130
    assert not list(home.glob("long*"))
