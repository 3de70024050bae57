"""The MIDI file, read back by mido."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import mido
import pytest

from auralisd.composition import Composer
from auralisd.composition.beat_clock import BeatClock
from auralisd.composition.pitch import region
from auralisd.controls import KEYS, LAYERS, MODES, Controls
from auralisd.midi import PERCUSSION_CHANNEL, TICKS_PER_BEAT, key_signature, write_midi
from auralisd.score import Bar, ControlChange, Note, ScoreSlice, joined
from auralisd.units import SAMPLE_RATE_HZ

SECONDS = SAMPLE_RATE_HZ


def round_trip(piece: ScoreSlice, folder: Path) -> mido.MidiFile:
    path = folder / "piece.mid"
    with path.open("wb") as file:
        write_midi(piece, file)
    return mido.MidiFile(str(path))


def ticked(track: mido.MidiTrack) -> list[tuple[int, mido.Message]]:
    """(tick, message) of a track."""
    now, timed = 0, []
    for message in track:
        now += message.time
        timed.append((now, message))
    return timed


class Clock:
    """Ticks to seconds by the file's own tempo map."""

    def __init__(self, midi: mido.MidiFile) -> None:
        tempi = [(tick, message.tempo) for tick, message in ticked(midi.tracks[0]) if message.type == "set_tempo"]
        assert tempi[0][0] == 0, "a DAW needs the tempo before the first note"
        self.changes = [(tempi[0][0], 0.0, tempi[0][1])]
        for (before, tempo), (tick, changed) in pairwise(tempi):
            elapsed = self.changes[-1][1] + mido.tick2second(tick - before, midi.ticks_per_beat, tempo)
            self.changes.append((tick, elapsed, changed))
        self.ticks_per_beat = midi.ticks_per_beat

    def seconds(self, tick: int) -> tuple[float, float]:
        """When a tick is, and how long it lasts."""
        at, elapsed, tempo = [change for change in self.changes if change[0] <= tick][-1]
        return (
            elapsed + mido.tick2second(tick - at, self.ticks_per_beat, tempo),
            mido.tick2second(1, self.ticks_per_beat, tempo),
        )


def keystrokes(track: mido.MidiTrack) -> list[tuple[int, int, int, int]]:
    """(on tick, off tick, channel, key) of every note; fails where one hangs or is struck while it is down."""
    down: dict[tuple[int, int], int] = {}
    strokes = []
    for tick, message in ticked(track):
        if message.type == "note_on" and message.velocity > 0:
            key = message.channel, message.note
            assert key not in down, f"{key} is struck again while it is down, at tick {tick}"
            down[key] = tick
        elif message.type in ("note_off", "note_on"):
            key = message.channel, message.note
            strokes.append((down.pop(key), tick, *key))
    assert down == {}, "a note hangs"
    return strokes


def assert_on_time(midi: mido.MidiFile, piece: ScoreSlice) -> None:
    """Every onset and every end within a tick of the score's frame, layer by layer."""
    clock = Clock(midi)
    by_name = {track.name: track for track in midi.tracks}
    for layer in {note.layer for note in piece.notes}:
        starts = sorted(on for on, _, _, _ in keystrokes(by_name[layer.capitalize()]))
        onsets = sorted(note.onset_frames - piece.start_frames for note in piece.notes if note.layer == layer)
        assert len(starts) == len(onsets)
        for tick, frames in zip(starts, onsets, strict=True):
            at, tick_seconds = clock.seconds(tick)
            assert abs(at - frames / SAMPLE_RATE_HZ) <= tick_seconds, f"{layer} at {frames / SAMPLE_RATE_HZ:.3f} s"


@pytest.fixture(scope="module")
def piece() -> ScoreSlice:
    changes = (
        ControlChange(at_frames=100 * SECONDS, changed={"tempo_bpm": 90.0}, cause="rest"),
        ControlChange(at_frames=200 * SECONDS, changed={"key": "E", "mode": "phrygian"}, cause="rest"),
        ControlChange(at_frames=201 * SECONDS, changed={"intensity": 0.8}, cause="rest"),
    )
    return joined([Composer(seed=4, controls=Controls(mode="dorian"), log=changes).advance(1500 * SECONDS)])


@pytest.fixture(scope="module")
def midi(piece: ScoreSlice, tmp_path_factory: pytest.TempPathFactory) -> mido.MidiFile:
    return round_trip(piece, tmp_path_factory.mktemp("midi"))


def test_each_layer_that_sounds_has_a_track_of_its_name(piece: ScoreSlice, midi: mido.MidiFile) -> None:
    assert midi.type == 1
    names = [track.name for track in midi.tracks]
    assert names[0] == "auralisd"
    assert names[1:] == [layer.capitalize() for layer in LAYERS if layer in {note.layer for note in piece.notes}]


def test_the_conductor_plays_no_notes_and_the_others_set_no_tempo(midi: mido.MidiFile) -> None:
    assert all(message.is_meta for message in midi.tracks[0])
    for track in midi.tracks[1:]:
        assert {message.type for message in track if message.is_meta} <= {
            "track_name", "instrument_name", "end_of_track",
        }  # fmt: skip


def test_every_layer_has_a_channel_and_an_instrument_and_the_drums_are_on_the_tenth(midi: mido.MidiFile) -> None:
    channels = {}
    for track in midi.tracks[1:]:
        used = {message.channel for message in track if not message.is_meta}
        assert len(used) == 1
        channels[track.name] = used.pop()
        programs = [message for message in track if message.type == "program_change"]
        assert len(programs) == (track.name != "Percussion")
    assert channels["Percussion"] == PERCUSSION_CHANNEL == 9
    assert len(set(channels.values())) == len(channels)


def test_every_note_of_the_score_is_struck_once(piece: ScoreSlice, midi: mido.MidiFile) -> None:
    by_name = {track.name: track for track in midi.tracks}
    for layer in {note.layer for note in piece.notes}:
        written = Counter(note.pitch_midi for note in piece.notes if note.layer == layer)
        struck = Counter(key for _, _, _, key in keystrokes(by_name[layer.capitalize()]))
        if layer == "percussion":
            assert struck.total() == written.total()
        else:
            assert struck == written


def test_every_onset_is_within_a_tick_of_the_score_through_changes_of_tempo(
    piece: ScoreSlice, midi: mido.MidiFile
) -> None:
    assert len({bar.tempo_bpm for bar in piece.bars}) > 1
    assert_on_time(midi, piece)


def test_notes_end_when_the_score_says_or_just_before_their_key_is_needed_again(
    piece: ScoreSlice, midi: mido.MidiFile
) -> None:
    clock = Clock(midi)
    pad = next(track for track in midi.tracks if track.name == "Pad")
    strokes = sorted((on, key, off) for on, off, _, key in keystrokes(pad))
    again: dict[int, list[int]] = {}
    for on, key, _ in strokes:
        again.setdefault(key, []).append(on)
    written = sorted(
        (note for note in piece.notes if note.layer == "pad"), key=lambda note: (note.onset_frames, note.pitch_midi)
    )
    ends = {(note.pitch_midi, note.onset_frames): note.onset_frames + note.duration_frames for note in written}
    for note, (_, key, off) in zip(written, strokes, strict=True):
        assert key == note.pitch_midi
        at, tick_seconds = clock.seconds(off)
        on_time = abs(at - ends[note.pitch_midi, note.onset_frames] / SAMPLE_RATE_HZ) <= 2 * tick_seconds
        assert on_time or off in again[key]


def test_a_night_keeps_time_to_a_tick(tmp_path: Path) -> None:
    clock = BeatClock.starting(61.7).slewed(7_000 * SECONDS, 77.3)
    bars = tuple(
        Bar(index=index, onset_frames=(at := clock.frame_of_bar(index)), tempo_bpm=clock.tempo_bpm(at))
        for index in range(9_000)
    )
    assert bars[-1].onset_frames > 8 * 3600 * SECONDS
    notes = tuple(
        Note(note_id=bar.index, onset_frames=bar.onset_frames + 777 * bar.index % 100_000, duration_frames=20_000,
             pitch_midi=60, velocity=0.5, layer="melody", role="phrase")
        for bar in bars[::50]
    )  # fmt: skip
    piece = ScoreSlice(start_frames=0, end_frames=bars[-1].onset_frames, notes=notes, bars=bars)
    night = round_trip(piece, tmp_path)
    assert_on_time(night, piece)
    tempi = [message.tempo for message in night.tracks[0] if message.type == "set_tempo"]
    assert len(tempi) < 200, "a tempo map for people, not one entry a bar"


def test_sections_regions_and_chords_are_markers(piece: ScoreSlice, midi: mido.MidiFile) -> None:
    markers = [message.text for message in midi.tracks[0] if message.type == "marker"]
    assert markers[0].startswith("Emerge in A dorian (drone, pad")
    assert "E phrygian" in markers, "a region that a control chose is named where it begins"
    names = [chord.name for chord in piece.chords]
    assert [text for text in markers if text in names] == names
    assert sum("(" in text for text in markers) == len(piece.sections)


def test_signatures_follow_the_regions_and_say_which_mode_they_mean(piece: ScoreSlice, midi: mido.MidiFile) -> None:
    regions = [(chord.tonic, chord.mode) for chord in piece.chords]
    changes = [place for before, place in pairwise([None, *regions]) if place != before]
    told = [message.text for message in midi.tracks[0] if message.type == "text"]
    assert [text.split(",")[0] for text in told] == [f"{tonic} {mode}" for tonic, mode in changes]
    assert told[0] == "A dorian, the tones of G major"
    signatures = [message.key for message in midi.tracks[0] if message.type == "key_signature"]
    wanted = [key_signature(*place) for place in changes]
    assert signatures == [now for before, now in pairwise([None, *wanted]) if now != before]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("tonic", KEYS)
def test_a_signature_has_the_seven_tones_of_its_region(tonic: str, mode: str) -> None:
    sharps = "FCGDAEB"
    circle = {"C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5, "F#": 6, "F": -1, "Bb": -2, "Eb": -3, "Ab": -4, "Db": -5}
    minor = {"A": 0, "E": 1, "B": 2, "F#": 3, "C#": 4, "G#": 5, "D#": 6, "D": -1, "G": -2, "C": -3, "F": -4, "Bb": -5}
    signature = key_signature(tonic, mode)
    count = minor[signature[:-1]] if signature.endswith("m") else circle[signature]
    naturals = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
    for letter in sharps[:count] if count > 0 else sharps[::-1][:-count] if count else "":
        naturals[letter] += 1 if count > 0 else -1
    assert {pitch % 12 for pitch in naturals.values()} == set(region(KEYS.index(tonic), mode).classes)


def test_a_steady_tempo_is_written_once(tmp_path: Path) -> None:
    steady = joined([Composer(seed=4).advance(600 * SECONDS)])
    track = round_trip(steady, tmp_path).tracks[0]
    tempi = [mido.tempo2bpm(message.tempo) for message in track if message.type == "set_tempo"]
    assert tempi == [60.0]
    metres = [(message.numerator, message.denominator) for message in track if message.type == "time_signature"]
    assert metres == [(4, 4)]


def test_a_pitch_that_sounds_again_is_lifted_first(tmp_path: Path) -> None:
    notes = tuple(
        Note(
            note_id=number,
            onset_frames=at * SECONDS,
            duration_frames=3 * SECONDS,
            pitch_midi=60,
            velocity=0.5,
            layer="pad",
            role="inner",
        )
        for number, at in enumerate((0, 1, 1, 2))
    )
    midi = round_trip(ScoreSlice(start_frames=0, end_frames=9 * SECONDS, notes=notes), tmp_path)
    beat = TICKS_PER_BEAT
    assert sorted((on, off) for on, off, _, _ in keystrokes(midi.tracks[1])) == [
        (0, beat), (beat, beat + 1), (beat + 1, 2 * beat), (2 * beat, 5 * beat),
    ]  # fmt: skip


def test_a_piece_from_the_middle_begins_at_time_zero_with_a_pickup_at_a_sensible_tempo(tmp_path: Path) -> None:
    start = 600 * SECONDS + 12_345
    late = joined([Composer(seed=4, start_frames=start).advance(start + 60 * SECONDS)])
    midi = round_trip(late, tmp_path)
    assert_on_time(midi, late)
    first, second = [message for message in midi.tracks[0] if message.type == "time_signature"]
    assert first.denominator == 32
    assert (second.numerator, second.denominator) == (4, 4)
    tempi = [mido.tempo2bpm(message.tempo) for message in midi.tracks[0] if message.type == "set_tempo"]
    assert all(54 < tempo < 66 for tempo in tempi)


def test_an_empty_piece_is_a_valid_file(tmp_path: Path) -> None:
    assert round_trip(ScoreSlice(start_frames=0, end_frames=0), tmp_path).length == 0
