"""The conductor's stick: bar lines for whoever reads the score."""

from __future__ import annotations

from dataclasses import dataclass

from auralisd.composition.manuscript import Manuscript
from auralisd.composition.moment import Moment
from auralisd.score import Bar


@dataclass(slots=True)
class BarPlayer:
    """Writes each bar line as it comes.

    Attributes:
        bar: the next one.
    """

    bar: int = 0

    def start_section(self, moment: Moment, sheet: Manuscript) -> None:  # noqa: ARG002 - the players' contract
        """A section begins on a bar line: that one is next."""
        self.bar = moment.clock.bar_from(moment.now)

    def wake_frames(self, moment: Moment) -> int:
        """At the next bar line."""
        return max(moment.now, moment.clock.frame_of_bar(self.bar))

    def act(self, moment: Moment, sheet: Manuscript) -> None:
        """Draw the line."""
        sheet.write(Bar(index=self.bar, onset_frames=moment.now, tempo_bpm=moment.clock.tempo_bpm(moment.now)))
        self.bar += 1

    def on_change(self, changed: frozenset[str], moment: Moment, sheet: Manuscript) -> None:
        """Nothing to do: the clock already knows."""
