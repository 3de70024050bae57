"""Motifs: remembered, brought back in time, and rested."""

from __future__ import annotations

from itertools import pairwise

import pytest

from auralisd.composition.chance import Chance
from auralisd.composition.motif import (
    MEMORY_SIZE,
    SLOT_FRAMES,
    SLOT_SECONDS,
    TRANSFORMS,
    Motif,
    motif_due,
    motif_in_memory,
    transformed,
)


def test_a_motif_returns_after_two_to_six_minutes_four_times_then_rests_a_quarter_of_an_hour() -> None:
    due = [motif_due(Chance(1), slot * SLOT_FRAMES).number % MEMORY_SIZE for slot in range(160)]
    assert set(due) == set(range(MEMORY_SIZE))
    for place in range(MEMORY_SIZE):
        slots = [slot for slot, one in enumerate(due) if one == place]
        # Wherever in its slots it is spoken: anything from one slot less to one slot more.
        waits = [
            ((later - earlier - 1) * SLOT_SECONDS / 60, (later - earlier + 1) * SLOT_SECONDS / 60)
            for earlier, later in pairwise(slots)
        ]
        rests = [number for number, (shortest, _) in enumerate(waits) if shortest >= 15]
        assert all(later - earlier == 5 for earlier, later in pairwise(rests))
        assert all(wait[0] >= 2 and wait[1] <= 6 for number, wait in enumerate(waits) if number not in rests)


def test_a_motif_is_renewed_while_it_rests_and_gets_a_number_of_its_own() -> None:
    numbers = [motif_due(Chance(1), slot * SLOT_FRAMES).number for slot in range(16 * 60)]
    rounds = 0
    for number in sorted(set(numbers) - set(numbers[:20]) - set(numbers[-20:])):
        slots = [slot for slot, one in enumerate(numbers) if one == number]
        assert len(slots) % 5 == 0, "renewed in the middle of its statements"
        rounds += len(slots) // 5
    assert rounds > 10
    assert len(set(numbers)) > 2 * MEMORY_SIZE


def test_one_place_of_the_memory_is_renewed_each_cycle() -> None:
    chance = Chance(3)
    for cycle in range(1, 20):
        before, after = ([motif_in_memory(chance, n, c) for n in range(MEMORY_SIZE)] for c in (cycle - 1, cycle))
        assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


@pytest.mark.parametrize("seed", range(10))
def test_motifs_have_three_to_six_notes_move_mostly_by_step_and_answer_leaps(seed: int) -> None:
    for number in range(MEMORY_SIZE):
        motif = motif_in_memory(Chance(seed), number, 0)
        assert len(motif.intervals) == len(motif.lengths)
        assert 3 <= len(motif.lengths) <= 6
        for earlier, later in zip(motif.intervals, motif.intervals[1:], strict=False):
            if abs(earlier) > 2:
                assert abs(later) == 1
                assert later * earlier < 0


def test_each_transform_does_what_it_is_called() -> None:
    motif = Motif(number=0, intervals=(0, 2, -1, 1), lengths=(2, 2, 4, 8))
    stream = Chance(1).stream("transform")
    results = {name: transformed(motif, name, stream) for name in TRANSFORMS}
    assert results["as it is"] == motif
    assert results["transposed"].intervals[1:] == motif.intervals[1:]
    assert results["transposed"].intervals[0] != motif.intervals[0]
    assert results["inverted"].intervals == (0, -2, 1, -1)
    assert results["augmented"].lengths == (4, 4, 8, 16)
    assert results["truncated"].lengths == (2, 2, 4)
    assert results["rotated"].lengths == (2, 4, 8, 2)
    assert sorted(results["rotated"].intervals) == sorted(motif.intervals)
    assert results["octave"].intervals == (7, 2, -1, 1)
