"""Reading a score as a musician would: the figures by which it is judged.

``audited`` takes any piece (pass slices through ``score.joined`` first) and knows nothing of
how it was composed; what it finds is what is in the events.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from auralisd.composition.harmony import Harmony, harmony
from auralisd.composition.pitch import region
from auralisd.composition.quota import TWENTIETHS, Kind
from auralisd.composition.voicing import least_motion
from auralisd.controls import KEYS
from auralisd.score import Chord, Note, ScoreSlice
from auralisd.units import SAMPLE_RATE_HZ, frames_to_seconds

LONG_NOTE_FRAMES: Final = SAMPLE_RATE_HZ
WINDOW_NOTES: Final = 1_000
_THIRD: Final = 4
_FIFTH: Final = 7
_RUN: Final = 6
_SILENCE_GRID_FRAMES: Final = SAMPLE_RATE_HZ // 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmonies:
    """What the chords are like.

    Attributes:
        mean_motion_semitones: per voice and change, by least-motion pairing.
        widest_motion_semitones: of any voice.
        outer_parallels: parallel fifths and octaves between bass and top.
        block_shifts: changes in which all voices move by the same interval.
        common_tone_share: of changes that keep a pitch.
        degree_shares: per mode, of the seven degrees.
        repeated_runs: runs of six (tonic, degree, voicing) heard before.
        shortest_seconds: of any chord.
        longest_seconds: of any chord.
    """

    mean_motion_semitones: float
    widest_motion_semitones: int
    outer_parallels: int
    block_shifts: int
    common_tone_share: float
    degree_shares: Mapping[str, tuple[float, ...]]
    repeated_runs: int
    shortest_seconds: float
    longest_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Melody:
    """What the melody is like.

    Attributes:
        notes: how many.
        shares: of each kind.
        worst_deviation: of any share from the wanted one over any ``WINDOW_NOTES`` notes (all, if fewer).
        long_chord_share: of notes over a second that are chord tones.
        unresolved_neighbours: neighbours not left by step.
        small_step_share: of intervals within phrases that are a third at most.
        leap_share: of intervals over a fifth.
        notes_per_bar: inside phrases, mean.
    """

    notes: int
    shares: Mapping[Kind, float]
    worst_deviation: float
    long_chord_share: float
    unresolved_neighbours: int
    small_step_share: float
    leap_share: float
    notes_per_bar: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """All figures of a piece.

    Attributes:
        harmonies: of its chords.
        melody: of its melody.
        out_of_mode: pitched notes outside the sounding region, declared neighbours apart.
        home_share: of the time in the region it begins in.
        percussion_per_minute: most hits in any minute.
        bare_share: of the time in which at most drone and reverb sound.
        pitches_per_eight_bars: distinct pitches that begin in eight bars, median.
    """

    harmonies: Harmonies
    melody: Melody
    out_of_mode: int
    home_share: float
    percussion_per_minute: int
    bare_share: float
    pitches_per_eight_bars: int


class _Context:
    """Finds the harmony a note meets."""

    def __init__(self, chords: Sequence[Chord]) -> None:
        self._onsets = [chord.onset_frames for chord in chords]
        self._harmonies = [
            harmony(region(KEYS.index(chord.tonic), chord.mode), chord.degree, chord.quality) for chord in chords
        ]

    def harmony_at(self, frame: int) -> Harmony:
        return self._harmonies[max(0, bisect_right(self._onsets, frame) - 1)]

    def kind(self, note: Note) -> Kind:
        met = self.harmony_at(note.onset_frames)
        if not met.region.contains(note.pitch_midi):
            return Kind.NEIGHBOUR
        return Kind.CHORD if note.pitch_midi % 12 in met.core else Kind.SCALE


def audited(piece: ScoreSlice) -> Audit:
    """The figures of ``piece``, which must hold a chord from its beginning."""
    context = _Context(piece.chords)
    pitched = [note for note in piece.notes if not note.unpitched]
    strangers = (note for note in pitched if note.role != "neighbour" and context.kind(note) is Kind.NEIGHBOUR)
    home = (piece.chords[0].tonic, piece.chords[0].mode)
    at_home = sum(chord.duration_frames for chord in piece.chords if (chord.tonic, chord.mode) == home)
    return Audit(
        harmonies=_harmonies(piece.chords),
        melody=_melody(piece, context),
        out_of_mode=sum(1 for _ in strangers),
        home_share=at_home / sum(chord.duration_frames for chord in piece.chords),
        percussion_per_minute=_most_in_a_minute([n.onset_frames for n in piece.notes if n.layer == "percussion"]),
        bare_share=_bare_share(piece),
        pitches_per_eight_bars=_pitches_per_eight_bars(piece, pitched),
    )


def _harmonies(chords: Sequence[Chord]) -> Harmonies:
    motions = [least_motion(before.voicing, after.voicing) for before, after in pairwise(chords)]
    moved = [semitones for motion in motions for semitones in motion]
    changes = max(1, len(motions))
    runs = Counter(
        tuple((chord.tonic, chord.degree, chord.voicing) for chord in chords[place : place + _RUN])
        for place in range(len(chords) - _RUN + 1)
    )
    return Harmonies(
        mean_motion_semitones=sum(moved) / max(1, len(moved)),
        widest_motion_semitones=max(moved, default=0),
        outer_parallels=sum(_outer_parallel(before, after) for before, after in pairwise(chords)),
        block_shifts=sum(_block_shift(before, after) for before, after in pairwise(chords)),
        common_tone_share=sum(bool({*a.voicing} & {*b.voicing}) for a, b in pairwise(chords)) / changes,
        degree_shares=_degree_shares(chords),
        repeated_runs=sum(count - 1 for count in runs.values()),
        shortest_seconds=min(frames_to_seconds(chord.duration_frames) for chord in chords),
        longest_seconds=max(frames_to_seconds(chord.duration_frames) for chord in chords),
    )


def _outer_parallel(before: Chord, after: Chord) -> bool:
    interval = (after.voicing[-1] - after.voicing[0]) % 12
    same = interval in (0, _FIFTH) and interval == (before.voicing[-1] - before.voicing[0]) % 12
    return same and before.voicing[0] != after.voicing[0] and before.voicing[-1] != after.voicing[-1]


def _block_shift(before: Chord, after: Chord) -> bool:
    if len(before.voicing) != len(after.voicing):
        return False
    moves = {high - low for low, high in zip(before.voicing, after.voicing, strict=True)}
    return len(moves) == 1 and moves != {0}


def _degree_shares(chords: Sequence[Chord]) -> Mapping[str, tuple[float, ...]]:
    counts = {
        mode: Counter(chord.degree for chord in chords if chord.mode == mode) for mode in {c.mode for c in chords}
    }
    return {
        mode: tuple(count[degree] / count.total() for degree in range(1, 8)) for mode, count in sorted(counts.items())
    }


def _melody(piece: ScoreSlice, context: _Context) -> Melody:
    notes = [note for note in piece.notes if note.layer == "melody"]
    kinds = [Kind.NEIGHBOUR if note.role == "neighbour" else context.kind(note) for note in notes]
    long = [kind for note, kind in zip(notes, kinds, strict=True) if note.duration_frames > LONG_NOTE_FRAMES]
    leaning = [
        abs(after.pitch_midi - before.pitch_midi) for before, after in pairwise(notes) if before.role == "neighbour"
    ]
    intervals = [
        abs(after.pitch_midi - before.pitch_midi)
        for before, after in pairwise(note for note in notes if note.role != "neighbour")
        if before.phrase == after.phrase
    ]
    return Melody(
        notes=len(notes),
        shares={kind: kinds.count(kind) / max(1, len(kinds)) for kind in Kind},
        worst_deviation=_worst_deviation(kinds),
        long_chord_share=long.count(Kind.CHORD) / max(1, len(long)),
        unresolved_neighbours=sum(1 for interval in leaning if interval not in (1, 2)),
        small_step_share=sum(interval <= _THIRD for interval in intervals) / max(1, len(intervals)),
        leap_share=sum(interval > _FIFTH for interval in intervals) / max(1, len(intervals)),
        notes_per_bar=_notes_per_bar(piece, notes),
    )


def _worst_deviation(kinds: Sequence[Kind]) -> float:
    """Of any share over any window, found by sliding a count along."""
    size = min(WINDOW_NOTES, len(kinds))
    if not size:
        return 0.0
    count, worst = Counter(kinds[:size]), 0.0
    for place in range(size, len(kinds) + 1):
        worst = max(worst, *(abs(count[kind] / size - TWENTIETHS[kind] / 20) for kind in Kind))
        if place < len(kinds):
            count[kinds[place]] += 1
            count[kinds[place - size]] -= 1
    return worst


def _notes_per_bar(piece: ScoreSlice, notes: Sequence[Note]) -> float:
    if len(piece.bars) < 2 or not notes:
        return 0.0
    phrases: dict[tuple[int, int], list[Note]] = {}
    for note in notes:
        phrases.setdefault((_section_of(piece, note), note.phrase), []).append(note)
    frames = sum(
        group[-1].onset_frames + group[-1].duration_frames - group[0].onset_frames for group in phrases.values()
    )
    bar = (piece.bars[-1].onset_frames - piece.bars[0].onset_frames) / (len(piece.bars) - 1)
    return len(notes) * bar / max(1, frames)


def _section_of(piece: ScoreSlice, note: Note) -> int:
    return bisect_right([section.onset_frames for section in piece.sections], note.onset_frames)


def _most_in_a_minute(onsets: Sequence[int]) -> int:
    minute = 60 * SAMPLE_RATE_HZ
    return max((bisect_right(onsets, onset + minute - 1) - place for place, onset in enumerate(onsets)), default=0)


def _bare_share(piece: ScoreSlice) -> float:
    steps = (piece.end_frames - piece.start_frames) // _SILENCE_GRID_FRAMES
    sounding = bytearray(steps)
    for note in piece.notes:
        if note.layer != "drone":
            first = (note.onset_frames - piece.start_frames) // _SILENCE_GRID_FRAMES
            last = min(
                steps, (note.onset_frames + note.duration_frames - piece.start_frames) // _SILENCE_GRID_FRAMES + 1
            )
            sounding[first:last] = b"\x01" * max(0, last - first)
    return sounding.count(0) / max(1, steps)


def _pitches_per_eight_bars(piece: ScoreSlice, pitched: Sequence[Note]) -> int:
    onsets = [note.onset_frames for note in pitched]
    counts = sorted(
        len(
            {
                note.pitch_midi
                for note in pitched[bisect_right(onsets, a.onset_frames - 1) : bisect_right(onsets, b.onset_frames - 1)]
            }
        )
        for a, b in zip(piece.bars[::8], piece.bars[8::8], strict=False)
    )
    return counts[len(counts) // 2] if counts else 0
