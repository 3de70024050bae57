"""What is read off the daemon every few seconds, and the arithmetic of many such readings."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

LAG_METRIC: Final = "auralisd_loop_lag_seconds"
MOST_SAMPLES: Final = 512

type Passes = Mapping[float, float]
"""How many passes of the event loop took at most so many seconds, by the bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One reading.

    Attributes:
        at_seconds: of trio's clock, in the midst of the reading.
        process: which process of this soak, from 1.
        resident_bytes: its memory, as the kernel says; None where the kernel does not say.
        descriptors: what it holds open; None where the kernel does not say.
        tasks: tasks of its event loop.
        passes: of the event loop since its start.
        counters: further numbers by name, summed over their labels.
    """

    at_seconds: float
    process: int
    resident_bytes: int | None
    descriptors: int | None
    tasks: int | None
    passes: Passes
    counters: Mapping[str, float]


class Thinned[T]:
    """A series that never holds more than ``most`` values, however long it goes on.

    When it is full every second one goes, and from then on every second newcomer is let by: what
    is left is spread evenly over all the time there was.
    """

    def __init__(self, most: int = MOST_SAMPLES) -> None:
        """Hold nothing yet.

        Args:
            most: how many at a time; 2 at least.
        """
        self._most = most
        self._kept: list[T] = []
        self._every = 1
        self._seen = 0

    def add(self, value: T) -> None:
        """Hold ``value``, if its turn has come."""
        if self._seen % self._every == 0:
            if len(self._kept) == self._most:
                del self._kept[1::2]
                self._every *= 2
            if self._seen % self._every == 0:
                self._kept.append(value)
        self._seen += 1

    def clear(self) -> None:
        """Begin anew."""
        self._kept.clear()
        self._every, self._seen = 1, 0

    @property
    def values(self) -> tuple[T, ...]:
        """What is held, oldest first."""
        return tuple(self._kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """A least-squares line through points.

    Attributes:
        rise: of y, for one x.
        error: the standard error of ``rise``, from how far the points are off the line.
    """

    rise: float
    error: float


def slope(points: Sequence[tuple[float, float]]) -> Slope | None:
    """The least-squares slope of y over x; None with fewer than three points, or of one x."""
    if len(points) < 3:
        return None
    mean_x = math.fsum(x for x, _ in points) / len(points)
    mean_y = math.fsum(y for _, y in points) / len(points)
    spread = math.fsum((x - mean_x) ** 2 for x, _ in points)
    if spread == 0:
        return None
    rise = math.fsum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    off = math.fsum((y - mean_y - rise * (x - mean_x)) ** 2 for x, y in points)
    return Slope(rise=rise, error=math.sqrt(off / (len(points) - 2) / spread))


def passes_between(before: Passes, after: Passes) -> dict[float, float]:
    """The passes that were made between two readings of one process."""
    return {bound: count - before.get(bound, 0.0) for bound, count in after.items()}


def added(one: Passes, other: Passes) -> dict[float, float]:
    """The passes of both."""
    return {bound: one.get(bound, 0.0) + other.get(bound, 0.0) for bound in sorted({*one, *other})}


def quantile(passes: Passes, share: float) -> float | None:
    """As long as ``share`` of the passes took at most, interpolated within the bucket; None without any."""
    wanted, low, below = share * max(passes.values(), default=0.0), 0.0, 0.0
    if wanted == 0:
        return None
    for bound, count in sorted(passes.items()):
        if count >= wanted:
            return low if math.isinf(bound) else low + (bound - low) * (wanted - below) / (count - below)
        low, below = bound, count
    return low


def read_exposition(text: str, wanted: Iterable[str]) -> tuple[Passes, dict[str, float]]:
    """The passes of the loop, and the ``wanted`` metrics summed over their labels, out of the Prometheus text."""
    names, passes = frozenset(wanted), dict[float, float]()
    counters: dict[str, float] = {}
    bucket = f'{LAG_METRIC}_bucket{{le="'
    for line in text.splitlines():
        if line.startswith(bucket):
            bound, _, count = line.removeprefix(bucket).partition('"} ')
            passes[float(bound)] = float(count)
            continue
        name, _, value = line.rpartition(" ")
        bare = name.partition("{")[0]
        if bare in names:
            counters[bare] = counters.get(bare, 0.0) + float(value)
    return passes, counters


class Accounts:
    """The sums over many readings, kept apart by whose doing it was; memory does not grow with the run.

    ``excused`` says of a span of time whether a fault was on, ``hostile`` whether only peers misbehaved in it.
    """

    def __init__(self, *, excused: Callable[[float, float], bool], hostile: Callable[[float, float], bool]) -> None:
        """Nothing was read yet."""
        self._excused, self._hostile = excused, hostile
        self._before: Sample | None = None
        self.normal_passes: dict[float, float] = {}
        self.hostile_passes: dict[float, float] = {}
        self.outside: dict[str, float] = {}
        self.inside: dict[str, float] = {}

    def take(self, sample: Sample) -> None:
        """Put what happened since the reading before where it belongs.

        What a process did before its first reading counts for nobody: it was starting.
        """
        before, self._before = self._before, sample
        if before is None or before.process != sample.process or _counts_anew(before, sample):
            return
        begin, end = before.at_seconds, sample.at_seconds
        passes = passes_between(before.passes, sample.passes)
        excused = self._excused(begin, end)
        if not excused:
            self.normal_passes = added(self.normal_passes, passes)
        elif self._hostile(begin, end):
            self.hostile_passes = added(self.hostile_passes, passes)
        account = self.inside if excused else self.outside
        for name, value in sample.counters.items():
            account[name] = account.get(name, 0.0) + value - before.counters.get(name, 0.0)


def _counts_anew(before: Sample, sample: Sample) -> bool:
    """Whether another process has answered, of which we had not been told yet: what only grows has shrunk."""
    shrunk = any(value < before.counters.get(name, 0.0) for name, value in sample.counters.items())
    return shrunk or any(count < before.passes.get(bound, 0.0) for bound, count in sample.passes.items())
