"""A piece: one seed, one controls log, and the composer that reads them.

The piece counts its own frames from 0; the station knows where in the programme that was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from auralisd.composition import Composer, reasons
from auralisd.controls import Controls
from auralisd.daemon.control_desk import ControlDesk, split_change
from auralisd.score import Chord, Note, Reason, ScoreSlice, Section
from auralisd.units import PACKET_FRAMES, SAMPLE_RATE_HZ, ceil_to_grid

REMEMBERED_FRAMES = 180 * SAMPLE_RATE_HZ  # longer than any note: the drone swells for three minutes
REASONS_KEPT = 200


class Piece:
    """Composes on demand and remembers what may still sound.

    Attributes:
        seed: what the music is drawn from.
        desk: the controls and their log.
        is_on_disk: whether the state file knows of this piece, rather than of the one before it.
    """

    def __init__(self, *, seed: int, desk: ControlDesk, is_on_disk: bool = False) -> None:
        """Begin; nothing is composed before ``go_to``."""
        self.seed = seed
        self.desk = desk
        self.is_on_disk = is_on_disk
        self.reasons: deque[Reason] = deque(maxlen=REASONS_KEPT)
        self._composer: Composer | None = None
        self._handed_over: deque[ScoreSlice] = deque()

    @property
    def composed_until(self) -> int:
        """First frame that is not yet handed out."""
        return self._composer.position if self._composer is not None else 0

    @property
    def controls(self) -> Controls:
        """The controls now."""
        return self.desk.controls

    def go_to(self, position: int) -> None:
        """Set the composer to ``position``, with what still sounds there remembered."""
        self._composer = Composer(
            seed=self.seed, controls=self.desk.start, log=tuple(self.desk.log), start_frames=position
        )
        self._handed_over.clear()
        chord, _, section = self._composer.sounding(position)
        held = replace(
            self._composer.held(),
            chords=(chord,) if chord is not None and chord.onset_frames < position else (),
            sections=(section,) if section is not None and section.onset_frames < position else (),
        )
        self._remember(held)
        told = max((reason.position for reason in self.reasons), default=-1)
        self.reasons.extend(reason for reason in self._composer.lately() if reason.position > told)

    def rest(self) -> None:
        """Forget the composer: nobody listens, and the score goes on by arithmetic."""
        self._composer = None
        self._handed_over.clear()

    def next_slice(self) -> ScoreSlice:
        """Compose the next 100 ms; a composer that fails is built again where it stood."""
        if self._composer is None:
            raise RuntimeError("go_to comes before next_slice")
        position = self._composer.position
        try:
            composed = self._composer.advance(position + PACKET_FRAMES)
        except Exception:  # supervise counts it; the next try has a composer without its state
            self.go_to(position)
            raise
        self._remember(composed)
        return composed

    def still_sounding(self, position: int) -> ScoreSlice:
        """What was handed over and may sound at or after ``position``."""
        notes = tuple(note for part in self._handed_over for note in part.notes if _end(note) > position)
        releases = tuple(release for part in self._handed_over for release in part.releases)
        return ScoreSlice(start_frames=position, end_frames=self.composed_until, notes=notes, releases=releases)

    def change(self, changed: Mapping[str, Any], *, cause: str, render_edge: int) -> dict[str, int]:
        """Turn controls; answers in which frame each is heard first.

        Args:
            changed: a normalised change.
            cause: who did it.
            render_edge: the first frame the renderer has not begun.
        """
        before = self.controls.as_dict()
        score, sound = split_change(changed)
        positions = dict.fromkeys(sound, ceil_to_grid(render_edge, PACKET_FRAMES))
        if sound:
            entry = self.desk.record(sound, at_frames=ceil_to_grid(render_edge, PACKET_FRAMES), cause=cause)
            if (text := reasons.controls_chosen(cause, before, sound)) is not None:
                self.reasons.append(Reason(position=entry.at_frames, text=text, cause=cause))
        if score:
            at_frames = max(self.composed_until, render_edge)
            entry = self.desk.record(score, at_frames=at_frames, cause=cause)
            heard = self._composer.change(entry) if self._composer is not None else {}
            positions |= {name: heard.get(name, at_frames) for name in score}
        return positions

    def sounding(self, position: int) -> tuple[Chord | None, Chord | None, Section | None]:
        """Chord now, next chord, section now."""
        return self._composer.sounding(position) if self._composer is not None else (None, None, None)

    def upcoming(self, until: int) -> list[tuple[ScoreSlice, bool]]:
        """What was handed over lately and what is planned before ``until``, each with whether it is committed."""
        if self._composer is None:
            return []
        committed = [(part, True) for part in self._handed_over]
        planned = [(self._composer.plan(until), False)] if until > self._composer.position else []
        return committed + planned

    def _remember(self, composed: ScoreSlice) -> None:
        self._handed_over.append(composed)
        self.reasons.extend(composed.reasons)
        while self._handed_over and self._handed_over[0].end_frames < composed.end_frames - REMEMBERED_FRAMES:
            self._handed_over.popleft()


def _end(note: Note) -> int:
    return note.onset_frames + note.duration_frames
