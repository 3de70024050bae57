from __future__ import annotations

import numpy as np
import pytest
import torch

from auralisd.kernel.layout import BUSES
from auralisd.synthesis.delay import FEEDBACK, TAP_SECONDS, EchoDelay
from auralisd.synthesis.grid import chunks
from auralisd.synthesis.impulse import (
    EARLY_PARTITIONS,
    PARTITION_FRAMES,
    PARTITIONS,
    SLOPE_FRAMES,
    SPECTRUM_FRAMES,
    ImpulseBands,
    Room,
    reverberation_seconds,
)
from auralisd.synthesis.reverb import Reverb
from auralisd.units import SAMPLE_RATE_HZ

CPU = torch.device("cpu")


def sent(sound):
    """Buses with ``sound``, float32 ``(frames,)``, on that of the delay."""
    buses = torch.zeros((BUSES, len(sound)))
    buses[4] = sound
    return buses


@pytest.fixture(scope="module", name="bands")
def bands_fixture():
    return ImpulseBands()


def impulse_of(bands, space):
    return joined(bands.spectra(Room(space), 0, PARTITIONS))


def joined(spectra):
    """The impulse whose partitions overlap: float64 ``(2, frames)``."""
    parts = torch.fft.irfft(spectra, n=SPECTRUM_FRAMES).double().numpy()
    whole = np.zeros((2, parts.shape[1] * PARTITION_FRAMES + SPECTRUM_FRAMES))
    for index in range(parts.shape[1]):
        begin = index * PARTITION_FRAMES
        whole[:, begin : begin + SPECTRUM_FRAMES] += parts[:, index]
    return whole[:, : parts.shape[1] * PARTITION_FRAMES]


def decay_seconds(sound, low_hz, high_hz):
    """RT60 by Schroeder's backward integration, from the slope between -5 and -25 dB (ISO 3382)."""
    spectrum = np.fft.rfft(sound)
    frequencies = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE_HZ)
    band = np.fft.irfft(np.where((frequencies >= low_hz) & (frequencies < high_hz), spectrum, 0.0), len(sound))
    left = 10 * np.log10(np.cumsum(band[::-1] ** 2)[::-1] / (band**2).sum() + 1e-12)
    begin, end = np.flatnonzero(left < -5)[0], np.flatnonzero(left < -25)[0]
    return 60.0 / 20.0 * (end - begin) / SAMPLE_RATE_HZ


@pytest.mark.parametrize("space", [0.0, 0.5, 1.0])
def test_the_room_decays_as_space_says_and_sooner_in_the_treble(bands, space):
    left = impulse_of(bands, space)[0]
    low, high = decay_seconds(left, 260, 550), decay_seconds(left, 3500, 6000)
    assert low == pytest.approx(reverberation_seconds(space), rel=0.15)
    assert high < 0.7 * low


def test_the_room_is_wide_has_no_bass_and_is_made_the_same_in_parts(bands):
    left, right = impulse_of(bands, 0.5)
    assert 0.2 < np.corrcoef(left, right)[0, 1] < 0.7
    power = np.abs(np.fft.rfft(left)) ** 2
    hertz = len(left) / SAMPLE_RATE_HZ
    assert power[: int(150 * hertz)].mean() < 1e-3 * power[int(300 * hertz) : int(600 * hertz)].mean()
    whole = bands.spectra(Room(0.5), 0, PARTITIONS)
    assert torch.allclose(bands.spectra(Room(0.5), 40, 7), whole[:, 40:47], atol=1e-6)


def test_a_short_room_ends_with_its_early_part_and_decays_smoothly(bands):
    early = EARLY_PARTITIONS * PARTITION_FRAMES
    spectra = bands.spectra(Room(0.5, short=True), 0, PARTITIONS)
    left = joined(spectra)[0]
    assert np.abs(left[early + SLOPE_FRAMES :]).max() < 1e-9
    assert np.abs(left[early - SAMPLE_RATE_HZ // 20 : early]).max() < 0.01 * np.abs(left).max()
    assert 1.2 < decay_seconds(left, 260, 550) < 2.6


def test_a_room_made_short_and_long_again_sounds_as_before(bands):
    tone = 0.3 * torch.sin(2 * torch.pi * 440 * torch.arange(20 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ).repeat(2, 1)
    steady, turned = Reverb(0.5, CPU), Reverb(0.5, CPU)
    untouched = wet(steady, tone)
    parts = []
    for second in range(20):
        turned.short = 4 <= second < 10
        piece = tone[:, second * SAMPLE_RATE_HZ : (second + 1) * SAMPLE_RATE_HZ]
        parts.append(wet(turned, piece, start=second * SAMPLE_RATE_HZ))
        assert turned.room.short == (7 <= second < 12) or second in (4, 5, 6, 10, 11, 12)
    heard = np.concatenate(parts, axis=1)
    assert np.abs(np.diff(heard, n=2, axis=1)).max() < 1.5 * np.abs(np.diff(untouched, n=2, axis=1)).max()
    late = slice(18 * SAMPLE_RATE_HZ, None)
    assert np.abs(heard[:, late] - untouched[:, late]).max() < 1e-4


def wet(reverb, sound, *, frames=PARTITION_FRAMES, space=lambda _position: 0.5, start=0):
    parts = []
    for begin in range(0, sound.shape[1], frames):
        for chunk in chunks(start + begin, min(frames, sound.shape[1] - begin)):
            piece = sound[:, chunk.start - start : chunk.end - start]
            parts.append(reverb.wet(chunk, piece, space(chunk.start)).clone())
    return torch.cat(parts, dim=1).double().numpy()


def test_an_impulse_comes_back_as_the_room_one_partition_later(bands):
    sound = torch.zeros((2, 80 * PARTITION_FRAMES))
    sound[0, 1000] = 1.0
    heard = wet(Reverb(0.5, CPU), sound)
    room = impulse_of(bands, 0.5)[0]
    expected = np.zeros(heard.shape[1])
    begin = 1000 + PARTITION_FRAMES
    expected[begin:] = room[: len(expected) - begin]
    assert np.array_equal(heard[1], np.zeros(heard.shape[1]))
    assert 10 * np.log10(((heard[0] - expected) ** 2).sum() / (expected**2).sum()) < -25.0


def test_the_reverb_does_not_depend_on_block_size_or_on_when_it_was_started():
    noise = torch.from_numpy(np.random.default_rng(2).standard_normal((2, 12 * PARTITION_FRAMES)).astype(np.float32))
    whole = wet(Reverb(0.5, CPU), noise)
    assert np.array_equal(whole, wet(Reverb(0.5, CPU), noise, frames=441))
    late = wet(Reverb(0.5, CPU), noise, start=97 * PARTITION_FRAMES)
    assert np.abs(whole - late).max() < 1e-5 * np.abs(whole).max()


def test_turning_space_glides_to_the_new_room_without_a_step():
    noise = torch.from_numpy(np.random.default_rng(2).standard_normal((2, 70 * PARTITION_FRAMES)).astype(np.float32))
    tone = torch.sin(2 * torch.pi * 440 / SAMPLE_RATE_HZ * torch.arange(70 * PARTITION_FRAMES)).expand(2, -1)

    def space(position):
        return 0.0 if position < 20 * PARTITION_FRAMES or position >= 30 * PARTITION_FRAMES else 1.0

    steady, turned = (wet(Reverb(0.0, CPU), tone, space=turn) for turn in (lambda _p: 0.0, space))
    assert np.array_equal(steady[:, : 21 * PARTITION_FRAMES], turned[:, : 21 * PARTITION_FRAMES])
    jumps = [np.abs(np.diff(sound[:, 21 * PARTITION_FRAMES :], n=2)).max() for sound in (steady, turned)]
    assert jumps[1] < 2.5 * jumps[0]
    reverb = Reverb(0.0, CPU)
    wet(reverb, noise, space=lambda _position: 1.0)
    assert reverb.room.space == 1.0


def test_echoes_come_at_their_times_and_die():
    delay = EchoDelay(CPU)
    sound = torch.zeros(200 * PARTITION_FRAMES)
    sound[:2205] = torch.sin(2 * torch.pi * 600 / SAMPLE_RATE_HZ * torch.arange(2205)) * torch.hann_window(2205)
    heard = (
        torch.cat([delay.heard(c, sent(sound[c.start : c.end])).echoes for c in chunks(0, len(sound))], dim=1)
        .double()
        .numpy()
    )
    power = (heard**2).sum(axis=0)
    assert power[: int(0.6 * SAMPLE_RATE_HZ)].max() == 0.0
    for seconds in TAP_SECONDS:
        begin = int((seconds - 0.005) * SAMPLE_RATE_HZ)
        assert power[begin : begin + 2650].sum() > 20.0
    second = power[int(3.12 * SAMPLE_RATE_HZ) :].max() / power.max()
    assert second < 2 * FEEDBACK**2
    assert power[-SAMPLE_RATE_HZ:].max() < 1e-4 * power.max()


def test_echoes_do_not_depend_on_block_size():
    noise = torch.from_numpy(np.random.default_rng(2).standard_normal(60 * PARTITION_FRAMES).astype(np.float32))
    heard = []
    for frames in (PARTITION_FRAMES, 441):
        delay, parts = EchoDelay(CPU), []
        for begin in range(0, len(noise), frames):
            parts += [delay.heard(c, sent(noise[c.start : c.end])).echoes for c in chunks(begin, frames)]
        heard.append(torch.cat(parts, dim=1).double().numpy())
    assert 10 * np.log10(((heard[0] - heard[1]) ** 2).sum() / (heard[0] ** 2).sum()) < -90.0


def test_no_partition_can_be_told_from_its_neighbours():
    """Strokes on a low drum come back without a step at the joints: those would be twenty clicks a second."""
    seconds = np.arange(120 * PARTITION_FRAMES) / SAMPLE_RATE_HZ
    strokes = np.zeros(len(seconds))
    for onset in (0.31, 1.17, 2.02, 2.9, 3.8, 4.7):
        since = np.maximum(seconds - onset, 0.0)
        strokes += 0.9 * np.sin(2 * np.pi * 60.0 * since) * np.exp(-since / 0.3) * np.clip(since / 0.008, 0.0, 1.0)
    heard = wet(Reverb(0.9, CPU), torch.from_numpy(np.stack((strokes, strokes)).astype(np.float32)))[0]
    bend = np.abs(np.diff(heard, n=6))  # a step of 1 bends by 20
    assert bend.max() < 20 * 10 ** (-90 / 20)
