"""Lengths of time on the command line: seconds, ``m:ss`` or ``h:mm:ss``."""

from __future__ import annotations

import math
from typing import Final

import click

from auralisd.units import seconds_to_frames

MOST_SECONDS: Final = 10 * 365 * 24 * 3600


class FramesType(click.ParamType[int]):
    """A time from the beginning, at least 0, as programme frames."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Whole frames of what was typed; a usage error otherwise."""
        if isinstance(value, int):
            return value
        parts = str(value).split(":")
        try:
            numbers = [float(part) for part in parts]
        except ValueError:
            numbers = []
        if not 1 <= len(numbers) <= 3 or not all(math.isfinite(n) and n >= 0 for n in numbers):
            self.fail(f"{value!r}: seconds, m:ss or h:mm:ss is meant, such as 90, 1:30 or 1:00:00", param, ctx)
        seconds = 0.0
        for number in numbers:
            seconds = seconds * 60 + number
        if seconds > MOST_SECONDS:
            self.fail(f"{value!r}: ten years are the most", param, ctx)
        return seconds_to_frames(seconds)


FRAMES: Final = FramesType()
