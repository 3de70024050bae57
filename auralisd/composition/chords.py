"""The chord player: one harmony after the other, each planned while the one before it sounds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from auralisd.composition import pad, reasons
from auralisd.composition.arrivals import turned
from auralisd.composition.breath import breathe, end_breath
from auralisd.composition.chance import Stream
from auralisd.composition.fitting import Outlook, all_of, first_that_fits, fitting, moved, tells
from auralisd.composition.harmony import OPEN_FIFTH, Harmony
from auralisd.composition.manuscript import Manuscript
from auralisd.composition.markov import MEMORY
from auralisd.composition.moment import Moment, SoundingChord, seconds
from auralisd.composition.pitch import Region
from auralisd.composition.progression import by_richness, doorways, hinge, next_harmonies, shaped, voice_count
from auralisd.composition.voicing import WIDEST_MOTION, Voicing, leads_to, smoothest
from auralisd.score import Chord

CALM_INTENSITY: Final = 0.35
CALM_SECONDS: Final = (20, 60)
LIVELY_SECONDS: Final = (9, 30)
CHORDS_PER_SECTION: Final = 1_000  # numbers reserved per section
DOORWAY_SECONDS: Final = 2
"""How long the open fifth lasts that leads into a far key."""

_AHEAD_FRAMES: Final = 3_528  # 80 ms: a chord is decided before the first note that meets it
_SOONEST_CUT_SECONDS: Final = 1
_SHORTEST_CUT_SECONDS: Final = 4
_NOTICEABLE: Final = 0.1
_ANSWER_SECONDS: Final = 5  # within which every control is heard
_RESTRIKE_GAP_FRAMES: Final = seconds(1)
_HINGE_IN_SIGHT: Final = 4  # chords before a section's end from which the voices are led to the next one
_REACH_PER_CHORD: Final = 4
_NEVER: Final = 1 << 62


@dataclass(slots=True)
class ChordPlayer:
    """Harmony and pad.

    Attributes:
        history: degrees of the section so far.
        count: chords begun in the section.
        following: the chord after this one, None where the next section's hinge follows.
        struck_intensity: intensity at which the pad was last struck.
        struck_at: when.
        density: harmonic density the sounding chord was laid out for.
        restrike_at: when it is due again because intensity moved.
        turned_at: when a control was turned last in this section.
        asked_at: when the harmony itself was asked for something else last in this section.
        asked: by which controls.
        owes_answer: whether the pad is to be struck again for a control that nothing else shows.
        untold: the region that was left, while no chord has held a tone that it lacked.
    """

    history: tuple[int, ...] = ()
    count: int = 0
    following: tuple[Harmony, Voicing] | None = None
    struck_intensity: float = 0.0
    struck_at: int = 0
    density: float = 0.0
    restrike_at: int = _NEVER
    turned_at: int = -_NEVER
    asked_at: int = -_NEVER
    asked: frozenset[str] = frozenset()
    owes_answer: bool = False
    untold: Region | None = None

    def start_section(self, moment: Moment, sheet: Manuscript) -> None:
        """Open with the hinge chord, from a clean slate."""
        self.history, self.count = (), 0
        self.turned_at, self.asked_at, self.owes_answer, self.untold = -_NEVER, -_NEVER, False, None
        moment.chord = moment.previous_chord = moment.breath = None
        moment.stated_slot = -1
        pad.release(sheet, moment.now)
        chosen, voicing = hinge(moment.chance, moment.section, moment.region, moment.controls)
        self._begin(moment, sheet, moment.now, chosen, voicing)
        self._plan(moment)

    def wake_frames(self, moment: Moment) -> int:
        """Just before the next chord, or when the pad is due to be struck anew."""
        assert moment.chord is not None
        return max(moment.now, min(moment.chord.end_frames - _AHEAD_FRAMES, self.restrike_at))

    def act(self, moment: Moment, sheet: Manuscript) -> None:
        """Strike the pad anew, or begin the next chord."""
        chord = moment.chord
        assert chord is not None
        if self.restrike_at <= moment.now < chord.end_frames - _AHEAD_FRAMES:
            pad.restrike(moment, sheet, chord)
            self._struck(moment)
            self.owes_answer = False
        elif self.following is None or moment.section_end - chord.end_frames < seconds(_SHORTEST_CUT_SECONDS):
            self._last_until_section_end(moment, sheet, chord)
        else:
            returning = moment.breath is not None
            self._begin(moment, sheet, chord.end_frames, *self.following)
            if not returning:  # voices that only just came back stay for a while
                breathe(moment, sheet, self._stream("breath", moment), turned_at=self.turned_at)
            self._plan(moment)

    def on_change(self, changed: frozenset[str], moment: Moment, sheet: Manuscript) -> None:
        """Follow the controls; a new region was entered already, with all of them in mind."""
        if changed == {"night"}:
            return
        self.turned_at = moment.now
        if changed & {"key", "mode"} and moment.left != moment.region:
            self._find_the_way_on(moment, sheet)
            return
        end_breath(moment, sheet)
        soonest = moment.now + seconds(_SOONEST_CUT_SECONDS)
        sounding, planned = moment.chord, self.following
        assert sounding is not None
        asked_anew = bool(changed & {"harmonic_density", "chord_variety"})
        if asked_anew:
            self.owes_answer |= self._overtakes(moment) and not self.asked <= changed
            self.asked_at, self.asked = moment.now, changed & {"harmonic_density", "chord_variety"}
        answered = "melody_complexity" not in changed or moment.phrase_follows(moment.now)
        if "harmonic_density" in changed:
            answered &= self._revoice(moment, sheet) or self._bring_forward(moment, sheet, soonest)
        if "chord_variety" in changed:
            answered &= self._bring_forward(moment, sheet, soonest)
        if "intensity" in changed:
            self._follow_intensity(moment, sheet)
            if moment.controls.intensity != self.struck_intensity:
                self.restrike_at = max(moment.now, self.struck_at + _RESTRIKE_GAP_FRAMES)
        self._find_the_way_on(moment, sheet, anew=asked_anew)
        if asked_anew and moment.chord is sounding and self.following == planned:
            answered = False  # the harmony goes on as it would have in any case
        if self.untold is not None:
            self._tell_soon(moment, sheet, self.untold)
        if not answered:  # nothing else shows it soon: the pad does, struck once more
            self.restrike_at, self.owes_answer = moment.now, True

    def enter_region(self, left: Region, moment: Moment, sheet: Manuscript) -> int:
        """Lead the voices into ``moment.region`` now; returns how many of them move.

        In a new mode on the same tonic only the voices that left it move; where none did, the next chord
        comes soon. A key at most a fifth away is entered by common tones, a farther one through an open fifth.
        """
        heard = self._heard(moment)
        previous = heard.voicing
        self.history, self.untold = (), None
        if self._overtakes(moment):
            self.owes_answer = True
        led = self._in_a_new_mode(moment, left, heard) if left.tonic == moment.region.tonic else None
        if led is not None:
            self._begin(moment, sheet, moment.now, *led, led=True)
            assert moment.chord is not None
            if not tells(left, moment.region, led[1]):
                self.untold = left
                self._tell_soon(moment, sheet, left, heard.onset_frames)
                return moved(previous, led[1])
        else:
            drawn = voice_count(moment.controls, self._stream("voices on arrival", moment))
            choices = doorways(moment.region, left, previous)
            chosen, voicing = first_that_fits(
                choices, previous, self._outlook(moment, moment.now, drawn), most_tries=len(choices)
            )
            self._begin(moment, sheet, moment.now, chosen, voicing, led=True)
            assert moment.chord is not None
            if chosen.quality == OPEN_FIFTH:
                self._bring_forward(moment, sheet, moment.now + seconds(DOORWAY_SECONDS), DOORWAY_SECONDS)
                by_tones = by_richness(moment.region, 1, fullest_first=False)
                by_tones.sort(key=lambda chord: all(left.contains(pitch_class) for pitch_class in chord.classes))
                tonics = [*by_tones, *doorways(moment.region, left, voicing)]
                outlook = self._outlook(moment, moment.chord.end_frames, len(voicing))
                self.following = first_that_fits(tonics, voicing, outlook, most_tries=len(tonics))
                return moved(previous, voicing)
        self._plan(moment)
        return moved(previous, moment.chord.voicing)

    def _overtakes(self, moment: Moment) -> bool:
        """Whether the harmony was asked for something else just before, and no chord has answered yet."""
        assert moment.chord is not None
        return moment.now - self.asked_at < seconds(_ANSWER_SECONDS) and moment.chord.onset_frames < self.asked_at

    def _in_a_new_mode(self, moment: Moment, left: Region, heard: SoundingChord) -> tuple[Harmony, Voicing] | None:
        """The sounding chord turned into the new mode; None where that cannot be, or would not be heard in time."""
        outlook = self._outlook(moment, moment.now, len(heard.voicing))
        toward = outlook.toward if outlook.reach <= WIDEST_MOTION else None
        led = turned(heard.harmony, heard.voicing, moment.region, toward)
        in_time = moment.section_end - moment.now >= seconds(_SOONEST_CUT_SECONDS + _SHORTEST_CUT_SECONDS)
        if led is not None and (in_time or tells(left, moment.region, led[1])):
            return led
        return None

    def _tell_soon(self, moment: Moment, sheet: Manuscript, left: Region, heard_since: int = -_NEVER) -> None:
        """No voice took a tone the old mode lacked: let the next chord bring one, within five seconds."""
        assert moment.chord is not None
        soonest = moment.now + seconds(_SOONEST_CUT_SECONDS)
        latest = moment.now + seconds(_SHORTEST_CUT_SECONDS)
        end = min(max(soonest, heard_since + seconds(_SHORTEST_CUT_SECONDS)), latest)
        if moment.section_end - end < seconds(_SHORTEST_CUT_SECONDS):
            end = soonest
        self._bring_forward(moment, sheet, end, _SOONEST_CUT_SECONDS)
        voicing = moment.chord.voicing
        outlook = self._outlook(moment, moment.chord.end_frames, len(voicing))
        self.following = fitting(
            doorways(moment.region, left, voicing),
            voicing,
            outlook,
            lambda placed: tells(left, moment.region, placed),
        )
        if self.following is None:
            self._plan(moment)

    @staticmethod
    def _heard(moment: Moment) -> SoundingChord:
        """The chord that sounds, which is not yet the newest one in the moment before that begins."""
        assert moment.chord is not None
        if moment.chord.onset_frames >= moment.now and moment.previous_chord is not None:
            return moment.previous_chord
        return moment.chord

    def _stream(self, topic: str, moment: Moment) -> Stream:
        return moment.chance.stream(topic, moment.section.index, self.count)

    @staticmethod
    def _span(moment: Moment) -> tuple[int, int]:
        return CALM_SECONDS if moment.controls.intensity <= CALM_INTENSITY else LIVELY_SECONDS

    def _begin(
        self,
        moment: Moment,
        sheet: Manuscript,
        onset: int,
        chosen: Harmony,
        voicing: Voicing,
        *,
        led: bool = False,
    ) -> None:
        """Begin a chord; ``led`` into a new region its common tones are held rather than struck again."""
        self.history = (*self.history, chosen.degree)[-MEMORY:]
        chord = SoundingChord(
            index=moment.section.index * CHORDS_PER_SECTION + self.count,
            harmony=chosen,
            voicing=voicing,
            onset_frames=onset,
            end_frames=self._end(moment, onset),
        )
        self.count += 1
        before = moment.chord
        if before is not None and before.onset_frames >= onset:
            sheet.withdraw_chords(onset)  # decided, but a change came before it began
            before = moment.previous_chord
        moment.previous_chord, moment.chord = before, chord
        sheet.write(_written(chord))
        heard = before.voicing if before is not None else ()
        moving = tuple(pitch for pitch in voicing if pitch not in heard)
        play = pad.lead if led else pad.strike
        play(moment, sheet, chord, moving, after_breath=moment.breath is not None)
        if moment.breath is not None and onset < moment.breath[1]:
            sheet.withdraw_reasons(reasons.BREATH, onset)  # a control was quicker than its end
        moment.breath = None
        if self.untold is not None and tells(self.untold, moment.region, voicing):
            self.untold = None
        self._struck(moment)
        if self.owes_answer:  # the chord was quicker than the answer to a control
            self.restrike_at = onset + _RESTRIKE_GAP_FRAMES
        self.density = moment.controls.harmonic_density

    def _struck(self, moment: Moment) -> None:
        self.struck_intensity, self.struck_at, self.restrike_at = moment.controls.intensity, moment.now, _NEVER

    def _end(self, moment: Moment, onset: int) -> int:
        """Where a chord that begins at ``onset`` ends: on a bar line, or with the section."""
        shortest, longest = (seconds(bound) for bound in self._span(moment))
        bar = moment.clock.bar_frames(onset)
        left = moment.section_end - onset
        stream = self._stream("chord length", moment)
        length = shortest + int((longest - bar - shortest) * stream.fraction() * (0.4 + 0.6 * stream.fraction()))
        if left - length < shortest + bar:
            if left <= longest:
                return moment.section_end
            length = left // 2
        return moment.clock.bar_line_from(onset + length)

    def _plan(self, moment: Moment) -> None:
        """Decide on the chord after the sounding one; before a hinge, within its reach."""
        chord = moment.chord
        assert chord is not None
        if chord.end_frames >= moment.section_end:
            self.following = None
            return
        drawn = voice_count(moment.controls, moment.chance.stream("voices", moment.section.index, self.count // 3))
        choices = next_harmonies(moment, self.history, chord.voicing, self._stream("progression", moment))
        self.following = first_that_fits(choices, chord.voicing, self._outlook(moment, chord.end_frames, drawn))

    def _find_the_way_on(self, moment: Moment, sheet: Manuscript, *, anew: bool = False) -> None:
        """After a change: see that the chord that follows can follow, and that the next section can be reached."""
        chord = moment.chord
        assert chord is not None
        if chord.end_frames < moment.section_end:
            outlook = self._outlook(moment, chord.end_frames, len(chord.voicing))
            arriving = chord.harmony.quality == OPEN_FIFTH
            kept = self.following is not None and outlook.allows(self.following[1]) and (arriving or not anew)
            if not kept:
                self._plan(moment)
            return
        self.following = None
        _, opening = self._next_hinge(moment)
        if leads_to(chord.voicing, opening):
            return
        heard = self._heard(moment)
        choices = next_harmonies(moment, self.history, heard.voicing, self._stream("bridge", moment))
        bridge = fitting(all_of(choices, moment.region), heard.voicing, self._outlook(moment, moment.now, 0))
        if bridge is not None:
            self._begin(moment, sheet, moment.now, *bridge)

    @staticmethod
    def _next_hinge(moment: Moment) -> tuple[Harmony, Voicing]:
        following = moment.form.following(moment.section.index)
        return hinge(moment.chance, following, moment.next_region, moment.controls)

    def _outlook(self, moment: Moment, onset: int, voices: int) -> Outlook:
        """What a chord that begins at ``onset`` must reckon with: near the section's end, the next one's hinge."""
        assert moment.chord is not None
        after = moment.chord.harmony if onset > moment.now else self._heard(moment).harmony
        chords_left = -(-(moment.section_end - onset) // seconds(self._span(moment)[1]))
        if chords_left > _HINGE_IN_SIGHT:
            return Outlook(voices=voices, after=after)
        harmony, voicing = self._next_hinge(moment)
        reach = WIDEST_MOTION + _REACH_PER_CHORD * max(0, chords_left - 1)
        return Outlook(voices=len(voicing), toward=voicing, reach=reach, after=after, before=harmony)

    def _last_until_section_end(self, moment: Moment, sheet: Manuscript, chord: SoundingChord) -> None:
        """A tempo change moved the section's end a little: the chord goes on until then."""
        prolonged = replace(chord, end_frames=max(moment.section_end, chord.end_frames + _AHEAD_FRAMES + 1))
        moment.chord = prolonged
        self.following = None
        pad.sustain(moment, sheet, prolonged, chord.end_frames)

    def _revoice(self, moment: Moment, sheet: Manuscript) -> bool:
        """More or fewer voices for the sounding degree, a fuller or a barer shape, at once; False if there is none."""
        chord, heard = moment.chord, self._heard(moment).voicing
        assert chord is not None
        fuller = moment.controls.harmonic_density > self.density
        noticeable = abs(moment.controls.harmonic_density - self.density) >= _NOTICEABLE
        stream = self._stream("density", moment)
        degree = chord.harmony.degree
        choices = [
            (
                shaped(moment.region, degree, moment.controls, stream, heard),
                voice_count(moment.controls, stream),
            )
        ]
        if noticeable:
            choices += [(choice, 5 if fuller else 4) for choice in by_richness(moment.region, degree, fuller)]
        outlook = self._outlook(moment, moment.now, 0)
        for chosen, voices in choices:
            voicing = smoothest(chosen, outlook.voices or voices, heard, toward=outlook.toward, reach=outlook.reach)
            if voicing is not None and (chosen.quality, voicing) != (chord.harmony.quality, chord.voicing):
                self.history = self.history[:-1]
                self._begin(moment, sheet, moment.now, chosen, voicing)
                return True
        return False

    @staticmethod
    def _bring_forward(
        moment: Moment, sheet: Manuscript, end_frames: int, shortest_seconds: int = _SHORTEST_CUT_SECONDS
    ) -> bool:
        """Let the sounding chord end at ``end_frames``, or when it was heard for a while, if that is earlier."""
        chord = moment.chord
        assert chord is not None
        end = max(end_frames, chord.onset_frames + seconds(shortest_seconds), moment.now + _AHEAD_FRAMES + 1)
        if end >= chord.end_frames or moment.section_end - end < seconds(_SHORTEST_CUT_SECONDS):
            return False
        moment.chord = replace(chord, end_frames=end)
        pad.shorten(sheet, moment.chord)
        return True

    def _follow_intensity(self, moment: Moment, sheet: Manuscript) -> None:
        chord = moment.chord
        assert chord is not None
        shortest, longest = (seconds(bound) for bound in self._span(moment))
        no_room = 0 < moment.section_end - chord.end_frames < shortest
        if no_room and moment.section_end - chord.onset_frames <= longest:
            self._last_until_section_end(moment, sheet, chord)  # calm now: no short one after it
        elif chord.end_frames - chord.onset_frames > longest:
            soonest = moment.now + seconds(_SOONEST_CUT_SECONDS)
            self._bring_forward(moment, sheet, max(soonest, chord.onset_frames + longest // 2))


def _written(chord: SoundingChord) -> Chord:
    place = chord.harmony.region
    return Chord(
        index=chord.index,
        onset_frames=chord.onset_frames,
        duration_frames=chord.end_frames - chord.onset_frames,
        tonic=place.tonic_name,
        mode=place.mode,
        degree=chord.harmony.degree,
        quality=chord.harmony.quality,
        voicing=chord.voicing,
        name=chord.harmony.name,
    )
