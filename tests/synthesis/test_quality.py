"""What is left out, step by step, when a machine is too slow: cheaper each time, never with a click, never for good."""

from __future__ import annotations

import numpy as np
import pytest

from auralisd.controls import Controls
from auralisd.quality import Quality
from auralisd.synthesis import Renderer
from auralisd.synthesis.patches import CATALOGUE, plain_version
from auralisd.units import SAMPLE_RATE_HZ
from tests.synthesis.conftest import whole_piece


def played(piece, seconds: float, turns: dict[float, Quality]) -> tuple[np.ndarray, Renderer]:
    """Sound of ``seconds``, with the quality turned at the given seconds: float64 ``(2, frames)``."""
    renderer = Renderer(seed=5)
    renderer.accept(piece)
    pcm16 = b""
    while renderer.position < seconds * SAMPLE_RATE_HZ:
        now = renderer.position / SAMPLE_RATE_HZ
        renderer.make_do_with(turns[max(moment for moment in turns if moment <= now + 1e-9)])
        pcm16 += renderer.render(Controls()).pcm16
    return np.frombuffer(pcm16, "<i2").reshape(-1, 2).T / 32768.0, renderer


@pytest.fixture(scope="module", name="untouched")
def untouched_fixture() -> np.ndarray:
    """Eight seconds in full quality, float64 ``(2, frames)``: what each step is held against."""
    return played(whole_piece(9.0), 8.0, {0.0: Quality.FULL})[0]


@pytest.mark.parametrize("quality", [step for step in Quality if step])
def test_a_step_changes_the_sound_without_a_click_and_keeps_its_level(untouched, quality):
    turned, _ = played(whole_piece(9.0), 8.0, {0.0: Quality.FULL, 3.0: quality})
    at = 3 * SAMPLE_RATE_HZ
    assert np.array_equal(turned[:, :at], untouched[:, :at])
    assert not np.array_equal(turned[:, at:], untouched[:, at:])
    bends = [np.abs(np.diff(sound[:, at:], n=2, axis=1)).max() for sound in (untouched, turned)]
    assert bends[1] < 1.6 * bends[0]
    levels = [10 * np.log10(np.mean(sound[:, at + SAMPLE_RATE_HZ :] ** 2)) for sound in (untouched, turned)]
    assert abs(levels[1] - levels[0]) < 3.0


def test_each_step_has_less_to_sound_than_the_one_before():
    strands = []
    for quality in Quality:
        _, renderer = played(whole_piece(10.0), 4.0, {0.0: quality})
        strands.append(renderer.statistics().sounding_strands)
    without_texture, plain, short_room, few = strands[1:]
    assert strands[0] > without_texture > plain > few
    assert short_room == plain


def test_few_voices_leave_two_at_least_in_every_layer_that_has_them():
    _, renderer = played(whole_piece(12.0), 8.0, {0.0: Quality.FULL, 6.0: Quality.FEW_VOICES})
    layers = {sounding.note.layer for sounding in renderer._notes.sounding}
    assert {"drone", "pad", "melody", "loops", "bells"} <= layers
    assert "texture" not in layers or all(
        sounding.release_frames <= 6 * SAMPLE_RATE_HZ
        for sounding in renderer._notes.sounding
        if sounding.note.layer == "texture"
    )


def test_full_quality_comes_back_with_new_notes():
    piece = whole_piece(24.0)
    _, spared = played(piece, 10.0, {0.0: Quality.FULL, 1.0: Quality.FEW_VOICES, 2.0: Quality.FULL})
    _, untouched = played(piece, 10.0, {0.0: Quality.FULL})
    missing = untouched.statistics().sounding_strands - spared.statistics().sounding_strands
    assert spared.quality is Quality.FULL
    assert missing <= 0.15 * untouched.statistics().sounding_strands


@pytest.mark.parametrize("whole", [patch for row in CATALOGUE.values() for patch in row], ids=lambda patch: patch.name)
def test_a_plain_patch_is_as_loud_and_holds_the_same_tones(whole):
    plain = plain_version(whole)
    power = [sum(10 ** (strand.gain_db / 10) for strand in patch.strands) for patch in (whole, plain)]
    assert power[1] == pytest.approx(power[0])
    assert {strand.tone for strand in plain.strands} == {strand.tone for strand in whole.strands}
    assert len(plain.strands) <= len(whole.strands)
