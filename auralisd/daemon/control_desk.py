"""A station's controls and the log of everything that was ever turned.

The log is half of what a piece is made of (the seed is the other half): the controls at
frame 0 and the log give the same music again.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping
from typing import Any

from auralisd.controls import SCORE_CONTROLS, Controls, merge_change
from auralisd.night import dimmed, night_at
from auralisd.score import ControlChange

LOG_ENTRIES_MOST = 20_000  # a change each second for five hours; older ones become the start
LOG_ENTRIES_FOLDED = 1_000


class ControlDesk:
    """The controls of one piece, now and at every frame before."""

    def __init__(self, *, start: Controls | None = None, log: Iterable[ControlChange] = ()) -> None:
        """Begin with the controls at frame 0 and what was logged since."""
        self.start = start or Controls()
        self.log: list[ControlChange] = sorted(log, key=_at_frames)
        self.unsaved: list[ControlChange] = []
        self.controls = self.start
        for entry in self.log:
            self.controls, _ = merge_change(self.controls, entry.changed)
        self._night_switches = _night_switches(self.log)

    def preview(self, change: Mapping[str, Any]) -> tuple[Controls, dict[str, Any]]:
        """What ``change`` would make of the controls, and its normalised form.

        Raises:
            ControlsError: nothing would be changed.
        """
        return merge_change(self.controls, change)

    def record(self, changed: Mapping[str, Any], *, at_frames: int, cause: str) -> ControlChange:
        """Turn the controls and note it in the log; ``changed`` comes from ``preview``."""
        entry = ControlChange(at_frames=at_frames, changed=dict(changed), cause=cause)
        self.controls, _ = merge_change(self.controls, changed)
        insort(self.log, entry, key=_at_frames)
        self.unsaved.append(entry)
        if "night" in changed:
            self._night_switches = _night_switches(self.log)
        if len(self.log) > LOG_ENTRIES_MOST:
            self._fold_oldest()
        return entry

    def controls_at(self, position: int) -> Controls:
        """The controls as they were at ``position``."""
        controls = self.start
        for entry in self.log[: bisect_right(self.log, position, key=_at_frames)]:
            controls, _ = merge_change(controls, entry.changed)
        return controls

    def sounding_at(self, position: int, controls: Controls | None = None) -> Controls:
        """The controls now (or ``controls``) as the sound follows them at ``position``: dimmed by the night."""
        switches = [switch for switch in self._night_switches if switch[0] <= position]
        night = night_at(self.start.night, switches)
        return dimmed(self.controls if controls is None else controls, night, position)

    def _fold_oldest(self) -> None:
        folded = self.log[:LOG_ENTRIES_FOLDED]
        self.start = self.controls_at(folded[-1].at_frames)
        self.log = [entry for entry in self.log if entry.at_frames > folded[-1].at_frames]
        self._night_switches = _night_switches(self.log)


def split_change(changed: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The part of a change that the composer hears, and the part that the renderer hears."""
    score = {name: value for name, value in changed.items() if name in SCORE_CONTROLS}
    sound = {name: value for name, value in changed.items() if name not in SCORE_CONTROLS}
    return score, sound


def _night_switches(log: Iterable[ControlChange]) -> tuple[tuple[int, bool], ...]:
    return tuple((entry.at_frames, entry.changed["night"]) for entry in log if "night" in entry.changed)


def _at_frames(entry: ControlChange) -> int:
    return entry.at_frames
