"""Reverb, echoes, filters, warmth and dither in machine code against the same in torch; and a whole station."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from auralisd.audio import pcm16_to_samples
from auralisd.controls import Controls
from auralisd.kernel import KernelShelf
from auralisd.kernel.layout import BUSES
from auralisd.synthesis import Renderer
from auralisd.synthesis.delay import EchoDelay
from auralisd.synthesis.filters import SegmentFilter, dc_block, high_pass, low_pass
from auralisd.synthesis.grid import chunks
from auralisd.synthesis.mastering import Mastering
from auralisd.synthesis.ramps import ControlRamps
from auralisd.synthesis.reverb import Reverb
from tests.synthesis.conftest import whole_piece

CPU = torch.device("cpu")
BEGIN = 999 * 4410


def noise(frames, seed=1, channels=2):
    return torch.from_numpy(np.random.default_rng(seed).normal(0.0, 0.1, (channels, frames)).astype(np.float32))


def in_chunks(process, sound, lengths=(4410, 630, 63, 3717, 4410)):
    """What ``process`` makes of ``sound`` in chunks of all sizes."""
    parts, at = [], 0
    while at < sound.shape[1]:
        for frames in lengths:
            for chunk in chunks(BEGIN + at, frames):
                parts.append(process(chunk, sound[:, at : at + chunk.frames]).clone())
                at += chunk.frames
    return torch.cat(parts, dim=1).numpy()


def apart_db(one, other):
    return 10.0 * np.log10(np.mean((one.astype(np.float64) - other) ** 2) / np.mean(other.astype(np.float64) ** 2))


@pytest.mark.parametrize(
    "channels",
    [
        (dc_block(), high_pass(120.0, 4)),
        (low_pass(300.0, 2), low_pass(300.0, 2)),
        ((*high_pass(260.0, 2), *low_pass(2_600.0, 2)), ()),
    ],
    ids=["mono below 120 Hz", "body", "echoes and nothing"],
)
def test_filters_are_within_100_db_of_each_other(shelf, channels):
    both = [SegmentFilter(channels, CPU, which) for which in (shelf, None)]
    sound = noise(13_230 * 2)
    ours, torchs = (in_chunks(lambda _chunk, part, one=one: one.filtered(part), sound) for one in both)
    assert apart_db(ours, torchs) < -100.0
    assert np.allclose(both[0].state, both[1].state, atol=1e-5)


def test_a_filter_of_a_higher_order_is_left_to_torch(shelf):
    steep = SegmentFilter((high_pass(120.0, 8),), CPU, shelf)
    assert torch.isfinite(steep.filtered(noise(4410)[:1])).all()


def test_a_filter_at_rest_is_silent_to_the_last_bit(shelf):
    one = SegmentFilter((high_pass(120.0, 4),), CPU, shelf)
    one.state[:] = 1e-20
    one.filtered(torch.zeros((1, 63)))
    assert not one.state.any()


def test_echoes_are_as_close_as_places_in_float32_allow(shelf):
    sound = noise(13_230 * 10, channels=BUSES)

    def echoes_and_their_reverb(delay, chunk, buses):
        echoes, far = delay.heard(chunk, buses)
        return torch.cat((echoes, far - buses[2:4]))

    ours, torchs = (
        in_chunks(lambda chunk, part, one=one: echoes_and_their_reverb(one, chunk, part), sound)
        for one in (EchoDelay(CPU, shelf), EchoDelay(CPU))
    )
    assert np.abs(torchs).max() > 0.01
    assert apart_db(ours, torchs) < -80.0


def test_the_reverb_is_within_100_db_of_torchs_while_the_room_changes(shelf):
    sound = noise(13_230 * 18)
    ours, torchs = (
        in_chunks(
            lambda chunk, part, one=one: one.wet(chunk, part, 0.3 if chunk.start < BEGIN + 44_100 else 0.8), sound
        )
        for one in (Reverb(0.3, CPU, shelf), Reverb(0.3, CPU))
    )
    assert np.abs(torchs).max() > 0.01
    assert apart_db(ours, torchs) < -100.0


@pytest.mark.parametrize("warmth", [0.0, 0.5, 1.0])
def test_mastering_differs_by_the_last_bit_at_most(shelf, warmth):
    masters, ramps = (Mastering(3, shelf), Mastering(3)), ControlRamps(Controls(warmth=0.5))
    sound, differing, steps = 6.0 * noise(13_230 * 6), 0, 0
    for chunk in chunks(BEGIN, sound.shape[1]):
        if chunk.start == BEGIN + 4410:
            ramps.turn(Controls(warmth=warmth), chunk.start)
        part = sound[:, chunk.start - BEGIN : chunk.end - BEGIN]
        controls = ramps.at(chunk.points())
        pcm = [np.frombuffer(master.mastered(chunk, part.clone(), part, controls), "<i2") for master in masters]
        apart = np.abs(pcm[0].astype(int) - pcm[1])
        assert apart.max() <= 1
        differing, steps = differing + np.count_nonzero(apart), steps + len(apart)
    assert differing < 0.02 * steps


def test_dither_and_limits_are_the_same_to_the_bit(shelf):
    masters = Mastering(3, shelf), Mastering(3)
    sound = 2.0 * torch.clamp(noise(4410) * 8.0, -1.0, 1.0)  # beyond full scale too
    chunk = next(chunks(BEGIN, 4410))
    assert masters[0]._dithered(chunk, sound) == masters[1]._dithered(chunk, sound)


def test_a_station_with_the_kernel_differs_by_the_last_bit_at_most(shelf):
    controls, turned = Controls(), Controls(warmth=0.9, space=0.9, brightness=0.8)
    pieces = []
    for which in (shelf, KernelShelf()):
        renderer = Renderer(seed=9, controls=controls, shelf=which)
        renderer.accept(whole_piece(8.0))
        blocks = [renderer.render(controls if index < 30 else turned, 4410).pcm16 for index in range(80)]
        pieces.append(pcm16_to_samples(b"".join(blocks)) * 32_768.0)
    assert np.abs(pieces[1]).max() > 1_000.0
    assert np.abs(pieces[0] - pieces[1]).max() <= 1.0
    assert np.mean(pieces[0] != pieces[1]) < 0.02
