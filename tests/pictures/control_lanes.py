"""What each control does, and how soon: one lane a control, the change at second 0.

What moves is found by playing twice: the same seed with the change and without it. For controls of the score the
two event streams are compared, for controls of the sound the two recordings.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from auralisd.score import ControlChange, Note, ScoreSlice
from auralisd.units import SAMPLE_RATE_HZ, seconds_to_frames
from tests.pictures import look
from tests.pictures.renders import Sound, rendered
from tests.pictures.scores import composed, heard, seconds_of

PRESET = "Focus"
BEFORE_SECONDS, AFTER_SECONDS = 2.0, 16.0
SCORE_AT_SECONDS = 2_600
SOUND_AT_SECONDS = 20
BLOCK_SECONDS = 0.05
HEARD_DB = -30.0  # a difference this far below the music is counted as heard

SCORE_CHANGES: dict[str, Any] = {
    "key": "E",
    "mode": "lydian",
    "tempo_bpm": 84.0,
    "intensity": 0.9,
    "melody_complexity": 1.0,
    "chord_variety": 1.0,
    "harmonic_density": 0.1,
}
SOUND_CHANGES: dict[str, Any] = {
    "brightness": 1.0,
    "space": 1.0,
    "warmth": 1.0,
    "layers": {"pad": "off"},
    "level_db": -6.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """What is known of one control's effect.

    Attributes:
        name: of the control, and its new value.
        heard_seconds: after the change.
        words: what moved.
    """

    name: str
    heard_seconds: float | None
    words: str


def draw() -> Path:
    """Draw it; returns where."""
    lanes = len(SCORE_CHANGES) + len(SOUND_CHANGES)
    figure, (ax,) = look.sheet(
        "What the controls do",
        f"{PRESET}; each control is turned once, at second 0, and the same seed is played with and without the turn. "
        "Bars: notes that are there only since.\nRings: notes that end because of it. Hills: how much the sound "
        "differs. The mark says when it is first heard, the numbers count new notes.",
        height=11.2,
        rows=[1.0],
    )
    figure.subplots_adjust(left=0.165, right=0.69, top=1 - 1.45 / 11.2)
    ax.set_xlim(-BEFORE_SECONDS, AFTER_SECONDS)
    ax.set_ylim(lanes - 0.35, -0.65)
    ax.set_yticks([])
    ax.set_xticks(range(0, int(AFTER_SECONDS) + 1, 2), [f"{second} s" for second in range(0, 17, 2)])
    ax.spines["left"].set_visible(False)
    ax.axvspan(0, 5, color="#ece8df", linewidth=0, zorder=0)
    ax.axvline(0, color=look.INK, linewidth=1.0)
    ax.text(0.12, -0.56, "turned", fontsize=9, va="center")
    ax.text(4.9, -0.56, "five seconds", fontsize=9, va="center", ha="right", color=look.SOFT_INK)
    number = 0
    for name, value in SCORE_CHANGES.items():
        _label(ax, number, _score_lane(ax, number, name, value))
        number += 1
    plain = rendered(PRESET, 0, SOUND_AT_SECONDS + AFTER_SECONDS)
    for name, value in SOUND_CHANGES.items():
        _label(ax, number, _sound_lane(ax, number, name, value, plain))
        number += 1
    return look.keep(figure, "controls")


def _label(ax: Axes, number: int, lane: Lane) -> None:
    ax.axhline(number + 0.45, color=look.LINE, linewidth=0.8)
    ax.text(-BEFORE_SECONDS - 0.3, number, lane.name, ha="right", va="center", fontsize=11)
    ax.text(AFTER_SECONDS + 0.3, number, lane.words, va="center", fontsize=9.5, color=look.SOFT_INK, linespacing=1.35)
    if lane.heard_seconds is not None:
        ax.plot([lane.heard_seconds] * 2, [number - 0.42, number + 0.42], color=look.ACCENT, linewidth=1.6)
        ax.text(lane.heard_seconds + 0.12, number - 0.34, f"{lane.heard_seconds:.1f} s", color=look.ACCENT, fontsize=9,
                va="center")  # fmt: skip


def _named(name: str, value: Any) -> str:
    if name == "layers":
        return "pad off"
    shown = value if isinstance(value, str) else f"{value:g}"
    return f"{name.removesuffix('_bpm').removesuffix('_db').replace('_', ' ')} to {shown}"


def _score_lane(ax: Axes, number: int, name: str, value: Any) -> Lane:
    at = seconds_to_frames(SCORE_AT_SECONDS)
    change = ControlChange(at_frames=at, changed={name: value}, cause="rest")
    begin, until = SCORE_AT_SECONDS - 300, SCORE_AT_SECONDS + 60
    plain, turned = composed(PRESET, begin, until), composed(PRESET, begin, until, log=(change,))
    new, ended = _moved(plain, turned)
    for note in new:
        onset, over = (second - SCORE_AT_SECONDS for second in seconds_of(note))
        if onset >= AFTER_SECONDS:
            continue
        colour = look.LAYER_COLOURS[note.layer]
        if note.unpitched:
            ax.plot(onset, number + 0.36, "o", color=colour, markersize=5, markeredgewidth=0)
        else:
            ax.plot([onset, max(onset + 0.08, min(over, AFTER_SECONDS))], [_height(number, note)] * 2, color=colour,
                    linewidth=2.6, alpha=0.8, solid_capstyle="round")  # fmt: skip
    for note in ended:
        over = seconds_of(note)[1] - SCORE_AT_SECONDS
        if over < AFTER_SECONDS:
            ax.plot(over, _height(number, note), "o", markersize=5, markerfacecolor=look.PAPER,
                    markeredgecolor=look.LAYER_COLOURS[note.layer])  # fmt: skip
    moments = [seconds_of(note)[0] for note in new] + [seconds_of(note)[1] for note in ended]
    soon = [moment - SCORE_AT_SECONDS for moment in moments if moment >= SCORE_AT_SECONDS]
    said = next((reason.text for reason in turned.reasons if reason.cause == "rest"), "")
    counts = {layer: sum(note.layer == layer for note in new if _within(note)) for layer in look.LAYER_COLOURS}
    moved = ", ".join(f"{layer} {count}" for layer, count in counts.items() if count)
    return Lane(
        name=_named(name, value),
        heard_seconds=min(soon, default=None),
        words=textwrap.fill(f"“{said}”", 50) + f"\n{moved or 'nothing moves yet'}",
    )


def _within(note: Note) -> bool:
    return seconds_of(note)[0] - SCORE_AT_SECONDS < AFTER_SECONDS


def _height(number: int, note: Note) -> float:
    """Pitch within the lane."""
    return number + 0.28 - 0.62 * (min(max(note.pitch_midi, 33), 91) - 33) / 58


def _moved(plain: ScoreSlice, turned: ScoreSlice) -> tuple[list[Note], list[Note]]:
    """Notes only in ``turned``, and notes in both that ``turned`` ends earlier."""

    def begun(note: Note) -> tuple[Any, ...]:
        return note.layer, note.onset_frames, note.pitch_midi, note.velocity

    before = {begun(note): note for note in heard(plain, PRESET)}
    after = heard(turned, PRESET)
    new = [note for note in after if begun(note) not in before]
    ended = [
        note for note in after if begun(note) in before and note.duration_frames < before[begun(note)].duration_frames
    ]
    return new, ended


def _sound_lane(ax: Axes, number: int, name: str, value: Any, plain: Sound) -> Lane:
    change = ControlChange(at_frames=SOUND_AT_SECONDS * SAMPLE_RATE_HZ, changed={name: value}, cause="rest")
    turned = rendered(PRESET, 0, SOUND_AT_SECONDS + AFTER_SECONDS, log=(change,))
    first = round((SOUND_AT_SECONDS - BEFORE_SECONDS) * SAMPLE_RATE_HZ)
    music = _levels_db(plain[first:])
    music = np.maximum(music, music.max() - 20)
    difference = _levels_db((turned - plain)[first:]) - music
    seconds = np.arange(len(difference)) * BLOCK_SECONDS - BEFORE_SECONDS
    hill = np.clip((difference + 45) / 45, 0, 1) * 0.8
    ax.fill_between(seconds, number + 0.42, number + 0.42 - hill, color=look.LAYER_COLOURS["pad"], linewidth=0)
    over = np.flatnonzero((difference > HEARD_DB) & (seconds >= 0))
    tail = -round(6 * SAMPLE_RATE_HZ)
    return Lane(
        name=_named(name, value),
        heard_seconds=float(seconds[over[0]]) if len(over) else None,
        words=f"level {_mean_db(turned[tail:]) - _mean_db(plain[tail:]):+.1f} dB\n"
        f"centre of the spectrum {_centre_hz(plain[tail:]):.0f} to {_centre_hz(turned[tail:]):.0f} Hz",
    )


def _levels_db(sound: Sound) -> Sound:
    frames = round(BLOCK_SECONDS * SAMPLE_RATE_HZ)
    blocks = sound[: len(sound) // frames * frames].reshape(-1, frames * 2)
    return np.asarray(10 * np.log10(np.mean(blocks**2, axis=1) + 1e-12))


def _mean_db(sound: Sound) -> float:
    return float(10 * np.log10(np.mean(sound**2) + 1e-12))


def _centre_hz(sound: Sound) -> float:
    """Centroid of the power spectrum."""
    spectrum = np.abs(np.fft.rfft(sound.mean(axis=1) * np.hanning(len(sound)))) ** 2
    return float(np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE_HZ) @ spectrum / spectrum.sum())
