"""The melody: motifs spoken over the chords, with room to breathe between phrases.

Of all its notes 70 % are chord tones, 25 % other tones of the mode and 5 % chromatic
neighbours that resolve by a semitone. Chance alone would scatter too widely, so a quota
steers: where a note may fall either way the motif decides, and where one kind has
fallen behind, the quota does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from auralisd.composition.chance import Stream
from auralisd.composition.manuscript import Manuscript
from auralisd.composition.moment import PICKUP_FRAMES, Moment, SoundingChord, seconds
from auralisd.composition.motif import slot_at
from auralisd.composition.phrases import ROOM_SECONDS, Phrase, opened
from auralisd.composition.quota import Kind, Quota
from auralisd.units import SAMPLE_RATE_HZ

LAYER: Final = "melody"
RANGE: Final = (60, 79)
CENTRE: Final = 68
REST_SECONDS: Final = (4.3, 18.0)
"""Between phrases; a little of either bound is left to the last note's length and to timing."""

NEIGHBOUR_ROOM_SECONDS: Final = 3
"""No neighbour so near the section's end that it might miss its resolution."""

_SOON_SECONDS: Final = 1
_BROKEN_OFF_TICKS: Final = 4  # how long the last note of a phrase lasts that a control breaks off
_LEAP: Final = 5
_FIFTH: Final = 7


@dataclass(slots=True)
class MelodyPlayer:
    """One note after the other.

    Attributes:
        quota: how many notes of each kind so far in the section.
        phrase: the phrase being spoken, None while resting.
        place: how many of its notes are spoken.
        tick: where the next note, or the next phrase, begins on the beat clock.
        pitch: the last note, 0 before the first.
        before: the note before that.
        spoken: the last note as it sounded, also where the region has changed since.
        leaning: a chromatic neighbour that has sounded and the pitch it still owes, None if none has.
        phrases: phrases begun in the section.
        notes: notes decided in the section.
        resting_since: frame at which the rest began.
        broken_off: whether the phrase ends early because a control asks for another one.
    """

    quota: Quota = Quota()  # noqa: RUF009 - a frozen value
    phrase: Phrase | None = None
    place: int = 0
    tick: int = 0
    pitch: int = 0
    before: int = 0
    spoken: int = 0
    leaning: tuple[int, int] | None = None
    phrases: int = 0
    notes: int = 0
    resting_since: int = 0
    broken_off: bool = False

    def start_section(self, moment: Moment, sheet: Manuscript) -> None:
        """Take a breath, then begin."""
        stream = moment.chance.stream("melody quota", moment.section.index)
        self.quota = Quota.starting(stream)
        self.phrase, self.place, self.leaning = None, 0, None
        self.pitch = self.before = self.spoken = 0
        self.phrases = self.notes = 0
        self.broken_off = False
        for note in sheet.sounding(LAYER, moment.now):  # a slower tempo carried it past the end of its section
            sheet.release(note, moment.now)
        self.resting_since = moment.now
        self.tick = moment.clock.tick_from(moment.now + seconds(stream.uniform(4.1, 4.6)))

    def wake_frames(self, moment: Moment) -> int:
        """Just before the next note."""
        if not moment.plays(LAYER):
            return moment.section_end + SAMPLE_RATE_HZ
        return max(moment.now, moment.clock.frame_of_tick(self.tick) - PICKUP_FRAMES)

    def act(self, moment: Moment, sheet: Manuscript) -> None:
        """Speak one note; open a phrase before its first, rest after its last."""
        if self.phrase is None:
            if moment.section_end - moment.clock.frame_of_tick(self.tick) < seconds(ROOM_SECONDS):
                self.tick = moment.clock.tick_from(moment.section_end + SAMPLE_RATE_HZ)
                return
            if moment.breath is not None and moment.breathes():
                self.tick = moment.clock.tick_from(moment.breath[1] + seconds(_SOON_SECONDS))
                return
            self._open_phrase(moment)
        assert self.phrase is not None
        stream = moment.chance.stream("melody", moment.section.index, self.notes)
        self.notes += 1
        onset = moment.jittered(stream, moment.clock.frame_of_tick(self.tick))
        chord = moment.chord_at(onset)
        ticks = self.phrase.ticks[self.place]
        if self.leaning is not None:
            self._resolve(moment, sheet, onset, chord, ticks, stream)
        elif self._neighbour_fits(moment, ticks):
            self._speak_neighbour(moment, sheet, onset, chord, stream)
        else:
            self._speak(moment, sheet, onset, chord, ticks, stream)

    def on_change(self, changed: frozenset[str], moment: Moment, sheet: Manuscript) -> None:
        """Carry the motif into a new mode; speak sooner, or fall silent longer, as intensity asks."""
        if not moment.plays(LAYER):
            return
        soon = moment.clock.tick_from(moment.now + PICKUP_FRAMES)
        if changed & {"key", "mode"}:
            self._carry(moment, sheet)
        if self.leaning is not None:  # a neighbour is resolved before anything else
            if "melody_complexity" in changed:
                self._end_with_the_resolution()
            return
        if "melody_complexity" in changed and self.phrase is not None:
            self.phrase = None
            self.tick = min(self.tick, max(soon, moment.clock.tick_from(moment.now + seconds(_SOON_SECONDS))))
        hurried = {"intensity", "melody_complexity"}
        if self.resting_since <= moment.now:
            hurried |= {"key", "mode"}  # while the last note still sounds its own rest follows
        if self.phrase is None and changed & hurried:
            rest = self._rest_seconds(moment) if changed == {"intensity"} else _SOON_SECONDS
            earliest = moment.now + seconds(_SOON_SECONDS)
            rested = self.resting_since + seconds(rest)
            if "melody_complexity" in changed:
                rested = min(rested, earliest)  # not even a long last note is waited for
            due = moment.clock.tick_from(max(earliest, rested))
            self.tick = due if "intensity" in changed else min(self.tick, due)
            if "melody_complexity" in changed:
                speaks_again = moment.clock.frame_of_tick(self.tick)
                for note in sheet.sounding(LAYER, speaks_again):
                    sheet.release(note, speaks_again)
        if "tempo_bpm" in changed:
            if self.phrase is None and not changed & hurried:  # a rest lasts its time at any tempo
                self.tick = moment.clock.tick_from(self._rested(moment))
            self.tick = max(self.tick, soon)

    def _carry(self, moment: Moment, sheet: Manuscript) -> None:
        """Go on from the same degree of the new region; a neighbour that has not begun yet leans on its goal there."""

        def carried(pitch: int) -> int:
            return moment.left.carried(pitch, moment.region, RANGE)

        waiting = sheet.waiting(LAYER, moment.now)
        self.pitch = carried(self.pitch) if self.pitch else 0
        if waiting and self.leaning is None:
            self.pitch = self.spoken = waiting[-1].pitch_midi
        if self.leaning is not None and any(note.role == "neighbour" for note in waiting):
            neighbour, goal = self.leaning
            self.leaning = carried(neighbour), carried(goal)

    def _end_with_the_resolution(self) -> None:
        """Break the phrase off after its next note, and do not rest for long."""
        assert self.phrase is not None
        last = min(self.phrase.ticks[self.place], 1 + _BROKEN_OFF_TICKS)
        self.phrase = replace(
            self.phrase,
            intervals=self.phrase.intervals[: self.place + 1],
            ticks=(*self.phrase.ticks[: self.place], last),
        )
        self.broken_off = True

    # Phrases

    def _rest_seconds(self, moment: Moment) -> float:
        shortest, longest = REST_SECONDS
        draw = moment.chance.stream("rest", moment.section.index, self.phrases).fraction()
        reach = 1.0 - 0.75 * moment.density()
        return shortest + (longest - shortest) * reach * (0.3 + 0.7 * draw)

    def _open_phrase(self, moment: Moment) -> None:
        self.phrase = opened(moment, self.tick, self.phrases)
        self.phrases += 1
        self.place = 0
        moment.stated_slot = slot_at(moment.clock.frame_of_tick(self.tick))

    # Notes

    def _speak(
        self, moment: Moment, sheet: Manuscript, onset: int, chord: SoundingChord, ticks: int, stream: Stream
    ) -> None:
        assert self.phrase is not None
        answer = self._answer(moment)
        if answer is not None:
            self.quota = self.quota.counted(Kind.CHORD if answer % 12 in chord.harmony.core else Kind.SCALE)
            self._write(moment, sheet, onset, chord, answer, ticks, "phrase", stream)
            self._step_on(moment, answer, ticks)
            return
        wished = self._wished(moment, self.phrase.intervals[self.place])
        natural = Kind.CHORD if wished % 12 in chord.harmony.core else Kind.SCALE
        kind = self.quota.steered(natural)
        pitch = self._nearest(moment, chord, wished, kind)
        self.quota = self.quota.counted(kind)
        self._write(moment, sheet, onset, chord, pitch, ticks, "phrase", stream)
        self._step_on(moment, pitch, ticks)

    def _answer(self, moment: Moment) -> int | None:
        """The step that leads back from a leap over a fifth, if the last two notes of the phrase were one."""
        leap = self.pitch - self.before
        if self.place < 2 or abs(leap) <= _FIFTH:
            return None
        back = -1 if leap > 0 else 1
        return next(pitch for pitch in (self.pitch + back, self.pitch + 2 * back) if moment.region.contains(pitch))

    def _speak_neighbour(
        self, moment: Moment, sheet: Manuscript, onset: int, chord: SoundingChord, stream: Stream
    ) -> None:
        """A chromatic note for one tick, a semitone from the chord tone it leans on."""
        assert self.phrase is not None
        wished = self._wished(moment, self.phrase.intervals[self.place])
        goals = [
            (abs(goal - wished) + abs(goal - self.pitch), goal, goal + side)
            for goal in range(RANGE[0] + 1, RANGE[1])
            if goal % 12 in chord.harmony.core and abs(goal - self.pitch) <= _FIFTH
            for side in (-1, 1)
            if not moment.region.contains(goal + side)
        ]
        if not goals:
            self._speak(moment, sheet, onset, chord, self.phrase.ticks[self.place], stream)
            return
        _, goal, neighbour = min(goals)
        self.leaning = neighbour, goal
        self.quota = self.quota.counted(Kind.NEIGHBOUR)
        self._write(moment, sheet, onset, chord, neighbour, 1, "neighbour", stream)
        self.tick += 1

    def _resolve(
        self, moment: Moment, sheet: Manuscript, onset: int, chord: SoundingChord, ticks: int, stream: Stream
    ) -> None:
        assert self.leaning is not None
        neighbour, goal = self.leaning
        self.leaning = None
        pitch = moment.region.resolution(neighbour, goal)  # the region may have changed meanwhile
        self.quota = self.quota.counted(Kind.CHORD if pitch % 12 in chord.harmony.core else Kind.SCALE)
        self._write(moment, sheet, onset, chord, pitch, ticks - 1, "phrase", stream)
        self._step_on(moment, pitch, ticks - 1)

    def _neighbour_fits(self, moment: Moment, ticks: int) -> bool:
        roomy = ticks >= 3 and self.pitch != 0 and moment.frames_left() > seconds(NEIGHBOUR_ROOM_SECONDS)
        return roomy and self.quota.owes_neighbour() and self._answer(moment) is None

    def _wished(self, moment: Moment, interval: int) -> int:
        """Where the motif wants to go, turned back at the edges and after a leap."""
        centre = CENTRE + moment.section.archetype.register_semitones
        here = self.pitch or centre
        leap = here - self.before if self.before else 0
        if abs(leap) > _LEAP:
            interval = -1 if leap > 0 else 1
        ambit = 3 + int(5 * moment.controls.melody_complexity)
        place = moment.region
        wished = place.pitch_of_step(place.step_near(here) + interval)
        if abs(wished - centre) > ambit:
            wished = place.pitch_of_step(place.step_near(here) - interval)
        if abs(wished - centre) > ambit:
            wished = place.snapped(here - 2 if here > centre else here + 2)
        return min(max(wished, RANGE[0]), RANGE[1])

    def _nearest(self, moment: Moment, chord: SoundingChord, wished: int, kind: Kind) -> int:
        """The pitch of a kind nearest to the wish, rather a step than a leap from the last."""

        def cost(pitch: int) -> tuple[int, int]:
            leap = abs(pitch - self.pitch) if self.pitch else 0
            penalty = 12 if leap > _FIFTH else 3 if leap > _LEAP - 1 else 1 if leap == 0 else 0
            return 2 * abs(pitch - wished) + penalty, pitch

        assert self.phrase is not None
        core = chord.harmony.core
        unanswered = 0 < self.place == len(self.phrase.ticks) - 1  # nothing follows that could answer a leap
        farthest = _FIFTH if unanswered else RANGE[1] - RANGE[0]
        return min(
            (
                pitch
                for pitch in range(RANGE[0], RANGE[1] + 1)
                if moment.region.contains(pitch)
                and (pitch % 12 in core) == (kind is Kind.CHORD)
                and (not self.pitch or abs(pitch - (self.spoken or self.pitch)) <= farthest)
            ),
            key=cost,
        )

    def _write(
        self,
        moment: Moment,
        sheet: Manuscript,
        onset: int,
        chord: SoundingChord,
        pitch: int,
        ticks: int,
        role: str,
        stream: Stream,
    ) -> None:
        assert self.phrase is not None
        span = moment.clock.frame_of_tick(self.tick + ticks) - moment.clock.frame_of_tick(self.tick)
        lighter = 0.1 * (moment.controls.melody_complexity - 0.5)  # what moves more is spoken less legato
        duration = int(span * (0.9 if role == "neighbour" else stream.uniform(0.85, 1.05) - lighter))
        if self.place == len(self.phrase.ticks) - 1 and role == "phrase":
            duration = span - seconds(stream.uniform(0.05, 0.3))  # so that the rest after it is one
        if not moment.next_region.contains(pitch):
            duration = min(duration, moment.section_end - onset)
        arch = 0.06 if 0 < self.place < len(self.phrase.ticks) - 1 else 0.0
        level = 0.3 + 0.22 * moment.density() + arch + stream.uniform(-0.06, 0.06)
        sheet.note(
            layer=LAYER,
            role=role,
            onset_frames=onset,
            duration_frames=duration,
            pitch_midi=pitch,
            velocity=level - 0.06 if role == "neighbour" else level,
            cents=stream.uniform(-3.0, 3.0),
            phrase=self.phrase.number,
            motif=self.phrase.motif,
            chord_index=chord.index,
        )

    def _step_on(self, moment: Moment, pitch: int, ticks: int) -> None:
        assert self.phrase is not None
        self.before = self.spoken or self.pitch
        self.pitch = self.spoken = pitch
        self.tick += ticks
        self.place += 1
        if self.place == len(self.phrase.ticks):
            self.phrase = None
            self.resting_since = moment.clock.frame_of_tick(self.tick)
            self.tick = moment.clock.tick_from(self._rested(moment))
            self.broken_off = False

    def _rested(self, moment: Moment) -> int:
        """When to speak again; sooner where a phrase would otherwise find no room before the section's end."""
        if self.broken_off:
            return self.resting_since + seconds(_SOON_SECONDS)
        latest = moment.section_end - seconds(ROOM_SECONDS + 0.5)
        due = self.resting_since + seconds(self._rest_seconds(moment))
        return due if due <= latest else max(latest, self.resting_since + seconds(REST_SECONDS[0]))
