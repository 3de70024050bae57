"""The loop's lag, and who causes it."""

from __future__ import annotations

import trio

from auralisd.observability.slow_steps import SlowSteps, install


class Stopwatch:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def watching(clock: Stopwatch) -> tuple[SlowSteps, list[float], list[tuple[str, float]]]:
    passes: list[float] = []
    slow: list[tuple[str, float]] = []
    instrument = SlowSteps(
        on_pass=passes.append, on_slow_step=lambda name, seconds: slow.append((name, seconds)), clock=clock
    )
    return instrument, passes, slow


async def test_a_step_that_holds_the_loop_is_reported_by_the_name_of_its_task():
    clock = Stopwatch()
    instrument, passes, slow = watching(clock)

    async def hog() -> None:
        await trio.lowlevel.checkpoint()
        clock.seconds += 0.2

    async def modest() -> None:
        await trio.lowlevel.checkpoint()
        clock.seconds += 0.01

    install(instrument)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hog, name="the hog")
        nursery.start_soon(modest, name="the modest one")
    await trio.lowlevel.checkpoint()
    trio.lowlevel.remove_instrument(instrument)
    assert [(name, round(seconds, 3)) for name, seconds in slow] == [("the hog", 0.2)]
    assert max(passes) >= 0.2
    assert round(sum(passes), 3) == 0.21


async def test_an_idle_loop_has_no_lag(autojump_clock):
    clock = Stopwatch()
    instrument, passes, slow = watching(clock)
    install(instrument)
    for _ in range(10):
        await trio.sleep(1)
        clock.seconds += 0.0
    trio.lowlevel.remove_instrument(instrument)
    assert passes
    assert max(passes) == 0.0
    assert slow == []


def test_the_longest_pass_is_forgotten_after_a_while():
    clock = Stopwatch()
    instrument, _, _ = watching(clock)
    assert instrument.longest_pass_seconds == 0.0
    for seconds in (0.01, 0.3, 0.02):
        instrument.after_io_wait(0)
        clock.seconds += seconds
        instrument.before_io_wait(0)
        clock.seconds += 1.0
    assert round(instrument.longest_pass_seconds, 3) == 0.3
    clock.seconds += 8.0
    assert round(instrument.longest_pass_seconds, 3) == 0.02
    clock.seconds += 10.0
    assert instrument.longest_pass_seconds == 0.0


def test_the_first_wait_of_a_loop_ends_no_pass():
    instrument, passes, _ = watching(Stopwatch())
    instrument.before_io_wait(0)
    assert passes == []
