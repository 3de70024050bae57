"""When which fault was on: what happens inside is its doing, what happens outside is the daemon's."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from auralisd.soak.plan import Fault

REMEMBERED: Final = 64
"""Windows; at two seconds of calm and more, that is minutes, and no gap or sample reaches back so far."""


@dataclass(slots=True)
class Window:
    """From the moment before a fault begins to the end of its aftermath; seconds of trio's clock.

    Attributes:
        fault: whose it is.
        begins_at: when it opened.
        ends_at: when it closed; infinity while it is open.
    """

    fault: Fault
    begins_at: float
    ends_at: float = math.inf

    def overlaps(self, begin: float, end: float) -> bool:
        """Whether any moment of ``begin`` to ``end`` belongs to it."""
        return self.begins_at <= end and begin <= self.ends_at


class Windows:
    """The windows so far, the latest of them remembered."""

    def __init__(self) -> None:
        """Nothing has been done yet."""
        self._windows: deque[Window] = deque(maxlen=REMEMBERED)

    def open(self, fault: Fault, now: float) -> Window:
        """From ``now`` on everything is the doing of ``fault``."""
        window = Window(fault=fault, begins_at=now)
        self._windows.append(window)
        return window

    def overlapping(self, begin: float, end: float) -> Iterable[Window]:
        """Every window that has a moment between ``begin`` and ``end``, ends included."""
        return [window for window in self._windows if window.overlaps(begin, end)]

    def excuse(self, begin: float, end: float) -> bool:
        """Whether what took from ``begin`` to ``end`` may be the doing of a fault."""
        return any(window.overlaps(begin, end) for window in self._windows)

    def excuse_an_end(self, begin: float, end: float) -> bool:
        """Whether a connection that ended in that time may have been ended by a fault that ends them all."""
        return any(window.fault.ends_listeners and window.overlaps(begin, end) for window in self._windows)
