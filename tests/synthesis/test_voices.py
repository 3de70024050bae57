from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from auralisd.synthesis.grid import CONTROL_RATE_HZ
from auralisd.synthesis.voices import StreamedEnvelopes, StreamedSaws, StreamedSines
from auralisd.units import SAMPLE_RATE_HZ

RAMP = torch.arange(63, dtype=torch.float32) / 63


def shapes(attack=0.5, decay=1.0, sustain=0.6, release=2.0, curve=2.0, held=4.0):
    return torch.tensor([[attack], [decay], [sustain], [release], [curve], [held]])


def ages(start, seconds):
    return (start + torch.arange(int(seconds * CONTROL_RATE_HZ)) / CONTROL_RATE_HZ)[None, :].float()


def test_an_envelope_rises_falls_holds_and_dies():
    levels = StreamedEnvelopes().levels(shapes(), ages(-0.5, 8.0))[0]

    def at(seconds):
        return float(levels[round((seconds + 0.5) * CONTROL_RATE_HZ)])

    assert at(-0.2) == at(0.0) == 0.0
    assert 0.0 < at(0.25) < 0.3
    assert at(0.5) == pytest.approx(1.0, abs=0.01)
    assert at(1.7) == at(3.9) == pytest.approx(0.6, abs=0.001)
    assert 0.0 < at(5.0) < 0.3
    assert at(6.1) == 0.0
    assert np.abs(np.diff(levels.numpy())).max() < 0.01


def test_an_envelope_read_in_pieces_is_the_whole_one():
    envelopes = StreamedEnvelopes()
    whole = envelopes.levels(shapes(), ages(0.0, 2.0))
    late = envelopes.levels(shapes(), ages(1.0, 1.0))
    assert torch.allclose(whole[:, CONTROL_RATE_HZ:], late, atol=1e-5)


def test_a_release_in_the_middle_of_the_attack_does_not_bend_what_was_heard():
    envelopes = StreamedEnvelopes()
    held, cut = (envelopes.levels(shapes(attack=2.0, held=held), ages(0.0, 4.0))[0].numpy() for held in (9.0, 1.0))
    assert np.array_equal(held[:CONTROL_RATE_HZ], cut[:CONTROL_RATE_HZ])
    assert np.abs(np.diff(cut)).max() < 0.01


def test_envelopes_of_many_notes_do_not_mix():
    envelopes = StreamedEnvelopes()
    both = torch.cat((shapes(), shapes(attack=0.01, sustain=0.1)), dim=1)
    together = envelopes.levels(both, ages(0.0, 3.0).expand(2, -1))
    alone = envelopes.levels(shapes(attack=0.01, sustain=0.1), ages(0.0, 3.0))
    assert torch.equal(together[1:], alone)


def phases(frequency_hz, segments):
    cycles = frequency_hz / SAMPLE_RATE_HZ * 63 * np.arange(segments)
    step = torch.full((segments, 1), frequency_hz / SAMPLE_RATE_HZ * 63)
    return torch.from_numpy((cycles % 1.0).astype(np.float32))[:, None], step


def test_a_sine_is_exact_for_hours():
    frequency, hour = 987.77, 3600.0
    cycles = frequency * (hour + 63 * np.arange(35) / SAMPLE_RATE_HZ)
    start = torch.from_numpy((cycles % 1.0).astype(np.float32))[:, None]
    sound = StreamedSines().sound(start, phases(frequency, 35)[1], RAMP).reshape(-1).double().numpy()
    exact = np.sin(2 * math.pi * frequency * (hour + np.arange(2205) / SAMPLE_RATE_HZ))
    assert 10 * np.log10(((sound - exact) ** 2).mean() / 0.5) < -100.0


@pytest.mark.parametrize("pitch_hz", [220.0, 2093.0])
def test_a_saw_does_not_alias_below_8_khz(pitch_hz):
    start, step = phases(pitch_hz, 1400)
    partials = torch.full_like(start, min(2.6, max(5000.0 / pitch_hz, 0.3)))
    sound = StreamedSaws().sound(start, step, RAMP, partials).reshape(-1).double().numpy()
    power = np.abs(np.fft.rfft(sound * np.blackman(len(sound)))) ** 2
    frequencies = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE_HZ)
    off = np.abs(frequencies / pitch_hz - np.rint(frequencies / pitch_hz)) * pitch_hz > 15.0
    assert 10 * np.log10(power[off & (frequencies < 8000.0)].sum() / power.sum()) < -60.0


def test_more_partials_are_brighter():
    start, step = phases(220.0, 700)
    tilts = []
    for partials in (0.5, 4.0):
        sound = StreamedSaws().sound(start, step, RAMP, torch.full_like(start, partials)).reshape(-1).numpy()
        power = np.abs(np.fft.rfft(sound)) ** 2
        tilts.append(power[1000:].sum() / power.sum())
    assert tilts[1] > 5 * tilts[0]
