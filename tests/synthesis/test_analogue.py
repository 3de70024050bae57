"""The virtual-analogue voices against plain sums in float64, and the compiled kernel against both."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from auralisd.kernel import KernelShelf, machine_code
from auralisd.synthesis.analogue import TorchVoices
from auralisd.synthesis.compiled import CompiledVoices, fill, voices_from
from auralisd.synthesis.poles import pole_lines
from auralisd.units import SAMPLE_RATE_HZ, midi_to_hz
from tests.synthesis.conftest import turns_of_another_thread

FRAMES = 63


@pytest.fixture(scope="session")
def call(kernel_directory):
    return machine_code.load(kernel_directory)


@pytest.fixture(params=["torch", "compiled"])
def voices(request):
    return TorchVoices() if request.param == "torch" else CompiledVoices(request.getfixturevalue("call"))


def rounded_step_error(samples):
    """A unit step rounded by an integrated cubic B-spline, less the sharp step."""
    distance = np.abs(samples)
    after = np.where(
        distance < 1.0,
        -0.5 + distance * (2.0 / 3.0 + distance**2 * (distance / 8.0 - 1.0 / 3.0)),
        -(np.maximum(2.0 - distance, 0.0) ** 4) / 24.0,
    )
    return np.where(samples >= 0.0, after, -after)


def plain_sums(cycles, cutoff_hz, q, state):
    """The same voices frame by frame in float64: ``(segments, voices, 63)``."""
    voices, points = cutoff_hz.shape
    mu, kappa, direct = pole_lines(cutoff_hz, q)
    sound = np.zeros((points - 1, voices, FRAMES))
    frames = np.arange(FRAMES)
    for segment in range(points - 1):
        start, end = cycles[:, :, segment, None], cycles[:, :, segment + 1, None]
        step = (end - start) / FRAMES
        phase = start + step * frames
        into = phase - np.floor(phase)
        saws = 2.0 * into - 1.0 - 2.0 * rounded_step_error(into / step) - 2.0 * rounded_step_error((into - 1.0) / step)
        driven = saws.sum(axis=1)
        for frame in range(FRAMES):
            along = frame / FRAMES
            here = [
                line[:, segment] + (line[:, segment + 1] - line[:, segment]) * along for line in (mu, kappa, direct)
            ]
            state[:] = state - here[0] * state + driven[:, frame]
            sound[segment, :, frame] = here[2] * driven[:, frame] + (here[1] * state).real
    return sound


def chunk_of(pitches_midi, first_segment, segments):
    """Phases, cutoffs and resonances of voices at ``pitches_midi``, cutoffs swinging."""
    seconds = (first_segment + np.arange(segments + 1)) * FRAMES / SAMPLE_RATE_HZ
    frequency = np.array([midi_to_hz(pitch) for pitch in pitches_midi])[:, None]
    ratios = 2.0 ** (np.array([-7.0, 0.0, 7.3]) / 1200.0)
    cycles = 0.1 + np.arange(3)[None, :, None] * 0.3 + (frequency * ratios)[:, :, None] * seconds
    cutoff_hz = 1_500.0 * 2.0 ** (2.0 * np.sin(2.0 * np.pi * 0.9 * seconds[None] + frequency))
    return cycles, cutoff_hz, np.linspace(0.7, 4.0, len(frequency))


def levels_db(difference, wanted):
    return 10.0 * np.log10(np.mean(difference**2) / np.mean(wanted**2))


def test_the_voices_are_within_100_db_of_sums_in_float64(voices):
    pitches = np.linspace(24, 100, 35)  # not a multiple of what is taken side by side
    state, states = np.zeros(35, dtype=np.complex128), np.zeros((2, 35), dtype=np.float32)
    for first in (40_000_000, 40_000_008):
        chunk = chunk_of(pitches, first, 8)
        wanted = plain_sums(*chunk, state)
        sound = voices.sound(*chunk, states)
        assert sound.shape == (8, 35, FRAMES)
        assert sound.dtype == torch.float32
        assert levels_db(sound.numpy() - wanted, wanted) < -100.0


def test_each_voice_is_its_own_whoever_sounds_beside_it(voices):
    pitches = np.linspace(30, 90, 40)
    cycles, cutoff_hz, q = chunk_of(pitches, 7, 5)
    together = voices.sound(cycles, cutoff_hz, q, np.zeros((2, 40), dtype=np.float32)).clone()
    alone = voices.sound(cycles[17:18], cutoff_hz[17:18], q[17:18], np.zeros((2, 1), dtype=np.float32))
    assert torch.allclose(together[:, 17:18], alone, atol=2e-6)


def test_more_voices_than_are_taken_at_once_are_taken_in_turns():
    pitches = np.linspace(30, 90, 300)
    chunk = chunk_of(pitches, 7, 3)
    together = TorchVoices().sound(*chunk, np.zeros((2, 300), dtype=np.float32))
    last = TorchVoices().sound(*(part[280:] for part in chunk), np.zeros((2, 20), dtype=np.float32))
    assert torch.allclose(together[:, 280:], last, atol=2e-6)


def test_a_chunk_in_two_halves_is_the_whole_one(voices):
    cycles, cutoff_hz, q = chunk_of([45, 57, 64], 100, 10)
    states = np.zeros((2, 3), dtype=np.float32)
    whole = voices.sound(cycles, cutoff_hz, q, states.copy()).clone()
    first = voices.sound(cycles[:, :, :6], cutoff_hz[:, :6], q, states).clone()
    second = voices.sound(cycles[:, :, 5:], cutoff_hz[:, 5:], q, states)
    assert torch.allclose(torch.cat((first, second)), whole, atol=1e-5)


@pytest.mark.parametrize("pitch_midi", [84, 96])
def test_nothing_folds_back_below_8_khz(voices, pitch_midi):
    segments = 2 * SAMPLE_RATE_HZ // FRAMES
    frequency = round(midi_to_hz(pitch_midi))  # whole cycles in the second that is looked at: no leakage
    points = np.arange(segments + 1) * FRAMES / SAMPLE_RATE_HZ
    cycles = np.repeat((frequency * points)[None, None, :], 3, axis=1)
    open_filter = np.full((1, segments + 1), 16_000.0)
    states = np.zeros((2, 1), dtype=np.float32)
    pieces = [
        voices.sound(cycles[:, :, i : i + 36], open_filter[:, i : i + 36], np.array([0.7]), states).clone()
        for i in range(0, segments, 35)
    ]
    spectrum = np.abs(np.fft.rfft(torch.cat(pieces).numpy().reshape(-1)[-SAMPLE_RATE_HZ:]))
    below = np.arange(20, 8_000)
    others = below[(below % frequency > 3) & (below % frequency < frequency - 3)]
    folded_db = 20.0 * np.log10(np.max(spectrum[others]) / spectrum[frequency])
    assert folded_db < -60.0


def test_a_voice_at_rest_is_silent_to_the_last_bit(voices):
    states = np.full((2, 4), 1e-20, dtype=np.float32)
    cycles, cutoff_hz, q = chunk_of([40, 50, 60, 70], 0, 1)
    voices.sound(cycles, np.full_like(cutoff_hz, 16_000.0), q, states)
    assert not (np.abs(states) < 1e-15)[states != 0.0].any()


def test_the_kernel_lets_other_threads_run(call):
    chunk = chunk_of(np.linspace(30, 90, 256), 7, 3_000)
    voices, states = CompiledVoices(call), np.zeros((2, 256), dtype=np.float32)
    assert turns_of_another_thread(lambda: voices.sound(*chunk, states)) > 5


def test_loading_the_kernel_does_not_import_numba(call):
    assert call is not None
    assert "numba" not in sys.modules


def test_the_shelf_is_filled_from_the_cache(kernel_directory):
    shelf = KernelShelf()
    assert fill(shelf, kernel_directory)
    assert isinstance(voices_from(shelf), CompiledVoices)
    assert "compiled kernel" in shelf.why


def test_without_a_compiled_kernel_torch_plays_and_says_so(tmp_path):
    shelf = KernelShelf()
    assert not fill(shelf, tmp_path)
    assert shelf.why == "torch alone: the kernel has not been compiled on this machine yet"
