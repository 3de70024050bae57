"""The master of every preset at minutes 1, 60, 240 and 480, by meters that are not ours (pyloudnorm, ffmpeg ebur128).

Of each piece ten minutes are left alone and judged; then, for two minutes more, 25 controls are turned, one every
4.8 s: a thousand in all, and eight hours of audio. ``python -m tests.benchmarks.mastering`` does it all in about
40 minutes of two cores; ``--minutes 1 --presets Focus`` is a taste. Exit status 1 if a bound is broken.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

import numpy as np
import pyloudnorm
from numpy.typing import NDArray

from auralisd.cli.performance import Performance, played
from auralisd.composition.presets import CHARACTERS
from auralisd.controls import KEYS, LAYERS, MODES, Controls, merge_change
from auralisd.score import ControlChange
from auralisd.units import CHANNELS, SAMPLE_RATE_HZ
from tests.benchmarks.clicks import clicks

START_MINUTES = (1, 60, 240, 480)
TURNS = 25
TURN_SECONDS = 4.8
SEED = 7

BOUNDS: dict[str, tuple[float, float]] = {
    "off target LU": (-1.0, 1.0),
    "true peak dBTP": (-99.0, -1.0),
    "range LU": (1.5, 9.0),
    "jump in 3 s LU": (0.0, 6.0),
    "jump at a turn LU": (0.0, 4.0),
    "DC": (0.0, 0.001),
    "tilt dB/octave": (-5.5, -2.0),
    "correlation": (0.42, 0.82),
    "side/mid dB": (-10.0, -4.0),
    "mono loss dB": (-99.0, 1.5),
    "clicks": (0.0, 0.0),
}
"""What is asked of each piece; the first and the fifth are those of people's ears, the others of engineers."""


def turns(begin_frames: int, seed: int) -> tuple[ControlChange, ...]:
    """25 changes of anything but the level, drawn by ``seed``."""
    chance = random.Random(seed)
    log = []
    for index in range(TURNS):
        name = chance.choice(
            ("key", "mode", "tempo_bpm", "intensity", "brightness", "space", "warmth", "melody_complexity",
             "chord_variety", "harmonic_density", "layers")
        )  # fmt: skip
        value: object = round(chance.random(), 2)
        if name == "key":
            value = chance.choice(KEYS)
        elif name == "mode":
            value = chance.choice(MODES)
        elif name == "tempo_bpm":
            value = float(chance.randrange(40, 100))
        elif name == "layers":
            value = {chance.choice(LAYERS): float(chance.randrange(-6, 4))}
        _, changed = merge_change(Controls(), {name: value})
        at_frames = begin_frames + round(index * TURN_SECONDS * SAMPLE_RATE_HZ)
        log.append(ControlChange(at_frames=at_frames, changed=changed, cause="rest"))
    return tuple(log)


def rendered(preset: str, start_minute: int, minutes: float) -> tuple[NDArray[np.int16], int]:
    """The piece, int16 ``(frames, 2)``, and how many frames of it were left alone."""
    controls, _ = merge_change(Controls(), CHARACTERS[preset].controls)
    begin = 60 * start_minute * SAMPLE_RATE_HZ
    alone = round(60 * minutes * SAMPLE_RATE_HZ)
    end = begin + alone + round(TURNS * TURN_SECONDS * SAMPLE_RATE_HZ)
    log = turns(begin + alone, seed=hash_of(preset, start_minute))
    piece = Performance(seed=SEED, controls=controls, log=log, begin_frames=begin, end_frames=end)
    blocks = [np.frombuffer(block.pcm16, dtype="<i2") for block in played(piece, device="cpu") if block]
    return np.concatenate(blocks).reshape(-1, CHANNELS)[: end - begin], alone


def hash_of(preset: str, start_minute: int) -> int:
    """A number for the piece, the same in every process."""
    return sum(map(ord, preset)) * 1_000 + start_minute


def by_ffmpeg(sound: NDArray[np.int16]) -> tuple[NDArray[np.float64], float, float]:
    """ffmpeg's ebur128: short-term loudness every 100 ms, loudness range and true peak."""
    command = ["ffmpeg", "-v", "verbose", "-nostats", "-f", "s16le", "-ar", str(SAMPLE_RATE_HZ), "-ac", "2", "-i", "-",
               "-af", "ebur128=peak=true:framelog=verbose", "-f", "null", "-"]  # fmt: skip
    said = subprocess.run(command, input=sound.tobytes(), capture_output=True, check=True).stderr.decode()
    short_term = [float(value) for value in re.findall(r"S:\s*(-?[\d.]+)", said)]
    summary = said[said.rindex("Summary:") :]
    range_lu = float(re.search(r"LRA:\s*(-?[\d.]+)", summary)[1])  # type: ignore[index]
    peak_dbtp = float(re.search(r"Peak:\s*(-?[\d.]+)", summary)[1])  # type: ignore[index]
    return np.array(short_term), range_lu, peak_dbtp


def largest_jump(short_term: NDArray[np.float64]) -> float:
    """The largest change of short-term loudness within 3 s, LU, after the meter has filled."""
    settled = short_term[30:]
    return float(np.abs(settled[30:] - settled[:-30]).max()) if len(settled) > 30 else 0.0


def tilt_db_per_octave(sound: NDArray[np.float64]) -> float:
    """Slope of the levels of the octave bands from 125 Hz to 8 kHz, as an analyser shows them: pink noise is level."""
    mono = sound.mean(axis=1)
    windows = mono[: len(mono) // 8_192 * 8_192].reshape(-1, 8_192) * np.hanning(8_192)
    power = np.mean(np.abs(np.fft.rfft(windows)) ** 2, axis=0)
    hertz = np.fft.rfftfreq(8_192, 1.0 / SAMPLE_RATE_HZ)
    octaves = np.arange(7)
    edges = 125.0 * 2.0 ** (octaves - 0.5)
    levels = [10 * np.log10(power[(hertz >= edge) & (hertz < 2 * edge)].sum()) for edge in edges]
    return float(np.polyfit(octaves, levels, 1)[0])


def judged(preset: str, start_minute: int, minutes: float) -> tuple[str, int, dict[str, float]]:
    """All figures of one piece."""
    sound, alone = rendered(preset, start_minute, minutes)
    floats = sound.astype(np.float64) / 32_768.0
    quiet = floats[:alone]
    short_term, range_lu, _ = by_ffmpeg(sound[:alone])
    # Three seconds before the first turn are heard with it: the meter looks back as far.
    turned, _, peak_dbtp = by_ffmpeg(sound)
    middle, side = quiet.mean(axis=1), (quiet[:, 0] - quiet[:, 1]) / 2.0
    power = np.mean(quiet**2)
    meter = pyloudnorm.Meter(SAMPLE_RATE_HZ)
    return preset, start_minute, {
        "off target LU": meter.integrated_loudness(quiet) - CHARACTERS[preset].loudness_lufs,
        "true peak dBTP": peak_dbtp,
        "range LU": range_lu,
        "jump in 3 s LU": largest_jump(short_term),
        "jump at a turn LU": largest_jump(turned[alone // 4_410 - 60 :]),
        "DC": float(np.abs(floats.mean(axis=0)).max()),
        "tilt dB/octave": tilt_db_per_octave(quiet),
        "correlation": float(np.corrcoef(quiet.T)[0, 1]),
        "side/mid dB": float(10 * np.log10(np.mean(side**2) / np.mean(middle**2))),
        "mono loss dB": float(10 * np.log10(power / np.mean(middle**2))),
        "clicks": float(len(clicks(floats))),
    }  # fmt: skip


def pieces(presets: list[str]) -> Iterator[tuple[str, int]]:
    """Each preset at each of the minutes."""
    return ((preset, minute) for preset in presets for minute in START_MINUTES)


def main() -> None:
    """Print a line for each piece as it is done, and at the end what broke a bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--presets", nargs="+", default=list(CHARACTERS), metavar="NAME")
    parser.add_argument("--minutes", type=float, default=10.0, help="left alone, of each piece")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    if shutil.which("ffmpeg") is None:
        sys.exit("ffmpeg is missing: apt-get install ffmpeg")
    print(f"seed {SEED}; each piece {given.minutes:g} minutes alone and {TURNS} turns in {TURNS * TURN_SECONDS:.0f} s")
    print(" ".join((f"{'preset':<11} {'min':>4}", *(f"{name:>{max(8, len(name))}}" for name in BOUNDS))), flush=True)
    asked = list(pieces(given.presets))
    worst: dict[str, list[float]] = {name: [] for name in BOUNDS}
    broken = []
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(judged, *piece, given.minutes) for piece in asked]):
            preset, minute, figures = done.result()
            cells = (f"{figures[name]:>{max(8, len(name))}.2f}" for name in BOUNDS)
            print(" ".join((f"{preset:<11} {minute:>4}", *cells)), flush=True)
            for name, (low, high) in BOUNDS.items():
                worst[name].append(figures[name])
                if not low <= figures[name] <= high:
                    broken.append(
                        f"{preset} from minute {minute}: {name} is {figures[name]:.2f}, not {low:g} to {high:g}"
                    )
    hours = len(asked) * (given.minutes + TURNS * TURN_SECONDS / 60) / 60
    print(f"\n{hours:.1f} hours, {len(asked) * TURNS} turns")
    for name, values in worst.items():
        print(f"{name:<18} {min(values):8.2f} to {max(values):8.2f}   asked {BOUNDS[name][0]:g} to {BOUNDS[name][1]:g}")
    print("\n".join(broken) or "every bound holds")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
