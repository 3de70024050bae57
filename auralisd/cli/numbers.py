"""Numbers on the command line: refused in a person's words, with the range that is meant."""

from __future__ import annotations

import math
from typing import Final

import click

from auralisd.score import LARGEST_SEED


class WholeNumberType(click.ParamType[int]):
    """A whole number from ``least`` to ``most``, both taken."""

    name = "number"

    def __init__(self, least: int, most: int) -> None:
        """Take what lies between."""
        self.least, self.most = least, most

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """What was typed as a number; a usage error otherwise."""
        try:
            number = int(str(value))
        except ValueError:
            number = self.least - 1
        if not self.least <= number <= self.most:
            self.fail(f"{str(value)!r}: a whole number from {self.least} to {self.most} is meant", param, ctx)
        return number


class NumberType(click.ParamType[float]):
    """A number from ``least`` to ``most``, both taken unless ``least_is_too_little``."""

    name = "number"

    def __init__(self, least: float, most: float, *, least_is_too_little: bool = False) -> None:
        """Take what lies between."""
        self.least, self.most, self.least_is_too_little = least, most, least_is_too_little

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """What was typed as a number; a usage error otherwise."""
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        too_little = number <= self.least if self.least_is_too_little else number < self.least
        if math.isnan(number) or too_little or number > self.most:
            bounds = f"more than {self.least:g}" if self.least_is_too_little else f"from {self.least:g}"
            joint = ", at most" if self.least_is_too_little else " to"
            self.fail(f"{str(value)!r}: a number {bounds}{joint} {self.most:g} is meant", param, ctx)
        return number


SEED: Final = WholeNumberType(0, LARGEST_SEED)
