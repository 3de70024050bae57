"""Chance that can be looked up instead of remembered.

Every draw is a hash of (seed, topic, numbers), so any bar of any hour can be drawn
without drawing what came before it. Integers throughout: the same on every machine.

The mixing function is the finaliser of splitmix64 (Steele, Lea and Flood, "Fast
splittable pseudorandom number generators", OOPSLA 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15


def _mixed(word: int) -> int:
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _MASK
    return word ^ (word >> 31)


@lru_cache(maxsize=256)
def _topic_word(topic: str) -> int:
    word = 0
    for byte in topic.encode():
        word = _mixed((word + _GAMMA + byte) & _MASK)
    return word


class Stream:
    """A short run of draws that all belong to one decision; made where it is needed, never stored."""

    __slots__ = ("_state",)

    def __init__(self, state: int) -> None:
        self._state = state

    def word(self) -> int:
        """64 uniform bits."""
        self._state = (self._state + _GAMMA) & _MASK
        return _mixed(self._state)

    def below(self, count: int) -> int:
        """A uniform integer from 0 to ``count - 1``."""
        return (self.word() * count) >> 64

    def between(self, low: int, high: int) -> int:
        """A uniform integer from ``low`` to ``high``, both included."""
        return low + self.below(high - low + 1)

    def fraction(self) -> float:
        """A uniform float in [0, 1), exact in 53 bits."""
        return (self.word() >> 11) / 9007199254740992.0

    def uniform(self, low: float, high: float) -> float:
        """A uniform float from ``low`` to ``high``."""
        return low + self.fraction() * (high - low)

    def happens(self, probability: float) -> bool:
        """True with ``probability`` (0 to 1)."""
        return self.fraction() < probability

    def pick[T](self, choices: Sequence[T]) -> T:
        """One of ``choices``, all equally likely."""
        return choices[self.below(len(choices))]

    def weighted(self, weights: Sequence[int]) -> int:
        """An index of ``weights``, as likely as its integer weight; at least one must be positive."""
        place = self.below(sum(weights))
        for index, weight in enumerate(weights):
            place -= weight
            if place < 0:
                return index
        raise AssertionError("a draw below the sum of the weights always lands on one of them")

    def shuffled[T](self, items: Sequence[T]) -> list[T]:
        """``items`` in a uniform random order (Fisher-Yates)."""
        shuffled = list(items)
        for last in range(len(shuffled) - 1, 0, -1):
            other = self.below(last + 1)
            shuffled[last], shuffled[other] = shuffled[other], shuffled[last]
        return shuffled


@dataclass(frozen=True, slots=True)
class Chance:
    """All the chance of one piece.

    Attributes:
        seed: any integer; the same seed gives the same draws for ever.
    """

    seed: int

    def stream(self, topic: str, *key: int) -> Stream:
        """The draws for one decision, named by a topic ("voicing") and numbers (section, chord)."""
        state = _mixed((self.seed & _MASK) ^ _mixed((self.seed >> 64) & _MASK) ^ _topic_word(topic))
        for number in key:
            state = _mixed((state + _GAMMA + number) & _MASK)
        return Stream(state)
