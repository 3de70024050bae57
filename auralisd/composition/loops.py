"""Loops of unrelated lengths that drift against each other, after Eno's tape loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from auralisd.composition.chance import Stream
from auralisd.composition.manuscript import Manuscript
from auralisd.composition.moment import Moment, seconds
from auralisd.units import SAMPLE_RATE_HZ

LAYER: Final = "loops"
RANGE: Final = (57, 74)
PERIOD_FRAMES: Final = tuple(tenths * SAMPLE_RATE_HZ // 10 for tenths in (173, 227, 291, 367, 409))
"""Pairwise incommensurate within an eight-hour day: no two loops ever meet in the same way twice."""

PROBABILITY: Final = (0.85, 0.75, 0.7, 0.65, 0.8)
_STEPS: Final = (0, 4, 1, 2, 5)  # each loop's own scale degree, from the tonic
_REST: Final = 1 << 62


@dataclass(slots=True)
class LoopsPlayer:
    """Five loops, each due whenever its period comes round.

    Attributes:
        turns: per loop, the number of its next turn since the start of the piece.
        answer_at: when a loop plays out of turn, because a control was moved that the melody would have answered.
    """

    turns: tuple[int, ...] = (0,) * len(PERIOD_FRAMES)
    answer_at: int = _REST

    def start_section(self, moment: Moment, sheet: Manuscript) -> None:  # noqa: ARG002 - the players' contract
        """Join each loop where it is."""
        self.answer_at = _REST
        self.turns = tuple(
            -(-(moment.now - _phase(moment, loop)) // period) for loop, period in enumerate(PERIOD_FRAMES)
        )

    def wake_frames(self, moment: Moment) -> int:
        """When the next loop comes round."""
        if not moment.plays(LAYER):
            return _REST
        return max(moment.now, min(self.answer_at, *(self._due(moment, loop) for loop in range(len(PERIOD_FRAMES)))))

    def act(self, moment: Moment, sheet: Manuscript) -> None:
        """Play the loop that is due, unless it rests this time."""
        loop = min(range(len(PERIOD_FRAMES)), key=lambda index: self._due(moment, index))
        turn = self.turns[loop]
        if self.answer_at <= moment.now:
            self.answer_at = _REST
            self._play(moment, sheet, loop, moment.chance.stream("loop answer", loop, turn))
            return
        self.turns = (*self.turns[:loop], turn + 1, *self.turns[loop + 1 :])
        stream = moment.chance.stream("loop", loop, turn)
        share = PROBABILITY[loop] * min(1.0, 0.25 + 1.3 * moment.density())
        if stream.fraction() < share and not moment.breathes() and not moment.hushed("loop", loop, turn):
            self._play(moment, sheet, loop, stream)

    def on_change(self, changed: frozenset[str], moment: Moment, sheet: Manuscript) -> None:  # noqa: ARG002
        """A loop reads region and intensity when it comes round; for an absent melody one answers at once."""
        if "melody_complexity" in changed and not moment.plays("melody"):
            self.answer_at = moment.now + SAMPLE_RATE_HZ

    def _play(self, moment: Moment, sheet: Manuscript, loop: int, stream: Stream) -> None:
        notes = 1 + (moment.controls.melody_complexity > 0.35) + (moment.controls.melody_complexity > 0.75)
        onset = moment.now
        shape = moment.chance.stream("loop shape", loop, moment.section.cycle)
        anchor = RANGE[0] + 4 + shape.between(0, 6)
        for _ in range(notes):
            step = moment.region.step_near(anchor) // 7 * 7 + _STEPS[loop] + shape.between(-1, 2)
            self._write(moment, sheet, moment.region.pitch_of_step(step), onset, loop, stream.uniform(-0.05, 0.05))
            onset += seconds(shape.uniform(1.1, 2.9))
            if onset > moment.section_end - SAMPLE_RATE_HZ:
                return

    def _due(self, moment: Moment, loop: int) -> int:
        return _phase(moment, loop) + self.turns[loop] * PERIOD_FRAMES[loop]

    @staticmethod
    def _write(moment: Moment, sheet: Manuscript, wished: int, onset: int, loop: int, accent: float) -> None:
        chord = moment.chord_at(onset)
        # A loop lights up a voice of the chord rather than adding to it.
        voices = [pitch for pitch in chord.voicing if RANGE[0] <= pitch <= RANGE[1]]
        others = [pitch for pitch in range(RANGE[0], RANGE[1] + 1) if pitch % 12 in chord.harmony.classes]
        pitch = min(voices or others, key=lambda pitch: (abs(pitch - wished), pitch))
        duration = seconds(4.5 + loop)
        if not moment.next_region.contains(pitch):
            duration = min(duration, moment.section_end - onset)
        sheet.note(
            layer=LAYER,
            role="loop",
            onset_frames=onset,
            duration_frames=duration,
            pitch_midi=pitch,
            velocity=0.3 + 0.12 * moment.density() + accent,
            phrase=loop,
            chord_index=chord.index,
        )


def _phase(moment: Moment, loop: int) -> int:
    return moment.chance.stream("loop phase", loop).below(PERIOD_FRAMES[loop])
