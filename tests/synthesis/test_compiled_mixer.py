"""The compiled mixing desk against the one in torch and numpy: the same sound, whatever plays and however it moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from auralisd.controls import LAYERS, Controls
from auralisd.kernel import KernelShelf
from auralisd.score import Note
from auralisd.synthesis import sounding
from auralisd.synthesis.chance import Walks
from auralisd.synthesis.grid import chunks
from auralisd.synthesis.mixing import VoiceMixer
from auralisd.synthesis.notes import STEAL_FRAMES
from auralisd.synthesis.oscillators import TableBank
from auralisd.synthesis.patches import CATALOGUE
from auralisd.synthesis.ramps import ControlRamps
from auralisd.units import SAMPLE_RATE_HZ
from tests.synthesis.conftest import turns_of_another_thread

PATCHES = [patch for row in CATALOGUE.values() for patch in row]
LAYER_OF = [kind if kind in LAYERS else "pad" for kind, row in CATALOGUE.items() for _ in row]
HOURS = 7 * 3600 * SAMPLE_RATE_HZ // 4410 * 4410
CPU = torch.device("cpu")


def played(bank, patch, layer, onset_frames, *, seconds=0.4, pitch_midi=57, number=1):
    """A note of ``patch`` from ``onset_frames`` on, its tables in ``bank``."""
    note = Note(
        note_id=number, onset_frames=onset_frames, duration_frames=int(seconds * SAMPLE_RATE_HZ),
        pitch_midi=pitch_midi, velocity=0.7, layer=layer, role=layer,
    )  # fmt: skip
    one = sounding.played_with(patch, note, seed=5)
    one.place_tables([bank.first_row(key, frozenset(one.tables)) for key in one.tables])
    return one


def both_mixes(shelf, notes_from, *, begin=HOURS, seconds=0.6, turns=()):
    """The buses of the same notes by both desks, float32 ``(7, frames)`` each; ``turns`` are controls one after the
    other, a chunk apart."""
    mixes = []
    for kernel in (KernelShelf(), shelf):
        bank = TableBank(5, CPU)
        mixer = VoiceMixer(bank=bank, walks=Walks(5), device=CPU, shelf=kernel)
        arrays, ramps, waiting = sounding.as_arrays(notes_from(bank)), ControlRamps(Controls()), list(turns)
        pieces = []
        for chunk in chunks(begin, int(seconds * 10) * 4410):
            if waiting:
                ramps.turn(waiting.pop(0), chunk.start)
            pieces.append(mixer.mixed(chunk, arrays, ramps.at(chunk.points())).clone())
        mixes.append(torch.cat(pieces, dim=1).numpy())
        assert (mixer.compiled is not None) == (kernel is shelf)
    return mixes


def apart_db(mixes):
    wanted, got = mixes
    assert np.abs(wanted).max() > 1e-4
    return 10.0 * np.log10(np.mean((got - wanted).astype(np.float64) ** 2) / np.mean(wanted.astype(np.float64) ** 2))


@pytest.mark.parametrize(
    ("patch", "layer"), tuple(zip(PATCHES, LAYER_OF, strict=True)), ids=[patch.name for patch in PATCHES]
)
def test_every_patch_sounds_alike_from_its_onset_through_its_release(shelf, patch, layer):
    onset = HOURS + 4410 + 1000  # in the middle of a segment
    assert apart_db(both_mixes(shelf, lambda bank: [played(bank, patch, layer, onset)])) < -100.0


def test_all_patches_together_sound_alike_while_everything_is_turned(shelf):
    def notes(bank):
        return [
            played(bank, patch, layer, HOURS - 40_000 + 777 * number, seconds=3.0, number=number)
            for number, (patch, layer) in enumerate(zip(PATCHES, LAYER_OF, strict=True))
            if number % 2 or patch.strands[0].source != "table"  # as many tables as there is room for
        ]

    quiet = dict.fromkeys(LAYERS, -12.0)
    turns = (Controls(brightness=0.9), Controls(brightness=0.1, layers=quiet), Controls(level_db=-6.0))
    assert apart_db(both_mixes(shelf, notes, turns=turns)) < -100.0


def test_more_analogue_voices_than_fit_side_by_side_sound_alike(shelf):
    patch = next(patch for patch in PATCHES if any(strand.source == "analogue" for strand in patch.strands))

    def notes(bank):
        return [played(bank, patch, "pad", HOURS - 9_000, seconds=3.0, pitch_midi=40 + n, number=n) for n in range(45)]

    assert apart_db(both_mixes(shelf, notes)) < -100.0


def test_notes_that_are_cut_or_join_late_sound_alike(shelf):
    def notes(bank):
        cut, joined = (played(bank, PATCHES[n], LAYER_OF[n], HOURS - 90_000, seconds=9.0, number=n) for n in (0, 1))
        cut.cut_frames, joined.joined_frames = HOURS + 63 * 50 + STEAL_FRAMES, HOURS + 63 * 20
        return [cut, joined]

    assert apart_db(both_mixes(shelf, notes)) < -100.0


def test_the_parts_of_a_span_are_the_whole_of_it(shelf):
    def mixed(lengths):
        bank = TableBank(5, CPU)
        mixer = VoiceMixer(bank=bank, walks=Walks(5), device=CPU, shelf=shelf)
        notes = [
            played(bank, patch, layer, HOURS - 30_000, seconds=3.0, number=number)
            for number, (patch, layer) in enumerate(zip(PATCHES[::3], LAYER_OF[::3], strict=True))
        ]
        arrays, ramps, pieces, at = sounding.as_arrays(notes), ControlRamps(Controls()), [], HOURS
        for frames in lengths:
            for chunk in chunks(at, frames):
                pieces.append(mixer.mixed(chunk, arrays, ramps.at(chunk.points())).clone())
            at += frames
        return torch.cat(pieces, dim=1)

    assert torch.allclose(mixed([4410]), mixed([630, 63, 3717]), atol=1e-6)


def test_the_kernel_takes_over_in_the_middle_of_a_note_unheard(shelf):
    def mixes(kernel_from):
        late = KernelShelf()
        bank = TableBank(5, CPU)
        mixer = VoiceMixer(bank=bank, walks=Walks(5), device=CPU, shelf=late)
        notes = [played(bank, patch, "pad", HOURS - 30_000, seconds=3.0) for patch in PATCHES[:6]]
        arrays, ramps, pieces = sounding.as_arrays(notes), ControlRamps(Controls()), []
        for index, chunk in enumerate(chunks(HOURS, 4 * 4410)):
            late.kernel = shelf.kernel if index >= kernel_from else None
            pieces.append(mixer.mixed(chunk, arrays, ramps.at(chunk.points())).clone())
        return torch.cat(pieces, dim=1).numpy()

    assert apart_db((mixes(99), mixes(2))) < -100.0


def test_on_another_device_the_kernel_is_not_asked(shelf, monkeypatch):
    mixer = VoiceMixer(bank=TableBank(5, CPU), walks=Walks(5), device=CPU, shelf=shelf)
    mixer.device = torch.device("cuda")
    monkeypatch.setattr(VoiceMixer, "mixed_in_torch", lambda *_given: "made by torch")
    arrays = sounding.as_arrays([played(mixer.bank, PATCHES[0], LAYER_OF[0], HOURS)])
    chunk = next(chunks(HOURS, 4410))
    assert mixer.mixed(chunk, arrays, ControlRamps(Controls()).at(chunk.points())) == "made by torch"
    assert mixer.compiled is None


def test_other_threads_run_while_it_mixes(shelf):
    bank = TableBank(5, CPU)
    mixer = VoiceMixer(bank=bank, walks=Walks(5), device=CPU, shelf=shelf)
    patch = replace(PATCHES[0], strands=PATCHES[0].strands * 40)
    arrays = sounding.as_arrays([played(bank, patch, "pad", HOURS - 9_000, seconds=9.0, number=n) for n in range(40)])
    chunk = next(chunks(HOURS, 4410))
    controls = ControlRamps(Controls()).at(chunk.points())
    mixer.mixed(chunk, arrays, controls)

    def mix_ten_times():
        for _ in range(10):
            mixer.mixed(chunk, arrays, controls)

    assert turns_of_another_thread(mix_ten_times) > 5
