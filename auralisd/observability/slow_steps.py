"""A Trio instrument that knows how late the event loop can be, and because of whom."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

import trio
from trio.abc import Instrument
from trio.lowlevel import Task

SLOW_STEP_SECONDS: Final = 0.05  # half a packet
_WINDOW_SECONDS: Final = 10.0
_SLOTS: Final = 10  # the window moves in steps of a second


class SlowSteps(Instrument):
    """Measures each pass of the loop and reports the task steps that took too long.

    A pass is the time between two waits for I/O: the most a timer can be late by. It
    costs two clock readings a pass and two a step. Install it with
    ``trio.lowlevel.add_instrument``.
    """

    def __init__(
        self,
        *,
        on_pass: Callable[[float], None],
        on_slow_step: Callable[[str, float], None],
        slow_step_seconds: float = SLOW_STEP_SECONDS,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Report to two callables.

        Args:
            on_pass: is told how many seconds each pass of the loop took.
            on_slow_step: is told the task's name and the seconds of a step over the limit.
            slow_step_seconds: the limit.
            clock: seconds of any clock that does not go back.
        """
        self._on_pass = on_pass
        self._on_slow_step = on_slow_step
        self._slow_step_seconds = slow_step_seconds
        self._clock = clock
        self._pass_began: float | None = None
        self._step_began: float | None = None  # None in the step that installs it
        self._worst: deque[tuple[int, float]] = deque(maxlen=_SLOTS + 1)

    @property
    def longest_pass_seconds(self) -> float:
        """The longest pass of the last ten seconds or so."""
        oldest = self._slot(self._clock()) - _SLOTS
        return max((seconds for slot, seconds in self._worst if slot > oldest), default=0.0)

    def forget(self) -> None:
        """Begin anew: what was slow until now, nobody has noticed."""
        self._worst.clear()

    def after_io_wait(self, timeout: float) -> None:  # noqa: ARG002 - the instrument interface
        """A pass begins."""
        self._pass_began = self._clock()

    def before_io_wait(self, timeout: float) -> None:  # noqa: ARG002 - the instrument interface
        """A pass ends."""
        if self._pass_began is None:
            return
        now = self._clock()
        seconds = now - self._pass_began
        self._remember(now, seconds)
        self._on_pass(seconds)

    def before_task_step(self, task: Task) -> None:  # noqa: ARG002 - the instrument interface
        """A task is about to run."""
        self._step_began = self._clock()

    def after_task_step(self, task: Task) -> None:
        """A task has run up to its next checkpoint."""
        if self._step_began is None:
            return
        seconds = self._clock() - self._step_began
        if seconds > self._slow_step_seconds:
            self._on_slow_step(task.name, seconds)

    def _remember(self, now: float, seconds: float) -> None:
        slot = self._slot(now)
        if self._worst and self._worst[-1][0] == slot:
            self._worst[-1] = (slot, max(seconds, self._worst[-1][1]))
        else:
            self._worst.append((slot, seconds))

    @staticmethod
    def _slot(now: float) -> int:
        return int(now * _SLOTS / _WINDOW_SECONDS)


def install(instrument: SlowSteps) -> None:
    """Let ``instrument`` watch the loop that runs now; it ends with that loop."""
    trio.lowlevel.add_instrument(instrument)
