"""The score: what composition writes, synthesis sounds and the event stream shows.

Everything here is a frozen value. Positions are programme frames since the start of
the piece. ``ScoreSlice`` is what the composer hands to the renderer; ``event_lines``
writes the event stream as JSON lines.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from auralisd.controls import LAYERS

SEED_BITS: Final = 53
LARGEST_SEED: Final = 2**SEED_BITS - 1
"""Of a piece: the largest whole number that every JSON reader keeps whole."""

_LAYER_ORDER = {layer: index for index, layer in enumerate(LAYERS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One sound to be made.

    Attributes:
        note_id: unique within the piece for its layer and ascending with composition order.
        onset_frames: exact to the sample.
        duration_frames: until the release begins; the patch's release follows.
        pitch_midi: MIDI pitch; for unpitched notes it selects the instrument's register.
        cents: deviation from equal temperament.
        velocity: 0 to 1; moves level, brightness and reverb send.
        layer: one of ``controls.LAYERS``.
        role: ``bass``, ``inner``, ``top``, ``phrase``, ``neighbour``, ``loop``, ``bell``, ``hit``, ``swell``, ...
        phrase: running number of the melodic phrase or of the bar, for people who read the score.
        motif: number of the motif it belongs to, each one its own through the piece; -1 where none is meant.
        chord_index: index of the chord that sounds.
        unpitched: percussion and texture.
    """

    note_id: int
    onset_frames: int
    duration_frames: int
    pitch_midi: int
    velocity: float
    layer: str
    role: str
    cents: float = 0.0
    phrase: int = 0
    motif: int = -1
    chord_index: int = 0
    unpitched: bool = False

    def as_event(self) -> dict[str, Any]:
        """The note as the event stream shows it."""
        event = {
            "kind": "note",
            "onset_frames": self.onset_frames,
            "duration_frames": self.duration_frames,
            "pitch_midi": self.pitch_midi,
            "cents": self.cents,
            "velocity": self.velocity,
            "layer": self.layer,
            "role": self.role,
            "phrase": self.phrase,
            "motif": self.motif,
            "chord_index": self.chord_index,
        }
        return event | {"unpitched": True} if self.unpitched else event


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A note handed over earlier ends before its written duration (a control cut it short)."""

    layer: str
    note_id: int
    at_frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chord:
    """A harmony and how it is laid out; ``voicing`` holds MIDI pitches, low to high."""

    index: int
    onset_frames: int
    duration_frames: int
    tonic: str
    mode: str
    degree: int
    quality: str
    voicing: tuple[int, ...]
    name: str

    def as_event(self) -> dict[str, Any]:
        """The chord as the event stream shows it."""
        return {
            "kind": "chord",
            "index": self.index,
            "onset_frames": self.onset_frames,
            "duration_frames": self.duration_frames,
            "tonic": self.tonic,
            "mode": self.mode,
            "degree": self.degree,
            "quality": self.quality,
            "voicing": list(self.voicing),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A few minutes of one character; ``layers`` are those that may sound in it."""

    index: int
    onset_frames: int
    duration_frames: int
    archetype: str
    layers: tuple[str, ...]

    def as_event(self) -> dict[str, Any]:
        """The section as the event stream shows it."""
        return {
            "kind": "section",
            "index": self.index,
            "onset_frames": self.onset_frames,
            "duration_frames": self.duration_frames,
            "archetype": self.archetype,
            "layers": list(self.layers),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """The beat clock at a bar line."""

    index: int
    onset_frames: int
    tempo_bpm: float

    def as_event(self) -> dict[str, Any]:
        """The bar line as the event stream shows it."""
        return {"kind": "bar", "index": self.index, "onset_frames": self.onset_frames, "tempo_bpm": self.tempo_bpm}


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlChange:
    """One entry of the controls log.

    Attributes:
        at_frames: first frame it can be heard in; the same log gives the same music.
        changed: the normalised part of the controls that was named (see ``controls.merge_change``).
        cause: ``rest``, ``ws`` or ``preset``.
    """

    at_frames: int
    changed: Mapping[str, Any]
    cause: str

    def as_event(self) -> dict[str, Any]:
        """The change as the event stream shows it."""
        return {
            "kind": "control",
            "at_frames": self.at_frames,
            "changed": {k: dict(v) if isinstance(v, Mapping) else v for k, v in self.changed.items()},
            "cause": self.cause,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why the music changed, in words a listener understands."""

    position: int
    text: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSlice:
    """All that begins in ``start_frames <= onset < end_frames``: the phrase the renderer is handed."""

    start_frames: int
    end_frames: int
    notes: tuple[Note, ...] = ()
    releases: tuple[Release, ...] = ()
    chords: tuple[Chord, ...] = ()
    sections: tuple[Section, ...] = ()
    bars: tuple[Bar, ...] = ()
    controls: tuple[ControlChange, ...] = ()
    reasons: tuple[Reason, ...] = ()


def joined(slices: Iterable[ScoreSlice]) -> ScoreSlice:
    """One slice out of consecutive ones, with early releases worked into the durations they cut.

    The result does not depend on where the cuts between the slices were.
    """
    parts = list(slices)
    ends: dict[tuple[str, int], int] = {}
    for part in parts:
        for release in part.releases:
            key = (release.layer, release.note_id)
            ends[key] = min(release.at_frames, ends.get(key, release.at_frames))
    notes = (_released(note, ends.get((note.layer, note.note_id))) for part in parts for note in part.notes)
    return ScoreSlice(
        start_frames=parts[0].start_frames if parts else 0,
        end_frames=parts[-1].end_frames if parts else 0,
        notes=tuple(sorted(notes, key=lambda n: (n.onset_frames, _LAYER_ORDER[n.layer], n.note_id))),
        chords=_with_real_durations(tuple(chord for part in parts for chord in part.chords)),
        sections=tuple(section for part in parts for section in part.sections),
        bars=tuple(bar for part in parts for bar in part.bars),
        controls=tuple(change for part in parts for change in part.controls),
        reasons=tuple(reason for part in parts for reason in part.reasons),
    )


def _released(note: Note, end_frames: int | None) -> Note:
    if end_frames is None or end_frames >= note.onset_frames + note.duration_frames:
        return note
    return replace(note, duration_frames=max(1, end_frames - note.onset_frames))


def _with_real_durations(chords: tuple[Chord, ...]) -> tuple[Chord, ...]:
    """A chord that a control cut short lasts until the next one begins."""
    ordered = sorted(chords, key=lambda chord: (chord.onset_frames, chord.index))
    cut = [
        replace(chord, duration_frames=min(chord.duration_frames, following.onset_frames - chord.onset_frames))
        for chord, following in itertools.pairwise(ordered)
    ]
    return (*cut, *ordered[-1:])


def events(piece: ScoreSlice) -> Iterator[dict[str, Any]]:
    """The events of ``piece``, sorted by onset, then kind or layer, then index."""
    rows: list[tuple[int, int, int, dict[str, Any]]] = []
    rows += [(c.at_frames, -4, i, c.as_event()) for i, c in enumerate(piece.controls)]
    rows += [(s.onset_frames, -3, s.index, s.as_event()) for s in piece.sections]
    rows += [(b.onset_frames, -2, b.index, b.as_event()) for b in piece.bars]
    rows += [(c.onset_frames, -1, c.index, c.as_event()) for c in piece.chords]
    rows += [(n.onset_frames, _LAYER_ORDER[n.layer], n.note_id, n.as_event()) for n in piece.notes]
    rows.sort(key=lambda row: row[:3])
    return (row[3] for row in rows)


def event_lines(piece: ScoreSlice) -> Iterator[str]:
    """The event stream, one JSON object a line, each ending with a newline."""
    return (json.dumps(event, separators=(",", ":"), ensure_ascii=True) + "\n" for event in events(piece))


def event_stream_sha256(piece: ScoreSlice) -> str:
    """The hash by which two pieces are the same piece."""
    digest = hashlib.sha256()
    for line in event_lines(piece):
        digest.update(line.encode("ascii"))
    return digest.hexdigest()
