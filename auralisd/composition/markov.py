"""Where the harmony goes next: bigram tables per mode, widened by memory and tension.

Shares are integers in parts of ``WHOLE``, so that a row is a distribution exactly and
on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from auralisd.composition.harmony import is_diminished
from auralisd.composition.pitch import MODE_INTERVALS, region
from auralisd.errors import ScoreError

WHOLE: Final = 10_000
"""A row's shares add up to this."""

OWN_DEGREE: Final[Mapping[str, int]] = MappingProxyType(
    {"dorian": 4, "lydian": 2, "aeolian": 6, "mixolydian": 7, "phrygian": 2, "ionian": 4}
)
"""The degree by which the ear tells a mode from its neighbours."""

MEMORY: Final = 8
"""How many chords back the recency penalty looks."""

_ROOT_MOTION: Final = (0, 70, 150, 165, 120, 165, 90)
"""Weight of moving the root up by 0 to 6 steps: thirds and fourths before seconds."""

_OWN_DEGREE_PERCENT: Final = 165
_TONIC_PERCENT: Final = 150
_DIMINISHED_PERCENT: Final = 35
_DOMINANT_TONIC_PERCENT: Final = 40
_RETURN_PERCENT: Final = 30  # A-B-A
_RECENCY_PERCENT: Final = (100, 72, 48, 30, 18, 10, 6, 4, 3)


@dataclass(frozen=True, slots=True)
class Distribution:
    """Shares of the seven degrees.

    Attributes:
        shares: for degree 1 to 7, in parts of ``WHOLE``.
    """

    shares: tuple[int, ...]

    def __post_init__(self) -> None:
        """Raise ScoreError unless there are seven shares, none negative, together ``WHOLE``."""
        if len(self.shares) != 7:
            raise ScoreError(f"a row needs seven shares, not {len(self.shares)}")
        if any(not isinstance(share, int) or share < 0 for share in self.shares):
            raise ScoreError(f"shares are whole numbers, none negative: {self.shares}")
        if sum(self.shares) != WHOLE:
            raise ScoreError(f"the shares of a row add up to {WHOLE}, not {sum(self.shares)}")

    @classmethod
    def from_weights(cls, weights: Sequence[int]) -> Distribution:
        """Weights as shares, rounded by largest remainder; raises ScoreError if none is positive."""
        total = sum(weights)
        if total <= 0 or any(weight < 0 for weight in weights):
            raise ScoreError(f"no distribution follows from the weights {tuple(weights)}")
        shares = [weight * WHOLE // total for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(weights[i] * WHOLE % total), i))
        for index in by_remainder[: WHOLE - sum(shares)]:
            shares[index] += 1
        return cls(tuple(shares))


@dataclass(frozen=True, slots=True)
class TransitionTable:
    """First-order transitions of a mode: row d holds where degree d leads.

    Attributes:
        rows: seven distributions.
    """

    rows: tuple[Distribution, ...]

    def __post_init__(self) -> None:
        """Raise ScoreError unless there are seven rows and no degree leads to itself."""
        if len(self.rows) != 7:
            raise ScoreError(f"a table needs seven rows, not {len(self.rows)}")
        for degree, row in enumerate(self.rows, start=1):
            if row.shares[degree - 1]:
                raise ScoreError(f"degree {degree} leads to itself")


def _table(mode: str) -> TransitionTable:
    home = region(0, mode)
    rows = []
    for degree in range(1, 8):
        weights = []
        for following in range(1, 8):
            weight = _ROOT_MOTION[(following - degree) % 7] * 1_000
            if following == OWN_DEGREE[mode]:
                weight = weight * _OWN_DEGREE_PERCENT // 100
            if following == 1:
                weight = weight * _TONIC_PERCENT // 100
            if is_diminished(home, following):
                weight = weight * _DIMINISHED_PERCENT // 100
            if (degree, following) == (5, 1):
                weight = weight * _DOMINANT_TONIC_PERCENT // 100
            weights.append(weight)
        rows.append(Distribution.from_weights(weights))
    return TransitionTable(tuple(rows))


TRANSITIONS: Final[Mapping[str, TransitionTable]] = MappingProxyType({mode: _table(mode) for mode in MODE_INTERVALS})
"""Root motion by thirds and fourths, the mode's own degree raised, the diminished one damped."""


@lru_cache(maxsize=8192)
def next_degree(mode: str, history: tuple[int, ...], tension_percent: int, variety_percent: int) -> Distribution:
    """Where a progression goes next.

    Args:
        mode: one of ``MODE_INTERVALS``.
        history: degrees so far, the sounding one last; at most the last ``MEMORY`` count.
        tension_percent: 0 stays near the tonic, 100 seeks the mode's own degree.
        variety_percent: 0 circles among few degrees, 100 visits all alike.

    Returns:
        The bigram row, second-order (A-B-A damped) and with memory (what was heard lately waits).
    """
    history = history[-MEMORY:]
    row = TRANSITIONS[mode].rows[history[-1] - 1].shares
    mean = WHOLE // 6
    weights = []
    for degree in range(1, 8):
        weight = row[degree - 1] * 100
        if weight:
            weight += (mean * 100 - weight) * (variety_percent - 25) // 200 if variety_percent > 25 else 0
        if degree == 1:
            weight = weight * (140 - tension_percent * 80 // 100) // 100
        elif degree == OWN_DEGREE[mode]:
            weight = weight * (85 + tension_percent * 50 // 100) // 100
        elif degree not in (4, 6):
            weight = weight * (45 + min(variety_percent, 50) * 110 // 100) // 100
        if len(history) > 1 and degree == history[-2]:
            weight = weight * _RETURN_PERCENT // 100
        weights.append(weight * _RECENCY_PERCENT[history.count(degree)] // 100)
    return Distribution.from_weights(weights)
