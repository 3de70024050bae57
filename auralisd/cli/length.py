"""Lengths of time on the command line: of music as ``m:ss`` or ``h:mm:ss``, of validity as ``24h`` or ``7d``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

import click

from auralisd.units import seconds_to_frames

MOST_SECONDS: Final = 10 * 365 * 24 * 3600
_UNIT_SECONDS: Final[Mapping[str, int]] = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 24 * 3600}
_DURATION: Final = re.compile(r"(?P<number>[0-9]{1,10})(?P<unit>[smhd]?)")


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


class DurationType(click.ParamType[int]):
    """How long something holds, at least a second, as whole seconds."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Seconds of what was typed; a usage error otherwise."""
        if isinstance(value, int):
            return value
        parts = _DURATION.fullmatch(str(value).strip().lower())
        seconds = int(parts["number"]) * _UNIT_SECONDS[parts["unit"]] if parts is not None else 0
        if not seconds:
            self.fail(f"{value!r}: a number and s, m, h or d is meant, such as 30m, 24h or 7d", param, ctx)
        if seconds > MOST_SECONDS:
            self.fail(f"{value!r}: ten years are the most", param, ctx)
        return seconds


FRAMES: Final = FramesType()
DURATION: Final = DurationType()
