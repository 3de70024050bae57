"""A small hand-written piece in which all seven layers sound."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from auralisd.audio import pcm16_to_samples
from auralisd.controls import Controls
from auralisd.kernel import KernelShelf
from auralisd.score import Note, ScoreSlice
from auralisd.synthesis import Renderer
from auralisd.synthesis.compiled import fill
from auralisd.units import SAMPLE_RATE_HZ, seconds_to_frames

CHORDS = ((45, 52, 57, 60, 64), (41, 53, 57, 60, 67), (48, 55, 60, 62, 64), (43, 50, 59, 62, 67))


def note(layer: str, number: int, onset: float, length: float, pitch: int, velocity: float = 0.5, role: str = ""):
    return Note(
        note_id=number,
        onset_frames=seconds_to_frames(onset),
        duration_frames=seconds_to_frames(length),
        pitch_midi=pitch,
        velocity=velocity,
        layer=layer,
        role=role or layer,
    )


def whole_piece(seconds: float) -> ScoreSlice:
    """Drone, five-voice chords of 7 s, and a steady trickle of everything else."""
    notes = [note("drone", 0, 0.0, seconds, 33), note("drone", 1, 2.003, seconds, 40, 0.4)]
    for index in range(int(seconds / 7) + 1):
        for voice, pitch in enumerate(CHORDS[index % 4]):
            notes.append(note("pad", 5 * index + voice, 7 * index + 0.171 * voice, 6.8, pitch))
    for index in range(int(seconds)):
        notes.append(note("melody", index, index + 0.3137, 0.9, 60 + (0, 3, 7, 10)[index % 4], 0.4))
        notes.append(note("loops", index, index + 0.7713, 2.0, 57 + (0, 7, 3)[index % 3], 0.4))
        notes.append(note("bells", index, 1.7 * index + 0.5, 5.0, 72 + (0, 7, 4)[index % 3], 0.4))
        notes.append(note("texture", index, 2.1 * index, 1.0, 80, 0.4, "grain"))
        notes.append(note("percussion", index, 4.0 * index + 1.01, 0.5, 36, 0.5, "hit"))
    notes.append(note("texture", 1000, 0.0, seconds, 60, 0.4, "bed"))
    notes.append(note("percussion", 1000, 3.0, 3.0, 60, 0.4, "swell"))
    notes.sort(key=lambda n: n.onset_frames)
    return ScoreSlice(start_frames=0, end_frames=seconds_to_frames(seconds), notes=tuple(notes))


@pytest.fixture(name="note")
def note_fixture() -> Callable[..., Note]:
    return note


@pytest.fixture(name="whole_piece")
def whole_piece_fixture() -> Callable[[float], ScoreSlice]:
    return whole_piece


@pytest.fixture(name="play")
def play_fixture() -> Callable[..., np.ndarray]:
    """Render seconds of a score; ``turns`` maps seconds to the controls that hold from there on."""

    def play(
        score: ScoreSlice,
        seconds: float,
        *,
        turns: dict[float, Controls] | None = None,
        frames: int = 4410,
        seed: int = 5,
        renderer: Renderer | None = None,
    ) -> np.ndarray:
        turns = {0.0: Controls()} | (turns or {})
        renderer = renderer or Renderer(seed=seed, controls=turns[0.0])
        renderer.accept(score)
        pcm16 = b""
        end = renderer.position + int(seconds * SAMPLE_RATE_HZ / 4410) * 4410
        while renderer.position < end:
            now = renderer.position / SAMPLE_RATE_HZ
            controls = turns[max(moment for moment in turns if moment <= now + 1e-9)]
            pcm16 += renderer.render(controls, frames).pcm16
        return pcm16_to_samples(pcm16).astype(np.float64)

    return play


@pytest.fixture(scope="session")
def shelf(kernel_directory) -> KernelShelf:
    """The compiled kernel, where renderers find it."""
    shelf = KernelShelf()
    assert fill(shelf, kernel_directory)
    return shelf


def turns_of_another_thread(work: Callable[[], object]) -> int:
    """How often another thread had its turn during ``work``, although nobody is asked to let go of the lock."""
    seen, over = [], threading.Event()

    def look():
        while not over.wait(0.0005):
            seen.append(time.perf_counter())

    before = sys.getswitchinterval()
    sys.setswitchinterval(10.0)
    thread = threading.Thread(target=look)
    try:
        thread.start()
        begun = time.perf_counter()
        work()
        ended = time.perf_counter()
    finally:
        over.set()
        thread.join()
        sys.setswitchinterval(before)
    return sum(begun < moment < ended for moment in seen)
