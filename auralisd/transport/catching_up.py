"""Whose encoders may catch up with the programme just now: not all at once, or all would be late."""

from __future__ import annotations

import threading
import weakref


class CatchUpTurns:
    """Turns at catching up, shared by the stations of a process; each is kept until it is given back.

    Who is gone without a word, as an encoder that hung, leaves his turn to others as well.
    """

    def __init__(self, at_once: int) -> None:
        """Turns for ``at_once`` holders."""
        self._at_once = at_once
        self._holders: weakref.WeakSet[object] = weakref.WeakSet()
        self._lock = threading.Lock()

    def taken_by(self, who: object) -> bool:
        """Whether ``who`` has a turn, had one already or gets one now."""
        with self._lock:
            if who not in self._holders and len(self._holders) < self._at_once:
                self._holders.add(who)
            return who in self._holders

    def give_back(self, who: object) -> None:
        """Leave the turn to others, if ``who`` has one."""
        with self._lock:
            self._holders.discard(who)
