from __future__ import annotations

import numpy as np
import pytest
import torch

from auralisd.synthesis.oscillators import TABLE_FRAMES, TABLE_ROWS, TABLE_SLOTS, TableBank, table_key
from auralisd.synthesis.tones import AIR, BREATH, PAD_BRIGHT, PAD_DARK
from auralisd.units import SAMPLE_RATE_HZ, midi_to_hz

NOTHING = frozenset()


@pytest.fixture(name="bank")
def bank_fixture():
    return TableBank(3, torch.device("cpu"))


def whole(bank, key):
    first = bank.first_row(key, NOTHING)
    return bank.read(np.arange(first, first + TABLE_ROWS)[:, None]).reshape(-1).double().numpy()


@pytest.mark.parametrize("tone", [PAD_DARK, PAD_BRIGHT, AIR, BREATH])
def test_a_table_has_unit_level_no_offset_and_no_seam(bank, tone):
    table = whole(bank, table_key(tone, 57.0))
    assert np.sqrt((table**2).mean()) == pytest.approx(1.0, rel=0.01)
    assert abs(table.mean()) < 1e-3
    steps = np.abs(np.diff(np.concatenate((table, table[:2])), n=2))
    assert steps[-2:].max() < 1.2 * steps.max()
    assert np.abs(table).max() < 6.0


@pytest.mark.parametrize("pitch", [33, 45, 57.35, 69, 96])
def test_a_tone_is_in_tune(bank, pitch):
    table = whole(bank, table_key(PAD_DARK, pitch))
    power = np.abs(np.fft.rfft(table)) ** 2
    frequencies = np.arange(len(power)) * SAMPLE_RATE_HZ / TABLE_FRAMES
    near = np.abs(np.log2(np.maximum(frequencies, 1.0) / midi_to_hz(pitch))) < 0.05
    centre = (power[near] * frequencies[near]).sum() / power[near].sum()
    assert abs(1200 * np.log2(centre / midi_to_hz(pitch))) < 4.0


def test_a_high_tone_has_nothing_between_its_partials(bank):
    table = whole(bank, table_key(PAD_DARK, 96))
    power = np.abs(np.fft.rfft(table)) ** 2
    frequencies = np.arange(len(power)) * SAMPLE_RATE_HZ / TABLE_FRAMES
    partial = frequencies / midi_to_hz(96)
    between = (np.abs(partial - np.rint(np.maximum(partial, 1.0))) > 0.3) & (frequencies < 8000.0)
    assert 10 * np.log10(power[between].sum() / power.sum()) < -60.0


def test_the_bright_frame_reaches_higher_than_the_dark_one(bank):
    spectra = [np.abs(np.fft.rfft(whole(bank, table_key(tone, 57.0)))) ** 2 for tone in (PAD_DARK, PAD_BRIGHT)]
    cut = int(2000 * TABLE_FRAMES / SAMPLE_RATE_HZ)
    dark, bright = (spectrum[cut:].sum() / spectrum.sum() for spectrum in spectra)
    assert bright > 5 * dark


def test_tables_depend_on_seed_tone_and_pitch_alone_and_come_back_after_they_were_dropped(bank):
    key = table_key(PAD_DARK, 57.0)
    before = whole(bank, key)
    for pitch in range(TABLE_SLOTS + 4):
        bank.first_row(table_key(AIR, 4.0 * pitch), NOTHING)
    assert np.array_equal(whole(bank, key), before)
    assert not np.array_equal(whole(TableBank(4, torch.device("cpu")), key), before)


def test_a_table_in_use_is_never_overwritten(bank):
    used = frozenset(table_key(AIR, 4.0 * pitch) for pitch in range(TABLE_SLOTS))
    for key in used:
        assert bank.first_row(key, used) is not None
    assert bank.first_row(table_key(PAD_DARK, 57.0), used) is None
    assert all(bank.first_row(key, used) is not None for key in used)


def test_tables_asked_for_are_made_one_at_a_time(bank):
    keys = [table_key(PAD_DARK, pitch) for pitch in (50, 52)]
    for key in (*keys, keys[0]):
        bank.want(key)
    made = []
    monitor = bank._table
    bank._table = lambda key: made.append(key) or monitor(key)
    for _ in range(4):
        bank.make_next(lambda: NOTHING)
    assert made == keys
