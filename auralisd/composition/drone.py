"""The drone: tonic and fifth far below, in slow swells that overlap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from auralisd.composition.manuscript import Manuscript
from auralisd.composition.moment import Moment, seconds

LAYER: Final = "drone"
LOWEST: Final = 33
SWELL_SECONDS: Final = (60, 180)
OVERLAP_SECONDS: Final = 12
LONGEST_PAUSE_SECONDS: Final = 7
"""How long nothing may lie under the music before a region of another pitch begins."""

FAREWELL_SECONDS: Final = 4
"""How long before a region that lacks its pitch a swell ends."""

BARE_DENSITY: Final = 0.15
"""At or below this harmonic density the drone is the tonic alone: no fifth comes and goes under a held chord."""


@dataclass(slots=True)
class DronePlayer:
    """One swell after the other; the fifth joins the tonic in some of them."""

    count: int = 0
    next_swell: int = 0

    def start_section(self, moment: Moment, sheet: Manuscript) -> None:
        """Begin anew; the last section's swell goes on under it for a while if it belongs."""
        self.count, self.next_swell = 0, moment.now
        self._release_strangers(moment, sheet)

    def wake_frames(self, moment: Moment) -> int:
        """When the next swell begins."""
        return max(moment.now, self.next_swell)

    def act(self, moment: Moment, sheet: Manuscript) -> None:
        """Begin a swell."""
        stream = moment.chance.stream("drone", moment.section.index, self.count)
        self.count += 1
        left = moment.frames_left()
        length = seconds(stream.between(*SWELL_SECONDS))
        if left - length < seconds(SWELL_SECONDS[0]):
            length = left if left <= seconds(SWELL_SECONDS[1]) else left // 2
        self.next_swell = moment.now + max(length - seconds(OVERLAP_SECONDS), seconds(OVERLAP_SECONDS))
        if left - length <= 0:
            self.next_swell = moment.section_end + seconds(OVERLAP_SECONDS)
        for role, interval, share, level in (("tonic", 0, 1.0, 0.5), ("fifth", 7, 0.45, 0.36)):
            bare = role == "fifth" and moment.controls.harmonic_density <= BARE_DENSITY
            if stream.happens(share) and not bare:
                pitch = LOWEST + (moment.region.tonic + interval - LOWEST) % 12
                duration = self._duration(moment, pitch, length)
                sheet.note(
                    layer=LAYER,
                    role=role,
                    onset_frames=moment.now + seconds(stream.uniform(0.0, 0.4)),
                    duration_frames=duration,
                    pitch_midi=pitch,
                    velocity=level + stream.uniform(-0.05, 0.05),
                    cents=stream.uniform(-2.0, 2.0),
                    chord_index=moment.chord_at(moment.now).index,
                )

    def on_change(self, changed: frozenset[str], moment: Moment, sheet: Manuscript) -> None:
        """A new tonic starts a new swell at once."""
        if changed & {"key", "mode"} and self._release_strangers(moment, sheet):
            sheet.withdraw(LAYER, moment.now)
            self.next_swell = moment.now
        if "tempo_bpm" in changed:
            self._reach_the_end(moment, sheet)

    def _reach_the_end(self, moment: Moment, sheet: Manuscript) -> None:
        """A slower tempo puts the section's end off: another swell leads there where the last one would not."""
        ends = [note.onset_frames + note.duration_frames for note in sheet.sounding(LAYER, moment.now)]
        held_until = max(ends, default=moment.now)
        if self.next_swell > held_until and moment.section_end - held_until > seconds(LONGEST_PAUSE_SECONDS):
            self.next_swell = max(moment.now, held_until - seconds(OVERLAP_SECONDS))

    @staticmethod
    def _duration(moment: Moment, pitch: int, length: int) -> int:
        """``length``, a little past the section's end where the pitch still belongs, short of it where not."""
        if length < moment.frames_left():
            return length
        if pitch % 12 in (moment.next_region.classes[0], moment.next_region.classes[4]):
            return moment.frames_left() + seconds(OVERLAP_SECONDS) // 2
        return max(1, moment.frames_left() - seconds(FAREWELL_SECONDS))

    @staticmethod
    def _release_strangers(moment: Moment, sheet: Manuscript) -> bool:
        belongs = (moment.region.classes[0], moment.region.classes[4])
        strangers = [note for note in sheet.sounding(LAYER, moment.now) if note.pitch_midi % 12 not in belongs]
        for note in strangers:
            sheet.release(note, moment.now)
        tonic_sounds = any(
            note.pitch_midi % 12 == moment.region.tonic and note not in strangers
            for note in sheet.sounding(LAYER, moment.now)
        )
        return bool(strangers) or not tonic_sounds
