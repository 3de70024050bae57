"""Normal service between two faults, in virtual time: calm, with a rest now and then."""

from __future__ import annotations

import math

import pytest
import trio

from auralisd.errors import SoakError
from auralisd.soak.run import BETWEEN_RESTS_SECONDS, REST_TAKES_SECONDS, _serve_until, first_of


class Resting:
    """Notes when it rests."""

    def __init__(self, rested_at):
        self.rested_at = rested_at
        self.rests = []

    async def rest(self):
        self.rests.append(trio.current_time())
        await trio.sleep(REST_TAKES_SECONDS)
        self.rested_at = trio.current_time()


async def test_service_goes_on_until_the_moment_and_rests_are_over_before_it(autojump_clock):
    began_at = trio.current_time()
    stage = Resting(began_at)
    await _serve_until(began_at + 200, stage)
    assert trio.current_time() == pytest.approx(began_at + 200)
    assert stage.rests[0] == pytest.approx(began_at + BETWEEN_RESTS_SECONDS)
    assert len(stage.rests) == int(200 // (BETWEEN_RESTS_SECONDS + REST_TAKES_SECONDS))
    assert stage.rested_at <= began_at + 200


async def test_a_rest_that_is_due_waits_where_the_next_fault_is_too_near(autojump_clock):
    began_at = trio.current_time()
    stage = Resting(began_at - 100)
    await _serve_until(began_at + REST_TAKES_SECONDS - 1, stage)
    assert stage.rests == []
    await _serve_until(began_at + 3 * REST_TAKES_SECONDS, stage)
    assert len(stage.rests) == 1


async def test_a_short_run_has_no_rests(autojump_clock):
    stage = Resting(math.inf)
    await _serve_until(trio.current_time() + 500, stage)
    assert stage.rests == []


def test_the_reason_is_found_within_any_number_of_groups():
    reason = SoakError("no music")
    assert first_of(ExceptionGroup("", [ExceptionGroup("", [reason])])) is reason
