"""Where eight hours go: regions and sections, an hour a line."""

from __future__ import annotations

from itertools import groupby, pairwise
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from auralisd.score import ScoreSlice
from auralisd.units import SAMPLE_RATE_HZ
from tests.pictures import look
from tests.pictures.scores import SEED, composed

PRESET = "Focus"
HOURS = 8
HOUR_SECONDS = 3600
ABBREVIATED_BELOW_SECONDS = 190


def draw() -> Path:
    """Draw it; returns where."""
    piece = composed(PRESET, 0, HOURS * HOUR_SECONDS)
    stays = _stays(piece)
    home = stays[0][2]
    at_home = sum(over - onset for onset, over, place in stays if place == home) / (HOURS * HOUR_SECONDS)
    figure, (ax,) = look.sheet(
        "Eight hours",
        f"{PRESET} in A, seed {SEED}: an hour a line. Above, the region (home is {_named(home)}, {at_home:.0%} of the "
        "time, framed); below, the section. A dark tick begins a form cycle.",
        height=9.6,
        rows=[1.0],
    )
    ax.set_xlim(0, HOUR_SECONDS)
    ax.set_ylim(HOURS, 0)
    ax.set_yticks([hour + 0.42 for hour in range(HOURS)], [f"hour {hour + 1}" for hour in range(HOURS)])
    ax.set_xticks([600 * tick for tick in range(7)], [f"{10 * tick} min" for tick in range(7)])
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    for onset, over, place in stays:
        _stay(ax, onset, over, place, at_home=place == home)
    _sections(ax, piece)
    handles = [Rectangle((0, 0), 1, 1, color=colour, label=mode) for mode, colour in look.MODE_COLOURS.items()]
    figure.legend(
        handles=handles, loc="upper right", bbox_to_anchor=(0.978, 0.985), ncol=6, frameon=False, handlelength=1.1
    )
    figure.subplots_adjust(bottom=0.5 / 9.6)
    return look.keep(figure, "regions")


def _named(place: tuple[str, str]) -> str:
    return f"{look.spelled(place[0])} {place[1]}"


def _stays(piece: ScoreSlice) -> list[tuple[float, float, tuple[str, str]]]:
    """(onset, end, region) in seconds of each stay in a region."""
    begun = [
        (next(chords).onset_frames / SAMPLE_RATE_HZ, place)
        for place, chords in groupby(piece.chords, key=lambda chord: (chord.tonic, chord.mode))
    ]
    ends = [*(onset for onset, _ in begun[1:]), piece.end_frames / SAMPLE_RATE_HZ]
    return [(onset, end, place) for (onset, place), end in zip(begun, ends, strict=True)]


def _pieces(onset: float, over: float) -> list[tuple[int, float, float]]:
    """(hour, from, to) of a span, cut where hours end."""
    cuts = [onset, *(HOUR_SECONDS * hour for hour in range(1, HOURS) if onset < HOUR_SECONDS * hour < over), over]
    return [
        (int((a + 1e-6) // HOUR_SECONDS), a - HOUR_SECONDS * ((a + 1e-6) // HOUR_SECONDS), b - a)
        for a, b in pairwise(cuts)
    ]


def _stay(ax: Axes, onset: float, over: float, place: tuple[str, str], *, at_home: bool) -> None:
    for hour, begin, length in _pieces(onset, over):
        box = Rectangle((begin + 4, hour + 0.08), length - 8, 0.5, color=look.MODE_COLOURS[place[1]], linewidth=0)
        ax.add_patch(box)
        if at_home:
            frame = Rectangle((begin + 7, hour + 0.105), length - 14, 0.45, fill=False, edgecolor=look.ACCENT)
            frame.set_linewidth(1.2)
            ax.add_patch(frame)
        if length >= 60:
            short = length < ABBREVIATED_BELOW_SECONDS
            words = f"{look.spelled(place[0])}\n{place[1][:3]}." if short else f"{look.spelled(place[0])}\n{place[1]}"
            ax.text(begin + length / 2, hour + 0.33, words, ha="center", va="center", fontsize=9.5, linespacing=1.15,
                    multialignment="center")  # fmt: skip


def _sections(ax: Axes, piece: ScoreSlice) -> None:
    onsets = [section.onset_frames / SAMPLE_RATE_HZ for section in piece.sections]
    for section, onset in zip(piece.sections, onsets, strict=True):
        hour, begin = int(onset // HOUR_SECONDS), onset % HOUR_SECONDS
        first = section.archetype == "emerge"
        ax.plot([begin, begin], [hour + 0.6, hour + 0.80], color=look.INK if first else look.SOFT_INK,
                linewidth=2.2 if first else 0.8, solid_capstyle="butt")  # fmt: skip
        if HOUR_SECONDS - begin > 110:
            ax.text(begin + 12, hour + 0.71, section.archetype, fontsize=8.5, color=look.SOFT_INK, va="center")
