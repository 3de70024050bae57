"""Finding the next chord: the first harmony that can be reached, and left again, within every rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from auralisd.composition.harmony import Harmony, is_dominant_cadence
from auralisd.composition.pitch import Region
from auralisd.composition.progression import by_richness
from auralisd.composition.voicing import WIDEST_MOTION, Voicing, leads_to, smoothest, voiced

_MOST_TRIES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a chord's voicing must reckon with.

    Attributes:
        voices: how many.
        toward: the voicing to draw near to, if any.
        reach: how far from it each voice may be.
        after: the harmony it follows.
        before: the harmony that may follow it at once, where that is decided already.
    """

    voices: int
    after: Harmony
    before: Harmony | None = None
    toward: Voicing | None = None
    reach: int = WIDEST_MOTION

    def allows(self, voicing: Voicing) -> bool:
        """Whether a voicing is within reach of what follows soon."""
        if self.toward is None:
            return True
        if self.reach <= WIDEST_MOTION:
            return leads_to(voicing, self.toward)
        return len(voicing) == len(self.toward) and all(
            abs(goal - pitch) <= self.reach for goal, pitch in zip(self.toward, voicing, strict=True)
        )


def first_that_fits(
    choices: Iterable[Harmony], previous: Voicing, outlook: Outlook, *, most_tries: int = _MOST_TRIES
) -> tuple[Harmony, Voicing]:
    """The first choice that can be reached and left within every rule, and its voicing."""
    tried = list(islice(_modal(choices, outlook), most_tries + 1))
    place = tried[0].region
    return (
        fitting(tried, previous, outlook)
        or fitting(all_of((), place), previous, outlook)
        or fitting(tried, previous, Outlook(voices=outlook.voices, after=outlook.after))
        or (tried[0], voiced(tried[0], outlook.voices, previous))
    )


def _modal(choices: Iterable[Harmony], outlook: Outlook) -> Iterator[Harmony]:
    """Those of ``choices`` that make no dominant cadence with what is before and after them."""
    for chosen in choices:
        into_the_hinge = outlook.before is not None and is_dominant_cadence(chosen, outlook.before)
        if not into_the_hinge and not is_dominant_cadence(outlook.after, chosen):
            yield chosen


def all_of(first: Iterable[Harmony], place: Region) -> Iterator[Harmony]:
    """``first``, then every harmony of a region."""
    yield from first
    for degree in (1, 4, 6, 3, 2, 5, 7):
        yield from by_richness(place, degree, fullest_first=False)


def fitting(
    choices: Iterable[Harmony],
    previous: Voicing,
    outlook: Outlook,
    suits: Callable[[Voicing], bool] = lambda _: True,
) -> tuple[Harmony, Voicing] | None:
    """The first choice that fits the outlook and ``suits``, with its voicing; None where none does."""
    for chosen in _modal(choices, outlook):
        voicing = smoothest(chosen, outlook.voices, previous, toward=outlook.toward, reach=outlook.reach)
        if voicing is not None and suits(voicing):
            return chosen, voicing
    return None


def tells(left: Region, arrived: Region, voicing: Voicing) -> bool:
    """Whether a voicing holds a tone of ``arrived`` that ``left`` did not have."""
    return any(arrived.contains(pitch) and not left.contains(pitch) for pitch in voicing)


def moved(before: Voicing, after: Voicing) -> int:
    """How many voices of ``after`` are elsewhere than any was before."""
    return sum(1 for pitch in after if pitch not in before)
