"""When each motif is heard, and in which shape."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from pathlib import Path

from matplotlib.axes import Axes

from auralisd.score import Note
from auralisd.units import SAMPLE_RATE_HZ
from tests.pictures import look
from tests.pictures.scores import SEED, composed, seconds_of

PRESET = "Focus"
MINUTES = 45
MOTIFS = 8
GLYPH_SECONDS = 26.0  # every phrase is drawn this wide, or it would be a dot
SEMITONES_PER_LANE = 16.0
COLOURS = ("#17594f", "#cf8a3e", "#5f86b0", "#8c4f63", "#6d8f4e", "#a8977b", "#7d6ca8", "#3f7f93")


def draw() -> Path:
    """Draw it; returns where."""
    piece = composed(PRESET, 0, 60 * MINUTES)
    phrases: dict[tuple[str, int, int], list[Note]] = defaultdict(list)
    for note in piece.notes:
        if note.motif >= 0:
            phrases[note.layer, note.note_id // 100_000, note.phrase].append(note)
    figure, (ax,) = look.sheet(
        "What comes back",
        f"{PRESET}, seed {SEED}, {MINUTES} minutes: every phrase in the lane of its motif; bells or loops recall it "
        "while the melody rests. Each glyph is a contour, widened; threads join returns.",
        height=8.4,
        rows=[1.0],
    )
    ax.set_xlim(-10, 60 * MINUTES + 10)
    ax.set_ylim(MOTIFS - 0.4, -0.6)
    ax.set_yticks(range(MOTIFS), [f"motif {number + 1}" for number in range(MOTIFS)])
    ax.set_xticks(
        [300 * tick for tick in range(MINUTES // 5 + 1)], [f"{5 * tick} min" for tick in range(MINUTES // 5 + 1)]
    )
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    for section in piece.sections:
        begin = section.onset_frames / SAMPLE_RATE_HZ
        if "melody" not in section.layers:
            over = begin + section.duration_frames / SAMPLE_RATE_HZ
            ax.axvspan(begin, over, color="#ece8df", linewidth=0, zorder=0)
            ax.text(
                (begin + over) / 2, MOTIFS - 0.62, "the melody rests", ha="center", fontsize=8.5, color=look.SOFT_INK
            )
        ax.axvline(begin, color=look.LINE, linewidth=0.9, zorder=0)
        ax.text(begin + 8, -0.52, section.archetype.capitalize(), fontsize=9, color=look.ACCENT)
    lanes: dict[int, list[list[Note]]] = defaultdict(list)
    for notes in phrases.values():
        lanes[notes[0].motif % MOTIFS].append(sorted(notes, key=lambda note: note.onset_frames))
    for number, said in sorted(lanes.items()):
        said.sort(key=lambda notes: notes[0].onset_frames)
        _lane(ax, number, said)
    return look.keep(figure, "motifs")


def _lane(ax: Axes, number: int, said: list[list[Note]]) -> None:
    colour = COLOURS[number]
    onsets = [seconds_of(notes[0])[0] for notes in said]
    for before, after in pairwise(onsets):
        if after - before < 900:
            ax.plot([before + GLYPH_SECONDS + 4, after - 4], [number] * 2, color=colour, alpha=0.28, linewidth=1.0)
    for notes, onset in zip(said, onsets, strict=True):
        _glyph(ax, number, notes, onset, colour)


def _glyph(ax: Axes, lane: int, notes: list[Note], onset: float, colour: str) -> None:
    last = seconds_of(notes[-1])[1]
    scale = GLYPH_SECONDS / max(last - onset, 1.0)
    middle = (min(note.pitch_midi for note in notes) + max(note.pitch_midi for note in notes)) / 2
    spots = []
    for note in notes:
        begin, over = seconds_of(note)
        height = lane - (note.pitch_midi - middle) / SEMITONES_PER_LANE
        spots.append((onset + (begin - onset) * scale, onset + (min(over, last) - onset) * scale, height))
    ax.plot([spot[0] for spot in spots], [spot[2] for spot in spots], color=colour, alpha=0.35, linewidth=1.0)
    for begin, over, height in spots:
        ax.plot([begin, max(begin + 2.0, min(over, begin + 7.0))], [height] * 2, color=colour, linewidth=3.2,
                solid_capstyle="round")  # fmt: skip
