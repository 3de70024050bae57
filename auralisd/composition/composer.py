"""The composer: an ensemble of players, a form, and a controls log, handed out slice by slice."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from auralisd.composition import reasons
from auralisd.composition.bars import BarPlayer
from auralisd.composition.beat_clock import BeatClock
from auralisd.composition.bells import BellPlayer
from auralisd.composition.chance import Chance
from auralisd.composition.chords import ChordPlayer
from auralisd.composition.control_effects import Effect, EffectQueue
from auralisd.composition.drone import DronePlayer
from auralisd.composition.form import Form, SectionPlan
from auralisd.composition.harmony import OPEN_FIFTH
from auralisd.composition.loops import LoopsPlayer
from auralisd.composition.manuscript import Manuscript
from auralisd.composition.melody import MelodyPlayer
from auralisd.composition.moment import Moment, Player
from auralisd.composition.percussion import PercussionPlayer
from auralisd.composition.pitch import Region, region
from auralisd.composition.quotes import QuotePlayer
from auralisd.composition.remapping import carry_over
from auralisd.composition.slices import end_to_end, within
from auralisd.composition.texture import TexturePlayer
from auralisd.controls import SCORE_CONTROLS, Controls
from auralisd.errors import ScoreError
from auralisd.night import Night
from auralisd.score import Chord, ControlChange, Note, Reason, ScoreSlice, Section
from auralisd.units import SAMPLE_RATE_HZ

LONGEST_BAR_FRAMES: Final = 6 * SAMPLE_RATE_HZ  # four beats at 40 bpm
SETTLED_HOME_FRAMES: Final = 240 * SAMPLE_RATE_HZ
"""After a change of key or mode no section leaves the new home sooner than this."""

_FORESIGHT_SECONDS: Final = 75  # longer than any chord
_STEP_FRAMES: Final = 30 * SAMPLE_RATE_HZ  # what waits on the manuscript at a time
_KEPT_FRAMES: Final = 600 * SAMPLE_RATE_HZ  # how far back ``sounding`` can look
_REASONS_KEPT: Final = 20
_NEVER: Final = 1 << 62


class Composer:
    """Endless music as a function of seed, controls log and time.

    The composer is a simulation of players who each know when they want to act next. It
    takes them in order of time, so that neither the size of the slices asked for nor the
    moment at which a change becomes known can alter the music. Every section begins from
    what arithmetic gives, and that is where a start in the middle begins too.

    Attributes:
        position: the first frame not yet handed out.
    """

    def __init__(
        self,
        *,
        seed: int,
        controls: Controls = Controls(),  # noqa: B008 - a frozen value
        log: Sequence[ControlChange] = (),
        start_frames: int = 0,
    ) -> None:
        """Be ready at ``start_frames``; ``controls`` hold at frame 0, ``log`` is sorted by ``at_frames``.

        Raises:
            ScoreError: if the log is not sorted or ``start_frames`` is negative.
        """
        if start_frames < 0 or any(later.at_frames < earlier.at_frames for earlier, later in pairwise(log)):
            raise ScoreError("a piece starts at frame 0 or later, from a log sorted by at_frames")
        self.position = 0
        self._home_since = -_NEVER
        self._players: tuple[Player, ...] = ()
        self._chords = ChordPlayer()
        self._sheet = Manuscript()
        self._effects = EffectQueue(controls)
        self._ahead: Composer | None = None
        self._foreseen: Chord | None = None  # the next chord of the plan, while nothing is changed
        self._ahead_slices: deque[ScoreSlice] = deque()
        self._past_chords: deque[Chord] = deque()
        self._past_sections: deque[Section] = deque()
        self._past_reasons: deque[Reason] = deque(maxlen=_REASONS_KEPT)
        self._sound = {name: value for name, value in controls.as_dict().items() if name not in SCORE_CONTROLS}
        chance = Chance(seed)
        form = Form(chance)
        first = self._entry(form, start_frames)
        self._moment = _opening(chance, form, controls, first)
        self._next_section = first
        for change in log:
            self._effects.log(change)
            self._turn_sound(change, told=change.at_frames >= start_frames)
            if change.at_frames >= start_frames:
                self._sheet.write(change)
        self._enter(first, start_frames)

    # -- what the daemon asks -----------------------------------------------------------------

    def advance(self, until_frames: int) -> ScoreSlice:
        """Everything with ``position <= onset < until_frames``; how it is sliced does not change the music.

        Raises:
            ScoreError: if ``until_frames`` lies before ``position``.
        """
        if until_frames < self.position:
            raise ScoreError(f"the music is at frame {self.position} already, {until_frames} has passed")
        parts: list[ScoreSlice] = []
        while not parts or self.position < until_frames:
            step = min(until_frames, self.position + _STEP_FRAMES)
            self._compose(step)
            parts.append(self._sheet.take(self.position, step))
            self.position = step
            self._remember(parts[-1])
        return parts[0] if len(parts) == 1 else end_to_end(parts)

    def change(self, change: ControlChange) -> dict[str, int]:
        """Take in an entry of the log and tell at which frame each of its score controls is heard.

        Raises:
            ScoreError: if it lies before ``position``, whose music has been handed out.
        """
        if change.at_frames < self.position:
            raise ScoreError(f"a change at frame {change.at_frames} comes too late: {self.position} is handed out")
        acts = self._effects.log(change)
        self._turn_sound(change, told=True)
        self._sheet.write(change)
        self._ahead = self._foreseen = None
        self._ahead_slices.clear()
        return {name: self._heard(name, at_frames) for name, at_frames in acts.items()}

    def plan(self, until_frames: int) -> ScoreSlice:
        """The future from ``position`` on as it will be if nothing is changed; nothing is committed."""
        if self._ahead is None:
            self._ahead = self._fork()
        if until_frames > self._ahead.position:
            self._ahead_slices.append(self._ahead.advance(until_frames))
        while self._ahead_slices and self._ahead_slices[0].end_frames <= self.position:
            self._ahead_slices.popleft()
        return within(self._ahead_slices, self.position, max(self.position, until_frames))

    def sounding(self, at_frames: int) -> tuple[Chord | None, Chord | None, Section | None]:
        """Chord now, next chord (provisional if not handed out yet) and section now."""
        now = next((chord for chord in reversed(self._past_chords) if chord.onset_frames <= at_frames), None)
        following = next((chord for chord in self._past_chords if chord.onset_frames > at_frames), None)
        if following is None:
            if self._foreseen is None or self._foreseen.onset_frames < self.position:
                self._foreseen = self._first_ahead(self.position, lambda ahead: ahead.chords)
            following = self._foreseen
        section = next((one for one in reversed(self._past_sections) if one.onset_frames <= at_frames), None)
        return now, following, section

    def lately(self) -> tuple[Reason, ...]:
        """Why the music became what it is, since the section began or a little longer."""
        return tuple(self._past_reasons)

    def held(self) -> ScoreSlice:
        """The notes begun before ``position`` that still sound: what a renderer that starts here is handed first."""
        notes = self._sheet.held(self.position)
        return ScoreSlice(start_frames=self.position, end_frames=self.position, notes=notes)

    def _heard(self, control: str, at_frames: int) -> int:
        """When a control that acts at ``at_frames`` is heard, read off the plan: at the first event that shows it."""
        if control not in ("melody_complexity", "chord_variety", "harmonic_density"):
            return at_frames
        phrase = control == "melody_complexity" and self._moment.phrase_follows(at_frames)
        speaks = ("melody", "loops") if phrase else ("pad",)
        note = self._first_ahead(at_frames, lambda ahead: tuple(note for note in ahead.notes if note.layer in speaks))
        if note is None:
            return at_frames
        begun = self._first_ahead(at_frames, lambda ahead: ahead.chords) if speaks == ("pad",) else None
        return min(note.onset_frames, begun.onset_frames) if begun is not None else note.onset_frames

    def _first_ahead[E: (Note, Chord)](
        self, from_frames: int, among: Callable[[ScoreSlice], tuple[E, ...]]
    ) -> E | None:
        """The first event of a kind from a frame on, looking ahead no further than need be."""
        for seconds_ahead in range(5, _FORESIGHT_SECONDS + 1, 5):
            ahead = self.plan(from_frames + seconds_ahead * SAMPLE_RATE_HZ)
            found = next((event for event in among(ahead) if event.onset_frames >= from_frames), None)
            if found is not None:
                return found
        return None

    # -- the simulation -----------------------------------------------------------------------

    @staticmethod
    def _entry(form: Form, start_frames: int) -> SectionPlan:
        """The section that has begun for certain by ``start_frames``, wherever the bar lines are."""
        section = form.section_at(start_frames)
        if start_frames - section.start_frames <= LONGEST_BAR_FRAMES:
            return form.preceding(section.index) or section
        return section

    def _enter(self, first: SectionPlan, start_frames: int) -> None:
        """Take in what the log says before the section, then play it without handing out."""
        while (due := self._effects.next_frames) is not None and due < first.start_frames:
            self._take_effect(self._effects.pop())
        self.position = min(first.start_frames, start_frames)
        self.advance(start_frames)

    def _compose(self, until_frames: int) -> None:
        moment = self._moment
        while True:
            section_due = self._section_due()
            effect_due = self._effects.next_frames
            due, act = section_due, 0
            if effect_due is not None and effect_due < due:
                due, act = effect_due, 1
            player_at_work: Player | None = None
            for player in self._players:
                wake = player.wake_frames(moment)
                if wake < due:
                    due, player_at_work = wake, player
            if due >= until_frames:
                return
            moment.now = due
            if player_at_work is not None:
                player_at_work.act(moment, self._sheet)
            elif act == 1:
                self._take_effect(self._effects.pop())
            else:
                self._begin_section()

    def _section_due(self) -> int:
        return max(self._moment.now, self._moment.clock.bar_line_from(self._next_section.start_frames))

    def _begin_section(self) -> None:
        moment, sheet = self._moment, self._sheet
        section = self._next_section
        before = moment.form.preceding(section.index)
        left = moment.region if self._players else self._region_of(before) if before else moment.region
        moment.section, moment.section_start = section, moment.now
        moment.region = moment.left = self._region_of(section)
        self._next_section = moment.form.following(section.index)
        self._look_ahead()
        sheet.open_section(section.index, moment.now)
        sheet.release_strangers(moment.region, moment.now)
        sheet.write(
            Section(
                index=section.index,
                onset_frames=moment.now,
                duration_frames=moment.section_end - moment.now,
                archetype=section.archetype.name,
                layers=section.layers,
            )
        )
        text = reasons.section_began(section, before, moment.region, moved=moment.region != left)
        sheet.write(Reason(position=moment.now, text=text, cause="form"))
        if not self._players:
            self._players = self._seated()
        for player in self._players:
            player.start_section(moment, sheet)

    def _seated(self) -> tuple[Player, ...]:
        """The ensemble; who sits further left goes first when two act at one moment."""
        return (
            self._chords,
            BarPlayer(),
            DronePlayer(),
            MelodyPlayer(),
            QuotePlayer(),
            LoopsPlayer(),
            BellPlayer(),
            TexturePlayer(),
            PercussionPlayer(),
        )

    def _region_of(self, section: SectionPlan) -> Region:
        """Where a section plays under the controls in effect; a new home is not left at once."""
        home = region(self._moment.controls.tonic_pitch_class, self._moment.controls.mode)
        form, first = self._moment.form, section
        while (before := form.preceding(first.index)) is not None and before.excursion == section.excursion:
            first = before
        if first.start_frames - self._home_since < SETTLED_HOME_FRAMES:
            return home  # an excursion is made whole or not at all: half of one would be too short a stay
        return form.region_of(section, home)

    def _look_ahead(self) -> None:
        """Bring what depends on clock and controls up to date: the section's end and the region after it."""
        moment = self._moment
        moment.section_end = max(moment.now, moment.clock.bar_line_from(self._next_section.start_frames))
        moment.next_region = self._region_of(self._next_section)

    def _take_effect(self, effect: Effect) -> None:
        moment = self._moment
        before = {name: getattr(moment.controls, name) for name in SCORE_CONTROLS}
        changed = {name: value for name, value in effect.changed.items() if before[name] != value}
        if not changed:
            return
        moment.controls = replace(moment.controls, **changed)
        if "tempo_bpm" in changed:
            moment.clock = moment.clock.slewed(effect.at_frames, moment.controls.tempo_bpm)
        if changed.keys() & {"key", "mode"}:
            self._home_since = effect.at_frames
        moment.night = moment.night.turned(moment.controls.night, effect.at_frames)
        if not self._players:
            return  # the log before the section this composer starts in
        self._look_ahead()
        moment.now = effect.at_frames
        if changed.keys() & {"key", "mode"}:
            self._come_home(effect)
        others = {name: value for name, value in changed.items() if name not in ("key", "mode")}
        if others and (text := reasons.controls_chosen(effect.cause, before, others)) is not None:
            self._sheet.write(Reason(position=moment.now, text=text, cause=effect.cause))
        for player in self._players:
            player.on_change(frozenset(changed), moment, self._sheet)

    def _turn_sound(self, change: ControlChange, *, told: bool) -> None:
        """Follow the controls that the renderer hears, only to tell what became of them."""
        turned = {name: value for name, value in change.changed.items() if name in self._sound}
        if not turned:
            return
        if told and (text := reasons.controls_chosen(change.cause, self._sound, turned)) is not None:
            self._sheet.write(Reason(position=change.at_frames, text=text, cause=change.cause))
        layers = {**self._sound["layers"], **turned.get("layers", {})}
        self._sound = {**self._sound, **turned, "layers": layers}

    def _come_home(self, effect: Effect) -> None:
        """Lead everything that sounds or waits into the home region the listener chose."""
        moment, sheet = self._moment, self._sheet
        left = moment.left = moment.region
        moment.region = region(moment.controls.tonic_pitch_class, moment.controls.mode)
        voices_moved, through_open_fifth = 0, False
        if moment.region != left:
            voices_moved = self._chords.enter_region(left, moment, sheet)
            assert moment.chord is not None
            through_open_fifth, arrived_with = moment.chord.harmony.quality == OPEN_FIFTH, moment.chord.index
            carry_over(sheet, left, moment.region, arrived_with, moment.now)
            sheet.release_strangers(moment.region, moment.now)
        text = reasons.region_chosen(effect.cause, moment.region, voices_moved, through_open_fifth)
        sheet.write(Reason(position=moment.now, text=text, cause=effect.cause))

    # -- copies and memory --------------------------------------------------------------------

    def _fork(self) -> Composer:
        """A composer that goes on from here on its own."""
        twin = copy.copy(self)
        twin._moment = copy.copy(self._moment)
        twin._sheet = self._sheet.copy()
        twin._effects = self._effects.copy()
        twin._chords = copy.copy(self._chords)
        players = (twin._chords if player is self._chords else copy.copy(player) for player in self._players)
        twin._players = tuple(players)
        twin._ahead = None
        twin._ahead_slices = deque()
        twin._past_chords = deque()
        twin._past_sections = deque()
        twin._past_reasons = deque()
        return twin

    def _remember(self, piece: ScoreSlice) -> None:
        self._past_chords.extend(piece.chords)
        self._past_sections.extend(piece.sections)
        self._past_reasons.extend(piece.reasons)
        horizon = self.position - _KEPT_FRAMES
        while len(self._past_chords) > 1 and self._past_chords[1].onset_frames < horizon:
            self._past_chords.popleft()
        while len(self._past_sections) > 1 and self._past_sections[1].onset_frames < horizon:
            self._past_sections.popleft()


def _opening(chance: Chance, form: Form, controls: Controls, first: SectionPlan) -> Moment:
    """The moment before the first section a composer plays."""
    home = region(controls.tonic_pitch_class, controls.mode)
    return Moment(
        now=first.start_frames,
        chance=chance,
        form=form,
        controls=controls,
        clock=BeatClock.starting(controls.tempo_bpm),
        section=first,
        section_start=first.start_frames,
        section_end=first.end_frames,
        region=home,
        next_region=home,
        left=home,
        night=Night().turned(controls.night, 0),
    )
