"""Ten minutes as a piano roll, with sections and chords."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from auralisd.score import Chord, Note, ScoreSlice, Section
from auralisd.units import SAMPLE_RATE_HZ
from tests.pictures import look
from tests.pictures.scores import SEED, composed, heard, seconds_of

PRESET = "Focus"
START_MINUTE = 40
MINUTES_PER_ROW = 2.5
ROWS = 4
LOWEST, HIGHEST = 30, 93
NAMES_AT, SECTIONS_AT = 96.2, 101.5
FLOOR = 24.5  # where what has no pitch is drawn


def draw() -> Path:
    """Draw it; returns where."""
    first = round(60 * START_MINUTE)
    last = first + round(60 * MINUTES_PER_ROW * ROWS)
    earliest = max(0, first - 600)
    piece = composed(PRESET, earliest, last)
    figure, axes = look.sheet(
        "Ten minutes",
        f"{PRESET}, seed {SEED}, minutes {START_MINUTE} to {START_MINUTE + 10}. Every bar is a note, "
        "as long as it is held; the deeper its colour, the louder it is.",
        height=15.5,
        rows=[1.0] * ROWS,
    )
    for row, ax in enumerate(axes):
        begin = first + row * 60 * MINUTES_PER_ROW
        _row(ax, piece, begin, begin + 60 * MINUTES_PER_ROW)
    handles = [
        Line2D([], [], color=colour, linewidth=6, label=layer, solid_capstyle="round")
        for layer, colour in look.LAYER_COLOURS.items()
    ]
    figure.legend(
        handles=handles,
        loc="upper right",
        bbox_to_anchor=(0.978, 0.9925),
        ncol=7,
        frameon=False,
        handlelength=0.9,
        columnspacing=1.2,
    )
    figure.subplots_adjust(hspace=0.16)
    return look.keep(figure, "piano-roll")


def _row(ax: Axes, piece: ScoreSlice, begin: float, end: float) -> None:
    ax.set_xlim(begin, end)
    ax.set_ylim(FLOOR - 3.2, SECTIONS_AT + 3.6)
    ax.set_yticks([36, 48, 60, 72, 84], ["C2", "C3", "C4", "C5", "C6"])
    ax.set_xticks([begin + 30 * tick for tick in range(6)], [look.clock(begin + 30 * tick) for tick in range(6)])
    ax.spines["left"].set_visible(False)
    for octave in (36, 48, 60, 72, 84):
        ax.axhline(octave, color=look.LINE, linewidth=0.7, zorder=0)
    for section in piece.sections:
        home = next(chord for chord in piece.chords if chord.onset_frames >= section.onset_frames)
        _section(ax, section, f"{look.spelled(home.tonic)} {home.mode}", begin, end)
    for chord in piece.chords:
        _chord(ax, chord, begin, end)
    for note in heard(piece, PRESET):
        onset, over = seconds_of(note)
        if onset < end and over > begin:
            _note(ax, note, onset, over)


def _section(ax: Axes, section: Section, region: str, begin: float, end: float) -> None:
    onset = section.onset_frames / SAMPLE_RATE_HZ
    over = onset + section.duration_frames / SAMPLE_RATE_HZ
    if onset >= end or over <= begin:
        return
    left, right = max(onset, begin), min(over, end)
    ax.plot([left + 0.4, right - 0.4], [SECTIONS_AT - 2.4] * 2, color=look.ACCENT, linewidth=1.6, solid_capstyle="butt")
    name = section.archetype.capitalize()
    ax.text(
        left + 0.4,
        SECTIONS_AT - 1.2,
        f"{name}, {region}" if right - left > 20 else name,
        color=look.ACCENT,
        fontsize=10.5,
    )
    if begin < onset < end:
        ax.axvline(onset, ymax=0.93, color=look.ACCENT, linewidth=0.9, alpha=0.6, zorder=0)


def _chord(ax: Axes, chord: Chord, begin: float, end: float) -> None:
    onset = chord.onset_frames / SAMPLE_RATE_HZ
    if begin <= onset < end:
        ax.axvline(onset, ymax=0.885, color=look.LINE, linewidth=0.9, zorder=0)
        if end - onset > 7:
            ax.text(onset + 0.4, NAMES_AT - 1.6, look.spelled(chord.name), fontsize=9, color=look.INK)


def _note(ax: Axes, note: Note, onset: float, over: float) -> None:
    colour = look.LAYER_COLOURS[note.layer]
    alpha = min(1.0, 0.35 + note.velocity)
    if note.role == "bed":
        ax.fill_between([onset, (onset + over) / 2, over], FLOOR - 1.6, [FLOOR - 1.6, FLOOR + 0.9, FLOOR - 1.6],
                        color=colour, alpha=0.55, linewidth=0)  # fmt: skip
    elif note.unpitched:
        ax.plot(onset, FLOOR - 0.4, "o", color=colour, alpha=alpha, markersize=6.5 if note.role == "hit" else 3.5,
                markeredgewidth=0)  # fmt: skip
    else:
        thick = {"drone": 5.5, "pad": 4.2, "loops": 3.6, "melody": 4.2, "bells": 3.2}[note.layer]
        ax.plot([onset, max(over, onset + 0.25)], [note.pitch_midi] * 2, color=colour, alpha=alpha, linewidth=thick,
                solid_capstyle="butt" if note.layer in ("pad", "drone") else "round")  # fmt: skip
        if note.layer == "bells":
            ax.plot(onset, note.pitch_midi, "D", color=colour, markersize=4.5, markeredgewidth=0)
