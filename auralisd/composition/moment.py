"""What a player sees when it decides what to play next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from auralisd.composition.beat_clock import BeatClock
from auralisd.composition.chance import Chance, Stream
from auralisd.composition.form import Form, SectionPlan
from auralisd.composition.harmony import Harmony
from auralisd.composition.manuscript import Manuscript
from auralisd.composition.pitch import Region
from auralisd.composition.voicing import Voicing
from auralisd.controls import Controls
from auralisd.night import HUSHED_SHARE, Night
from auralisd.units import SAMPLE_RATE_HZ

JITTER_FRAMES: Final = (530, 1543)
"""12 to 35 ms: how far a played onset lies off the grid, before or after."""

PICKUP_FRAMES: Final = JITTER_FRAMES[1] + 1
"""How long before its place on the grid a note must be decided."""

PHRASE_ROOM_FRAMES: Final = 11 * SAMPLE_RATE_HZ
"""No new phrase begins so near the end of a section."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundingChord:
    """A harmony in its voicing, at its place in time.

    Attributes:
        index: of the chord in the piece.
        harmony: degree and shape.
        voicing: MIDI pitches, low to high.
        onset_frames: its beginning.
        end_frames: its end as planned.
    """

    index: int
    harmony: Harmony
    voicing: Voicing
    onset_frames: int
    end_frames: int


@dataclass(slots=True, kw_only=True)
class Moment:
    """The state of the music at one frame; the composer keeps it, players read it.

    Attributes:
        now: the frame.
        chance: all draws.
        form: plans of all sections.
        controls: score controls in effect.
        clock: beats to frames.
        section: the section's plan.
        section_start: where it really began, on a bar line.
        section_end: where it will end if the tempo stays.
        region: tonic and mode now.
        next_region: those of the next section if the controls stay.
        left: the region before the newest change of key or mode; the same as ``region`` where none was left.
        night: the night curve.
        chord: the newest chord, from a little before its onset.
        previous_chord: the one before it.
        stated_slot: the newest slot of the motifs' timetable in which this section stated one, -1 before that.
        breath: from when to when the ensemble leaves off, so that only drone and reverb remain; None mostly.
    """

    now: int
    chance: Chance
    form: Form
    controls: Controls
    clock: BeatClock
    section: SectionPlan
    section_start: int
    section_end: int
    region: Region
    next_region: Region
    left: Region
    night: Night
    chord: SoundingChord | None = None
    previous_chord: SoundingChord | None = None
    stated_slot: int = -1
    breath: tuple[int, int] | None = None

    def chord_at(self, onset_frames: int) -> SoundingChord:
        """The chord a note with this onset will meet."""
        assert self.chord is not None, "the chord player opens every section"
        if onset_frames < self.chord.onset_frames and self.previous_chord is not None:
            return self.previous_chord
        return self.chord

    def plays(self, layer: str) -> bool:
        """Whether a layer belongs to the section."""
        return layer in self.section.layers

    def phrase_follows(self, at_frames: int) -> bool:
        """Whether melody or loops can still answer in this section to a control that is theirs."""
        room = self.section_end - at_frames >= PHRASE_ROOM_FRAMES
        return room and (self.plays("melody") or self.plays("loops"))

    def breathes(self) -> bool:
        """Whether this is a moment to leave off."""
        return self.breath is not None and self.breath[0] <= self.now < self.breath[1]

    def density(self) -> float:
        """Intensity as this point of the section and of the night shapes it, 0 to 1."""
        by_day = min(1.0, self.controls.intensity * self.section.density_percent(self.now) / 100)
        return by_day * self.night.density_share(self.now)

    def hushed(self, topic: str, *key: int) -> bool:
        """Whether the night keeps a player from beginning what it would begin by day."""
        depth = self.night.depth(self.now)
        return depth > 0 and self.chance.stream("hushed " + topic, *key).fraction() < HUSHED_SHARE * depth

    def jittered(self, stream: Stream, grid_frames: int) -> int:
        """An onset a human distance from its place on the grid, but never in the past."""
        offset = stream.between(*JITTER_FRAMES)
        return max(self.now, grid_frames + (offset if stream.happens(0.5) else -offset))

    def frames_left(self) -> int:
        """Until the section ends."""
        return self.section_end - self.now


def seconds(count: float) -> int:
    """Whole frames in ``count`` seconds, rounded down (exact in integers and tenths alike)."""
    return int(count * SAMPLE_RATE_HZ)


class Player(Protocol):
    """One musician of the ensemble: knows when it wants to act next, and acts then.

    State is plain immutable values, so that a shallow copy plays on independently.
    """

    def start_section(self, moment: Moment, sheet: Manuscript) -> None:
        """Forget what was and prepare for the section that begins at ``moment.now``."""
        ...

    def wake_frames(self, moment: Moment) -> int:
        """When it wants to act next."""
        ...

    def act(self, moment: Moment, sheet: Manuscript) -> None:
        """Write what begins now; the next wake is later than this one."""
        ...

    def on_change(self, changed: frozenset[str], moment: Moment, sheet: Manuscript) -> None:
        """React to score controls that just took effect (``moment`` holds the new ones)."""
        ...
