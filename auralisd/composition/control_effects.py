"""From the controls log to the moments at which the score reacts.

A first change of key, mode or complexity acts at once; further ones within a second
collapse to the last of them. Tempo and intensity follow the hand. The outcome depends
on the log alone, so a replay reacts at the same frames.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from auralisd.controls import COLLAPSING_CONTROLS, SCORE_CONTROLS, Controls
from auralisd.score import ControlChange
from auralisd.units import SAMPLE_RATE_HZ

COLLAPSE_FRAMES: Final = SAMPLE_RATE_HZ
_HARMONIC: Final = frozenset({"key", "mode"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Score controls that take effect together.

    Attributes:
        at_frames: when.
        changed: the new values.
        cause: of the last change that went into it.
    """

    at_frames: int
    changed: Mapping[str, Any]
    cause: str


class EffectQueue:
    """The effects to come, in order of time."""

    def __init__(self, controls: Controls) -> None:
        self._wanted: dict[str, Any] = {name: getattr(controls, name) for name in SCORE_CONTROLS}
        self._latest: dict[str, int] = {}
        self._queue: deque[Effect] = deque()

    def copy(self) -> EffectQueue:
        """An independent queue with the same contents."""
        twin = EffectQueue.__new__(EffectQueue)
        twin._wanted, twin._latest, twin._queue = dict(self._wanted), dict(self._latest), self._queue.copy()
        return twin

    @property
    def next_frames(self) -> int | None:
        """When the next effect is due."""
        return self._queue[0].at_frames if self._queue else None

    def pop(self) -> Effect:
        """Take the next effect; there must be one."""
        return self._queue.popleft()

    def log(self, change: ControlChange) -> dict[str, int]:
        """Take in an entry of the log (they come in order) and tell when each score control acts."""
        acts: dict[str, int] = {}
        for name, value in change.changed.items():
            if name not in SCORE_CONTROLS:
                continue
            if self._wanted[name] == value:
                acts[name] = change.at_frames
                continue
            self._wanted[name] = value
            acts[name] = self._due(name, change.at_frames)
            self._insert(Effect(at_frames=acts[name], changed={name: value}, cause=change.cause))
        return acts

    def _due(self, name: str, at_frames: int) -> int:
        if name not in COLLAPSING_CONTROLS:
            return at_frames
        group = "harmony" if name in _HARMONIC else name
        latest = self._latest.get(group)
        if latest is not None and at_frames <= latest:
            due = latest
        elif latest is not None and at_frames < latest + COLLAPSE_FRAMES:
            due = latest + COLLAPSE_FRAMES
        else:
            due = at_frames
        self._latest[group] = due
        return due

    def _insert(self, effect: Effect) -> None:
        later: list[Effect] = []
        while self._queue and self._queue[-1].at_frames > effect.at_frames:
            later.append(self._queue.pop())
        if self._queue and self._queue[-1].at_frames == effect.at_frames:
            changed = {**self._queue.pop().changed, **effect.changed}
            effect = Effect(at_frames=effect.at_frames, changed=changed, cause=effect.cause)
        self._queue.extend([effect, *reversed(later)])
