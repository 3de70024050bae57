import itertools

import pytest
import trio

from auralisd.daemon.supervise import Backoff, Escalation, supervise
from auralisd.observability.metrics import Metrics


async def test_a_role_that_returns_is_done(autojump_clock):
    runs = []

    async def role():
        runs.append(trio.current_time())

    await supervise("renderer", role, metrics=Metrics())
    assert len(runs) == 1


async def test_a_role_that_fails_is_started_again_after_growing_pauses(autojump_clock):
    started = []

    async def role():
        started.append(trio.current_time())
        if len(started) < 5:
            raise ValueError("no sound")

    await supervise("renderer", role, metrics=Metrics(), backoff=Backoff(first_seconds=1, most_seconds=3))
    pauses = [later - earlier for earlier, later in itertools.pairwise(started)]
    assert pauses == pytest.approx([1, 2, 3, 3])


async def test_a_role_that_ran_long_enough_is_forgiven(autojump_clock):
    started = []

    async def role():
        started.append(trio.current_time())
        if len(started) == 4:
            return
        if len(started) == 3:
            await trio.sleep(100)
        raise ValueError("no sound")

    await supervise("renderer", role, metrics=Metrics(), backoff=Backoff(first_seconds=1, forgiven_after_seconds=60))
    assert started[3] - started[2] == pytest.approx(101)


async def test_a_failure_is_told_before_the_pause(autojump_clock):
    told = []

    async def role():
        if not told:
            raise ValueError("lost")

    await supervise("renderer", role, metrics=Metrics(), failed=told.append)
    assert [str(error) for error in told] == ["lost"]


async def test_cancelling_passes_through_and_is_no_failure(autojump_clock):
    metrics = Metrics()
    with trio.move_on_after(1):
        await supervise("renderer", trio.sleep_forever, metrics=metrics)
    assert metrics.registry.get_sample_value("auralisd_restarts_total", {"role": "renderer"}) in (None, 0)


async def test_each_restart_is_counted_by_its_role(autojump_clock):
    metrics = Metrics()
    failures = iter([ValueError("a"), ValueError("b")])

    async def role():
        for error in failures:
            raise error

    await supervise("composer", role, metrics=metrics)
    assert metrics.registry.get_sample_value("auralisd_restarts_total", {"role": "composer"}) == 2


async def test_failures_that_come_too_thick_are_told_and_end_the_role(autojump_clock):
    started, told = [], []

    async def role():
        started.append(trio.current_time())
        await trio.sleep(100)
        raise ValueError("again")

    await supervise("renderer", role, metrics=Metrics(), escalation=Escalation(then=told.append))
    assert len(started) == 3
    assert [str(error) for error in told] == ["again"]


async def test_failures_far_apart_end_nothing(autojump_clock):
    started, told = [], []

    async def role():
        started.append(trio.current_time())
        await trio.sleep(301)
        if len(started) < 9:
            raise ValueError("now and then")

    await supervise("renderer", role, metrics=Metrics(), escalation=Escalation(then=told.append))
    assert len(started) == 9
    assert told == []
