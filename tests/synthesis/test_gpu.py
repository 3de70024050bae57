"""The same music on a graphics processor, where there is one; elsewhere these tests say what they miss."""

import time

import numpy as np
import pytest
import torch

from auralisd.audio import pcm16_to_samples
from auralisd.composition import Composer
from auralisd.controls import Controls
from auralisd.synthesis.device import choose_device
from auralisd.synthesis.renderer import Renderer
from auralisd.units import BLOCK_FRAMES, SAMPLE_RATE_HZ

SECONDS = 6


@pytest.fixture(
    params=[
        pytest.param(
            "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU answers here")
        ),
        pytest.param(
            "mps", marks=pytest.mark.skipif(not torch.backends.mps.is_available(), reason="no Apple GPU is there")
        ),
    ]
)
def gpu(request):
    return request.param


def rendered(renderer, composer, seconds):
    """Sound of ``seconds``, float32 ``(2, frames)``."""
    blocks = []
    for _ in range(seconds * SAMPLE_RATE_HZ // BLOCK_FRAMES):
        renderer.accept(composer.advance(composer.position + BLOCK_FRAMES))
        blocks.append(renderer.render(Controls()).pcm16)
    return pcm16_to_samples(b"".join(blocks))


def test_a_gpu_is_chosen_by_itself_and_the_reason_is_said(gpu):
    chosen = choose_device("auto")
    assert chosen.name.startswith(("cuda", gpu))
    assert chosen.why


def test_a_gpu_makes_the_same_music_as_the_cpu(gpu):
    on_cpu = rendered(Renderer(seed=3), Composer(seed=3), SECONDS)
    on_gpu = rendered(Renderer(seed=3, device=gpu), Composer(seed=3), SECONDS)
    difference = np.sqrt(np.mean((on_cpu - on_gpu) ** 2)) / np.sqrt(np.mean(on_cpu**2))
    assert 20 * np.log10(difference + 1e-9) < -60  # the rounding to 16 bits alone is at -80


def test_a_gpu_keeps_ahead_of_real_time(gpu):
    renderer, composer = Renderer(seed=3, device=gpu), Composer(seed=3)
    rendered(renderer, composer, 2)
    began = time.monotonic()
    rendered(renderer, composer, SECONDS)
    assert time.monotonic() - began < SECONDS / 2


def test_a_gpu_that_is_given_up_leaves_the_music_to_the_cpu(gpu):
    renderer, composer = Renderer(seed=3, device=gpu), Composer(seed=3)
    before = rendered(renderer, composer, 3)
    after = rendered(renderer.moved_to("cpu"), composer, 3)
    step = np.abs(after[:, 0] - before[:, -1]).max()
    assert step < 4 * np.abs(np.diff(before, axis=1)).max()
    assert np.sqrt(np.mean(after**2)) > 0.3 * np.sqrt(np.mean(before**2))
