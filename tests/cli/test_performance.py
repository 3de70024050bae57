"""The same piece is the same sound: again, in another process, and wherever one begins."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np

from auralisd.cli.performance import Performance, played
from auralisd.controls import Controls, merge_change
from auralisd.score import ControlChange
from auralisd.units import SAMPLE_RATE_HZ

ROOT = Path(__file__).parents[2]
HOUR_SEVEN_FRAMES = 7 * 3600 * SAMPLE_RATE_HZ


def turned(at_frames, **change):
    _, changed = merge_change(Controls(), change)
    return ControlChange(at_frames=at_frames, changed=changed, cause="rest")


def hour_seven(seconds, *, begin_seconds=0):
    begin = HOUR_SEVEN_FRAMES + begin_seconds * SAMPLE_RATE_HZ
    log = (turned(3_600 * SAMPLE_RATE_HZ, intensity=0.8), turned(HOUR_SEVEN_FRAMES - 441_000, space=0.9))
    return Performance(
        seed=7,
        controls=Controls(),
        log=log,
        begin_frames=begin,
        end_frames=HOUR_SEVEN_FRAMES + seconds * SAMPLE_RATE_HZ,
    )


def beginning():
    log = (turned(5 * SAMPLE_RATE_HZ, key="D"), turned(12 * SAMPLE_RATE_HZ, brightness=0.8))
    return Performance(seed=7, controls=Controls(), log=log, begin_frames=0, end_frames=20 * SAMPLE_RATE_HZ)


def pcm16(performance):
    return b"".join(block.pcm16 for block in played(performance, device="cpu") if block)


def hashed(performance):
    return hashlib.sha256(pcm16(performance)).hexdigest()


def test_a_beginning_is_the_same_bytes_again_and_in_another_process():
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {__name__} as t; print(t.hashed(t.beginning()))"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as other:
        here = [hashed(beginning()) for _ in range(2)]
        answer, _ = other.communicate()
    assert answer.split() * 2 == here


def test_a_jump_to_hour_seven_sounds_as_if_the_piece_had_played_on():
    """Both begin at rest: were anything of that left after the pre-roll, it would be older in the one that plays on."""
    jumped = np.frombuffer(pcm16(hour_seven(2)), dtype="<i2")
    played_on = np.frombuffer(pcm16(hour_seven(2, begin_seconds=-30)), dtype="<i2")[2 * 30 * SAMPLE_RATE_HZ :]
    assert np.abs(jumped).max() > 1_000
    np.testing.assert_array_equal(jumped, played_on)
