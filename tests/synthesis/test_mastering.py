from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from auralisd.audio import pcm16_to_samples
from auralisd.controls import Controls
from auralisd.synthesis.grid import SPAN_FRAMES, chunks
from auralisd.synthesis.limiter import LOOK_AHEAD_FRAMES, TruePeakLimiter
from auralisd.synthesis.loudness import LARGEST_DB, SLEW_DB_PER_SECOND, LoudnessServo
from auralisd.synthesis.mastering import Mastering
from auralisd.synthesis.ramps import ControlRamps
from auralisd.units import SAMPLE_RATE_HZ

CEILING = 10 ** (-1.0 / 20)


def true_peak(sound):
    """Peak of the signal oversampled eight times by its spectrum."""
    frames = sound.shape[1]
    edges = np.minimum(1.0, np.arange(frames) / 400.0)  # or the cut itself would ring
    padded = np.concatenate((np.zeros((2, 500)), sound * edges * edges[::-1], np.zeros((2, 500))), axis=1)
    spectrum = np.fft.rfft(padded)
    longer = np.zeros((2, (frames + 1000) * 4 + 1), dtype=complex)
    longer[:, : spectrum.shape[1]] = spectrum
    return np.abs(np.fft.irfft(longer, (frames + 1000) * 8) * 8).max()


def limited(sound, frames=SPAN_FRAMES):
    limiter = TruePeakLimiter()
    parts = [
        limiter.limited(torch.from_numpy(sound[:, begin : begin + frames].astype(np.float32)))
        for begin in range(0, sound.shape[1], frames)
    ]
    return torch.cat(parts, dim=1).double().numpy()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.floats(0.2, 6.0), st.sampled_from([60.0, 440.0, 5000.0, 11025.0, 15000.0]))
def test_no_true_peak_leaves_the_limiter(seed, loudness, frequency):
    chance = np.random.default_rng(seed)
    time = np.arange(4 * SPAN_FRAMES) / SAMPLE_RATE_HZ
    tone = np.sin(2 * np.pi * frequency * time + chance.uniform(0, 6.28))
    swing = np.sin(2 * np.pi * 3.1 * time + chance.uniform(0, 6.28))
    bursts = 0.1 + 0.9 * np.clip((swing - 0.8) / 0.06, 0.0, 1.0)  # within 5 ms, as fast as anything is struck here
    sound = loudness * np.stack([tone * bursts, bursts * dark_noise(len(time), seed)[0] * 0.3])
    assert true_peak(limited(sound)[:, LOOK_AHEAD_FRAMES:]) <= CEILING


def test_what_is_below_the_ceiling_passes_untouched_and_a_little_later():
    sound = 0.5 * np.random.default_rng(1).uniform(-1, 1, (2, 3 * SPAN_FRAMES)).astype(np.float32)
    assert np.array_equal(limited(sound)[:, LOOK_AHEAD_FRAMES:], sound[:, :-LOOK_AHEAD_FRAMES].astype(np.float64))


def test_the_limiter_does_not_depend_on_block_size():
    sound = 2.0 * np.random.default_rng(1).standard_normal((2, 3 * SPAN_FRAMES))
    assert np.allclose(limited(sound), limited(sound, 441), atol=1e-6)


def test_the_limiter_recovers_and_is_idle_again():
    limiter = TruePeakLimiter()
    limiter.limited(torch.full((2, SPAN_FRAMES), 3.0))
    assert limiter.reduction_db > 6.0
    for _ in range(80):
        limiter.limited(torch.full((2, SPAN_FRAMES), 0.1))
    assert limiter.reduction_db == 0.0


def dark_noise(frames, seed=1):
    """Noise that falls by 6 dB an octave above 500 Hz: unit level, spectrum of loud music."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal((2, frames)))
    spectrum /= 1.0 + np.fft.rfftfreq(frames, 1 / SAMPLE_RATE_HZ) / 500.0
    sound = np.fft.irfft(spectrum, frames)
    return sound / sound.std()


def noise(seconds, level, seed=3):
    white = np.random.default_rng(seed).standard_normal((2, seconds * SAMPLE_RATE_HZ)).astype(np.float32)
    return level * white


@pytest.mark.parametrize("level", [0.02, 0.1])
def test_the_servo_measures_as_an_independent_meter_does(level):
    sound, servo = noise(60, level), LoudnessServo()
    for chunk in chunks(0, sound.shape[1]):
        servo.listen(chunk, sound[:, chunk.start : chunk.end])
    meter = pyloudnorm.Meter(SAMPLE_RATE_HZ).integrated_loudness(sound.T.astype(np.float64))
    assert servo._window_lufs() == pytest.approx(meter, abs=0.15)


def test_the_servo_is_slow_bounded_and_does_not_depend_on_block_size():
    sound = noise(30, 0.04)
    gains = []
    for frames in (SPAN_FRAMES, 441):
        servo, seen = LoudnessServo(), []
        for begin in range(0, sound.shape[1], frames):
            for chunk in chunks(begin, frames):
                seen.append(servo.gains(chunk.points())[0])
                servo.listen(chunk, sound[:, chunk.start : chunk.end])
        gains.append(servo.gain_db)
        steps = np.abs(np.diff(20 * np.log10(seen)))
        assert steps.max() <= SLEW_DB_PER_SECOND * 1.01
    assert gains[0] == pytest.approx(gains[1], abs=1e-6)
    assert 0.5 < gains[0] <= min(LARGEST_DB, 30 * SLEW_DB_PER_SECOND)


def mastered(sound, controls=None):
    mastering, ramps = Mastering(1), ControlRamps(controls or Controls())
    pcm16 = b""
    for chunk in chunks(0, sound.shape[1]):
        piece = torch.from_numpy(sound[:, chunk.start : chunk.end].astype(np.float32))
        pcm16 += mastering.mastered(chunk, piece, piece * 0.0, ramps.at(chunk.points()))
    return pcm16_to_samples(pcm16).astype(np.float64)


def test_offset_and_wide_bass_are_taken_out_and_wide_treble_stays():
    time = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    bass, treble = (0.1 * np.sin(2 * np.pi * frequency * time) for frequency in (50.0, 1000.0))
    out = mastered(np.stack([bass + treble + 0.1, -bass - treble + 0.1]))[:, SAMPLE_RATE_HZ:]
    side = np.abs(np.fft.rfft((out[0] - out[1]) / 2)) / len(out[0]) * 2
    assert abs(out.mean()) < 1e-3
    assert side[50] < 0.004
    assert side[1000] > 0.08


def test_silence_is_dithered_by_one_step_and_no_more():
    out = mastered(np.zeros((2, SAMPLE_RATE_HZ))) * 32768
    assert set(np.unique(out)) == {-1.0, 0.0, 1.0}
    assert abs(out.mean()) < 0.02
    assert abs(np.corrcoef(out)[0, 1]) < 0.02


def test_dither_keeps_a_tone_below_one_step_alive_without_harmonics():
    time = np.arange(20 * 2205 * 4) / SAMPLE_RATE_HZ
    tone = np.tile(0.7 / 32768 * np.sin(2 * np.pi * 500 * time), (2, 1))
    spectrum = np.abs(np.fft.rfft(mastered(tone)[0] * 32768)) / len(time) * 2
    assert spectrum[2000] == pytest.approx(0.7, rel=0.1)
    assert spectrum[[6000, 10000]].max() < 0.03


def test_full_level_and_a_hot_mix_never_pass_the_ceiling():
    hot = dark_noise(SAMPLE_RATE_HZ)
    assert true_peak(mastered(hot, Controls(warmth=1.0))) <= CEILING
