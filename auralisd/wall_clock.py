"""The time of day, for what people and other programs read: time stamps, and the first number of an HLS folder.

It can jump by hours at any moment (a sleeping machine, a correction over the network), so nothing waits for it or
is due by it, and this is the one module that reads it: sound, deadlines and time-outs go by the monotonic clock.
"""

from __future__ import annotations

import time


def unix_ms() -> int:
    """Milliseconds since 1970, as time stamps in messages have them."""
    return time.time_ns() // 1_000_000  # noqa: TID251 - the one place


def unix_seconds() -> float:
    """Seconds since 1970, as playlists have them."""
    return time.time_ns() / 1e9  # noqa: TID251 - the one place
