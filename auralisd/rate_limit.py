"""A token bucket: so many at once, so many a second, and how long to wait."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable


class RateLimit:
    """Allows ``burst`` at once and ``per_second`` on average.

    Pure: the caller brings the time, in seconds of any clock that does not go back.
    """

    def __init__(self, *, per_second: float, burst: float) -> None:
        """Start with a full bucket."""
        self._per_second = per_second
        self._burst = burst
        self._tokens = burst
        self._updated_at: float | None = None

    def allows(self, now_seconds: float, cost: float = 1.0) -> bool:
        """Take ``cost`` from the bucket if it holds as much."""
        if self._updated_at is not None:
            elapsed = max(0.0, now_seconds - self._updated_at)
            self._tokens = min(self._burst, self._tokens + elapsed * self._per_second)
        self._updated_at = now_seconds
        if self._tokens < cost:
            return False
        self._tokens -= cost
        return True

    def give_back(self, cost: float = 1.0) -> None:
        """Put ``cost`` back: what it was taken for is not to be counted after all."""
        self._tokens = min(self._burst, self._tokens + cost)

    def retry_after_seconds(self, cost: float = 1.0) -> float:
        """How long until ``cost`` will be there, counted from the last question."""
        return max(0.0, (cost - self._tokens) / self._per_second)


class RateLimits:
    """One bucket per client, the longest silent forgotten first, so memory is bounded."""

    def __init__(self, *, per_second: float, burst: float, remembered: int = 4096) -> None:
        """Remember at most ``remembered`` clients."""
        self._per_second = per_second
        self._burst = burst
        self._remembered = remembered
        self._buckets: OrderedDict[Hashable, RateLimit] = OrderedDict()

    def of(self, client: Hashable) -> RateLimit:
        """The bucket of ``client``, a new one if it is not remembered."""
        bucket = self._buckets.get(client)
        if bucket is None:
            bucket = self._buckets[client] = RateLimit(per_second=self._per_second, burst=self._burst)
            if len(self._buckets) > self._remembered:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(client)
        return bucket
