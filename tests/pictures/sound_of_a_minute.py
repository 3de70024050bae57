"""A minute of sound: its spectrum over time, and how loud it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyloudnorm
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from auralisd.units import SAMPLE_RATE_HZ
from tests.pictures import look
from tests.pictures.renders import Sound, rendered
from tests.pictures.scores import SEED

PRESET = "Focus"
START_MINUTE = 41
SECONDS = 60
LOWEST_HZ, HIGHEST_HZ = 40.0, 12_000.0
TRANSFORM, HOP, BANDS = 16_384, 4_410, 200
FLOOR_DB = -66.0
TARGET_LUFS = -18.0


def draw() -> Path:
    """Draw it; returns where."""
    sound = rendered(PRESET, 60 * START_MINUTE, 60 * START_MINUTE + SECONDS)
    integrated = float(pyloudnorm.Meter(SAMPLE_RATE_HZ).integrated_loudness(sound))
    figure, (upper, lower) = look.sheet(
        "A minute of sound",
        f"{PRESET}, seed {SEED}, from {START_MINUTE}:00. Above, what sounds at which frequency; below, its loudness: "
        f"{integrated:.1f} LUFS over this minute, {TARGET_LUFS:g} is the target over ten.",
        height=9.6,
        rows=[2.6, 1.0],
    )
    _spectrogram(upper, sound)
    _loudness(lower, sound)
    figure.subplots_adjust(hspace=0.16)
    return look.keep(figure, "sound")


def _spectrogram(ax: Axes, sound: Sound) -> None:
    mono = np.pad(sound.mean(axis=1), TRANSFORM // 2, mode="reflect")
    starts = np.arange(0, len(sound), HOP)
    window = np.hanning(TRANSFORM)
    frames = np.stack([np.abs(np.fft.rfft(window * mono[start : start + TRANSFORM])) for start in starts])
    edges = np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS + 1) * TRANSFORM / SAMPLE_RATE_HZ
    middles = np.sqrt(edges[:-1] * edges[1:])
    power = frames**2
    bands = [
        power[:, round(low) : round(high)].max(axis=1)
        if round(high) > round(low)
        else [np.interp(middle, np.arange(power.shape[1]), row) for row in power]
        for low, high, middle in zip(edges, edges[1:], middles, strict=False)
    ]
    calmed = [np.convolve(band, np.hanning(13)[1:-1] / 6, mode="same") for band in np.array(bands)]
    level = 10 * np.log10(np.array(calmed) + 1e-12)
    level = np.clip(level - level.max(), FLOOR_DB, 0)
    colours = LinearSegmentedColormap.from_list(
        "dusk", [look.PAPER, "#dfe6df", "#8fbcae", "#2f7f74", "#17404a", "#1d2730"], N=22
    )
    ax.imshow(
        level, origin="lower", aspect="auto", cmap=colours, extent=(0, SECONDS, 0, BANDS), interpolation="nearest"
    )
    ticks = [50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000]
    places = BANDS * np.log(np.array(ticks) / LOWEST_HZ) / np.log(HIGHEST_HZ / LOWEST_HZ)
    ax.set_yticks(places, [f"{tick} Hz" if tick < 1_000 else f"{tick // 1_000} kHz" for tick in ticks])
    ax.set_xticks([])
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)


def _loudness(ax: Axes, sound: Sound) -> None:
    for seconds, colour, width, words in (
        (0.4, "#8fbcae", 1.0, "momentary, 0.4 s"),
        (3.0, look.ACCENT, 2.0, "short-term, 3 s"),
    ):
        meter = pyloudnorm.Meter(SAMPLE_RATE_HZ, block_size=seconds)
        length = round(seconds * SAMPLE_RATE_HZ)
        starts = range(0, len(sound) - length, SAMPLE_RATE_HZ // 5)
        curve = [meter.integrated_loudness(sound[start : start + length]) for start in starts]
        middles = [(start + length / 2) / SAMPLE_RATE_HZ for start in starts]
        ax.plot(middles, curve, color=colour, linewidth=width, label=words)
    ax.axhline(TARGET_LUFS, color=look.INK, linewidth=0.9, linestyle=(0, (4, 4)))
    ax.set_xlim(0, SECONDS)
    ax.set_ylim(-27, -11)
    ax.set_yticks([-24, -21, -18, -15, -12], [f"{tick} LUFS" for tick in (-24, -21, -18, -15, -12)])
    ticks = range(0, SECONDS + 1, 10)
    ax.set_xticks(ticks, [look.clock(60 * START_MINUTE + tick) for tick in ticks])
    ax.legend(loc="upper right", frameon=False, ncol=2)
