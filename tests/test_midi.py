"""The MIDI file, read back by mido."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import mido
import pytest

from auralisd.composition import Composer
from auralisd.controls import Controls
from auralisd.midi import write_midi
from auralisd.score import ControlChange, Note, ScoreSlice, joined
from auralisd.units import SAMPLE_RATE_HZ

SECONDS = SAMPLE_RATE_HZ


def round_trip(piece: ScoreSlice, folder: Path) -> mido.MidiFile:
    path = folder / "piece.mid"
    with path.open("wb") as file:
        write_midi(piece, file)
    return mido.MidiFile(str(path))


def sounded(midi: mido.MidiFile) -> list[tuple[float, int]]:
    """(seconds, pitch) of every note, by mido's own clock."""
    now, notes = 0.0, []
    for message in midi:
        now += message.time
        if message.type == "note_on":
            notes.append((now, message.note))
    return notes


@pytest.fixture(scope="module")
def piece() -> ScoreSlice:
    change = ControlChange(at_frames=100 * SECONDS, changed={"tempo_bpm": 90.0}, cause="rest")
    return joined([Composer(seed=4, controls=Controls(mode="dorian"), log=(change,)).advance(400 * SECONDS)])


def test_each_layer_that_sounds_has_a_track_of_its_name(piece: ScoreSlice, tmp_path: Path) -> None:
    names = [track.name for track in round_trip(piece, tmp_path).tracks]
    assert names[0] == "auralisd"
    assert set(names[1:]) == {note.layer for note in piece.notes}


def test_every_note_sounds_when_the_score_says_through_a_change_of_tempo(piece: ScoreSlice, tmp_path: Path) -> None:
    heard = sounded(round_trip(piece, tmp_path))
    written = sorted((note.onset_frames / SAMPLE_RATE_HZ, note.pitch_midi) for note in piece.notes)
    assert Counter(pitch for _, pitch in heard) == Counter(pitch for _, pitch in written)
    for (at, _), (should_be, _) in zip(sorted(heard), written, strict=True):
        assert at == pytest.approx(should_be, abs=0.005)


def test_sections_and_chords_are_markers(piece: ScoreSlice, tmp_path: Path) -> None:
    markers = [message.text for message in round_trip(piece, tmp_path).tracks[0] if message.type == "marker"]
    assert next(text for text in markers if "(" in text).startswith("Emerge")
    assert [text for text in markers if "(" not in text] == [chord.name for chord in piece.chords]


def test_the_tempo_map_follows_the_bars_and_the_signature_the_mode(piece: ScoreSlice, tmp_path: Path) -> None:
    first = round_trip(piece, tmp_path).tracks[0]
    tempi = [mido.tempo2bpm(message.tempo) for message in first if message.type == "set_tempo"]
    assert tempi[0] == pytest.approx(60.0)
    assert tempi[-1] == pytest.approx(90.0, abs=0.01)
    keys = [message.key for message in first if message.type == "key_signature"]
    assert keys[0] == "G", "A dorian has the tones of G major"


def test_a_pitch_that_sounds_again_is_lifted_first(tmp_path: Path) -> None:
    notes = tuple(
        Note(
            note_id=number,
            onset_frames=number * SECONDS,
            duration_frames=3 * SECONDS,
            pitch_midi=60,
            velocity=0.5,
            layer="pad",
            role="inner",
        )
        for number in range(3)
    )
    midi = round_trip(ScoreSlice(start_frames=0, end_frames=9 * SECONDS, notes=notes), tmp_path)
    down = 0
    for message in midi:
        down += {"note_on": 1, "note_off": -1}.get(message.type, 0)
        assert down in (0, 1)
    assert down == 0


def test_a_piece_from_the_middle_begins_at_time_zero(tmp_path: Path) -> None:
    start = 600 * SECONDS + 12_345
    late = joined([Composer(seed=4, start_frames=start).advance(start + 60 * SECONDS)])
    heard = sounded(round_trip(late, tmp_path))
    assert heard[0][0] == pytest.approx((late.notes[0].onset_frames - start) / SAMPLE_RATE_HZ, abs=0.01)


def test_an_empty_piece_is_a_valid_file(tmp_path: Path) -> None:
    assert round_trip(ScoreSlice(start_frames=0, end_frames=0), tmp_path).length == 0
