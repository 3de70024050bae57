"""What a rule is: a name in a musician's words, a bound, a way to measure, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from auralisd.composition.audit.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a rule found in a piece.

    Attributes:
        values: the figures that must lie within the rule's bounds, usually one, or the lowest and the highest.
        at_frames: where the worst of them is, None where it belongs to no place.
        words: the figure as a person reads it, where the numbers alone would not say enough.
        needs: what a piece must hold before it can pass ("90 min"); empty if this one does. It can fail sooner.
    """

    values: tuple[float, ...]
    at_frames: int | None = None
    words: str = ""
    needs: str = ""


@dataclass(frozen=True, slots=True)
class NotJudged:
    """A piece says nothing about a rule.

    Attributes:
        needs: what it would take, completing "needs ...".
    """

    needs: str


def counted(frames: Sequence[int], needs: str = "") -> Measured:
    """How often something happens, and where first."""
    return Measured(values=(float(len(frames)),), at_frames=frames[0] if frames else None, needs=needs)


def spanning(lengths: Sequence[tuple[float, int]], low: float, high: float) -> Measured:
    """The least and the most of some figures, each with its frame, and where the worse of the two is."""
    (least, at_least), (most, at_most) = min(lengths), max(lengths)
    return Measured(values=(least, most), at_frames=at_most if most - high > low - least else at_least)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What became of one rule.

    Attributes:
        rule: its name.
        chapter: what it is about.
        bound: what was asked, in words.
        figure: what was found, in words; empty where nothing was measured.
        values: the same as numbers.
        passed: None where the piece does not hold enough to judge by.
        needs: what it would take to judge, empty if it was judged.
        at_frames: where it fails, or comes nearest to failing.
        margin: how far the worst value is inside the bounds, as a share of the bound; negative outside.
    """

    rule: str
    chapter: str
    bound: str
    figure: str = ""
    values: tuple[float, ...] = ()
    passed: bool | None = None
    needs: str = ""
    at_frames: int | None = None
    margin: float = 0.0


type Measure = Callable[[Reading], Measured | NotJudged]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing a musician would check.

    Attributes:
        chapter: ``harmony``, ``melody``, ``motifs``, ``layers``, ``form`` or ``long run``.
        name: in a musician's words.
        bound: what is asked, in words.
        measure: finds the figures in a piece.
        low: no value may be below.
        high: no value may be above.
        unit: of the values, as it follows a number.
    """

    chapter: str
    name: str
    bound: str
    measure: Measure
    low: float | None = field(default=None, kw_only=True)
    high: float | None = field(default=None, kw_only=True)
    unit: str = field(default="", kw_only=True)

    def judged(self, reading: Reading) -> Finding:
        """Measure and compare."""
        measured = self.measure(reading)
        if isinstance(measured, NotJudged):
            return Finding(rule=self.name, chapter=self.chapter, bound=self.bound, needs=measured.needs)
        margin = min((self._margin(value) for value in measured.values), default=0.0)
        enough = not measured.needs
        return Finding(
            rule=self.name,
            chapter=self.chapter,
            bound=self.bound,
            figure=measured.words or self._in_words(measured.values),
            values=measured.values,
            passed=False if margin < 0 else True if enough else None,
            needs="" if margin < 0 else measured.needs,
            at_frames=measured.at_frames,
            margin=margin,
        )

    def _margin(self, value: float) -> float:
        margins = [(value - self.low) / (abs(self.low) or 1.0)] if self.low is not None else []
        margins += [(self.high - value) / (abs(self.high) or 1.0)] if self.high is not None else []
        return min(margins, default=0.0)

    def _in_words(self, values: tuple[float, ...]) -> str:
        numbers = [f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}" for value in values]
        return f"{' to '.join(dict.fromkeys(numbers))}{' ' + self.unit if self.unit else ''}"
