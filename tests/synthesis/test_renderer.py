"""The renderer as a whole: block sizes, determinism, controls, clicks, failures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from auralisd.controls import LAYERS, Controls
from auralisd.errors import RenderError
from auralisd.score import Release, ScoreSlice
from auralisd.synthesis import LATENCY_FRAMES, Renderer
from auralisd.units import SAMPLE_RATE_HZ, seconds_to_frames


def db(power: float) -> float:
    return 10.0 * np.log10(power + 1e-30)


def only(layer: str) -> Controls:
    return Controls(layers={name: 0.0 if name == layer else "off" for name in LAYERS})


@pytest.mark.parametrize("frames", [441, 315, 4410])
def test_the_block_size_cannot_be_heard(whole_piece, play, frames):
    moved = Controls(brightness=0.9, space=0.8, warmth=0.9, level_db=-3.0, layers={**Controls().layers, "pad": "off"})
    turns = {1.0: moved}
    whole = play(whole_piece(6.0), 3.0, turns=turns)
    parts = play(whole_piece(6.0), 3.0, turns=turns, frames=frames)
    length = min(whole.shape[1], parts.shape[1])
    difference = whole[:, :length] - parts[:, :length]
    assert db((difference**2).mean() / (whole**2).mean()) < -90.0


def test_the_same_seed_and_score_give_the_same_samples_and_another_seed_does_not(whole_piece, play):
    first, again, other = (play(whole_piece(4.0), 2.0, seed=seed) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_how_the_score_is_sliced_does_not_change_the_sound(whole_piece, play):
    piece = whole_piece(4.0)
    whole = play(piece, 3.0)
    renderer = Renderer(seed=5)
    parts = []
    for block in range(30):
        begin, end = block * 4410, (block + 1) * 4410
        notes = tuple(n for n in piece.notes if begin <= n.onset_frames < end)
        renderer.accept(ScoreSlice(start_frames=begin, end_frames=end, notes=notes))
        parts.append(renderer.render(Controls()).pcm16)
    sliced = np.frombuffer(b"".join(parts), "<i2").reshape(-1, 2).T / 32768.0
    assert np.array_equal(whole, sliced)


def test_a_renderer_that_begins_anew_elsewhere_plays_as_a_fresh_one_there(whole_piece):
    piece, elsewhere = whole_piece(12.0), 7 * SAMPLE_RATE_HZ
    played, fresh = Renderer(seed=5), Renderer(seed=5, position=elsewhere)
    played.accept(piece)
    played.render(Controls(), 3 * SAMPLE_RATE_HZ)
    played.begin_anew(Controls(), elsewhere)
    sounds = []
    for renderer in (played, fresh):
        renderer.accept(piece)
        block = renderer.render(Controls(), 2 * SAMPLE_RATE_HZ)
        assert block.position == elsewhere
        sounds.append(np.frombuffer(block.pcm16, "<i2").reshape(-1, 2)[LATENCY_FRAMES:] / 32768.0)
    # Loudness and glue go on from what was heard before; all else is the same.
    assert db(((sounds[0] - sounds[1]) ** 2).mean() / (sounds[1] ** 2).mean()) < -35.0


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_sounds_and_is_silent_when_off(whole_piece, play, layer):
    alone = play(whole_piece(3.0), 2.5, turns={0.0: only(layer)})
    assert db((alone[:, SAMPLE_RATE_HZ:] ** 2).mean()) > -62.0
    silent = Controls(layers=dict.fromkeys(LAYERS, "off"))
    ended = play(whole_piece(3.0), 0.5, turns={0.0: silent})
    assert np.abs(ended).max() < 3 / 32768


def test_a_note_begins_on_its_very_frame(note, play):
    onset = 2205 * 4 + 1000
    struck = replace(note("percussion", 1, 0.0, 1.0, 36, 0.9, "hit"), onset_frames=onset)
    sound = play(ScoreSlice(start_frames=0, end_frames=1, notes=(struck,)), 1.0)[0]
    heard = np.flatnonzero(np.abs(sound) > 3.5 / 32768)[0] - LATENCY_FRAMES
    assert onset <= heard < onset + 40


def test_controls_are_heard_in_the_next_block_and_settle_after_a_second_and_a_half(whole_piece, play):
    steady = play(whole_piece(6.0), 4.0)
    lowered = play(whole_piece(6.0), 4.0, turns={1.0: Controls(level_db=-20.0)})
    turn, block = SAMPLE_RATE_HZ + LATENCY_FRAMES, 2205
    assert np.array_equal(steady[:, :turn], lowered[:, :turn])

    def change(start: int, frames: int) -> float:
        span = slice(start, start + frames)
        return db((lowered[:, span] ** 2).mean() / (steady[:, span] ** 2).mean())

    assert -2.5 < change(turn + block, block) < -0.5
    assert change(turn + 67_000, 20_000) == pytest.approx(-20.0, abs=1.0)


@pytest.mark.parametrize("name", ["brightness", "space", "warmth"])
def test_timbre_controls_change_the_sound(whole_piece, play, name):
    low, high = (play(whole_piece(4.0), 3.0, turns={0.0: Controls(**{name: value})}) for value in (0.0, 1.0))
    spectra = [np.abs(np.fft.rfft(sound.sum(axis=0))) ** 2 for sound in (low, high)]
    if name == "brightness":
        cut = int(2000 * low.shape[1] / SAMPLE_RATE_HZ)
        shares = [spectrum[cut:].sum() / spectrum.sum() for spectrum in spectra]
        assert shares[1] > 3 * shares[0]
    assert db(((low - high) ** 2).mean() / (low**2).mean()) > -25.0


def test_there_are_no_clicks_when_everything_is_turned_at_once(whole_piece, play):
    turned = Controls(
        brightness=1.0, space=1.0, warmth=1.0, level_db=-12.0, layers={**Controls().layers, "pad": "off", "drone": 6.0}
    )
    sound = play(whole_piece(8.0), 4.5, turns={2.0: turned, 2.5: Controls(), 3.0: turned})
    steps = np.abs(np.diff(sound, n=3, axis=1)).max(axis=0)
    usual = np.percentile(steps, 99.0)
    around = steps[int(1.9 * SAMPLE_RATE_HZ) : int(4.4 * SAMPLE_RATE_HZ)]
    assert around.max() < 6.0 * usual


def test_a_release_ends_a_note_early_without_a_step(note, play):
    held = note("pad", 1, 0.0, 20.0, 57)
    cut = ScoreSlice(
        start_frames=0, end_frames=1, notes=(held,), releases=(Release(layer="pad", note_id=1, at_frames=44_100),)
    )
    sound = play(cut, 10.0)
    kept = play(ScoreSlice(start_frames=0, end_frames=1, notes=(held,)), 10.0)
    assert np.array_equal(sound[:, :44_100], kept[:, :44_100])
    assert (sound[:, 300_000:330_750] ** 2).mean() < 0.3 * (sound[:, 44_100:88_200] ** 2).mean()
    assert (sound[:, 300_000:] ** 2).mean() < 0.05 * (kept[:, 300_000:] ** 2).mean()
    assert np.abs(np.diff(sound, axis=1)).max() <= np.abs(np.diff(kept, axis=1)).max() + 2 / 32768


def test_more_notes_than_voices_fade_the_oldest_and_stay_bounded(note, play):
    crowd = tuple(note("bells", n, 0.5 + 0.01 * n, 6.0, 69 + n % 20, 0.3) for n in range(60))
    renderer = Renderer(seed=5)
    sound = play(ScoreSlice(start_frames=0, end_frames=1, notes=crowd), 1.5, renderer=renderer)
    assert np.isfinite(sound).all()
    assert renderer.statistics().sounding_notes <= 8


def test_a_note_already_under_way_is_faded_in_and_a_past_one_is_dropped(note, play):
    renderer = Renderer(seed=5, position=seconds_to_frames(10.0) // 63 * 63)
    under_way, past = note("pad", 1, 5.0, 20.0, 57), note("pad", 2, 0.0, 1.0, 64)
    sound = play(ScoreSlice(start_frames=0, end_frames=1, notes=(under_way, past)), 1.0, renderer=renderer)
    assert renderer.statistics().sounding_notes == 1
    assert np.abs(sound[:, :400]).max() < 0.004
    assert (sound[:, 20_000:] ** 2).mean() > 1e-6


def test_a_sound_that_is_not_finite_is_an_error_and_not_a_noise(whole_piece, monkeypatch):
    renderer = Renderer(seed=5)
    renderer.accept(whole_piece(2.0))
    mixed = type(renderer._mixer).mixed
    monkeypatch.setattr(type(renderer._mixer), "mixed", lambda *given: mixed(*given) * float("nan"))
    with pytest.raises(RenderError) as caught:
        renderer.render(Controls())
    assert caught.value.cause == "not_finite"
    assert renderer.position == 0


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "out_of_memory"),
        (RuntimeError("CUDA error: device-side assert triggered"), "device_lost"),
        (RuntimeError("shapes do not fit"), "failed"),
    ],
)
def test_failures_of_the_device_are_told_apart_and_the_renderer_can_be_moved(
    whole_piece, play, monkeypatch, failure, cause
):
    unhurt = play(whole_piece(4.0), 2.0)
    renderer = Renderer(seed=5)
    before = play(whole_piece(4.0), 1.0, renderer=renderer)

    def fail(*_given):
        raise failure

    with monkeypatch.context() as broken:
        broken.setattr(type(renderer._mixer), "mixed", fail)
        with pytest.raises(RenderError) as caught:
            renderer.render(Controls())
    assert caught.value.cause == cause
    after = play(ScoreSlice(start_frames=0, end_frames=1), 1.0, renderer=renderer.moved_to("cpu"))
    assert renderer.position == 2 * SAMPLE_RATE_HZ
    together = np.concatenate((before, after), axis=1)
    assert db(((together - unhurt) ** 2).mean() / (unhurt**2).mean()) < -40.0
