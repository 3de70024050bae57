"""Silence as material: in some long chords the pad leaves off, and drone and room go on alone."""

from __future__ import annotations

from typing import Final

from auralisd.composition import pad, reasons
from auralisd.composition.chance import Stream
from auralisd.composition.manuscript import Manuscript
from auralisd.composition.moment import Moment, SoundingChord, seconds
from auralisd.composition.motif import SLOT_FRAMES, slot_at
from auralisd.score import Reason

BREATH_SHARE: Final = 0.7
MOST_BREATHS: Final = 0.5
"""Of all long enough chords, how many leave off before their end: this at rest, none when it is very lively."""

SHORTEST_BREATHING_SECONDS: Final = 18

_STATEMENT_SECONDS: Final = 20
"""Within so long after a breath a motif has been spoken."""
_LISTENING_SECONDS: Final = 8


def breathe(moment: Moment, sheet: Manuscript, stream: Stream, *, turned_at: int) -> None:
    """In some long chords, more of them the calmer it is, leave off after a while and let the drone be alone.

    Args:
        moment: with the chord that has just begun.
        sheet: where the leaving voices are written.
        stream: chance for this chord.
        turned_at: frame at which a control was last turned; not long after it nobody leaves off.
    """
    chord = moment.chord
    assert chord is not None
    length = chord.end_frames - chord.onset_frames
    share = min(MOST_BREATHS, BREATH_SHARE * (1.0 - 1.15 * moment.controls.intensity))
    rare = stream.fraction() >= share
    if rare or length < seconds(SHORTEST_BREATHING_SECONDS) or chord.end_frames >= moment.section_end:
        return
    if _drowns_a_motif(moment, chord):
        return
    if chord.onset_frames - turned_at < seconds(_LISTENING_SECONDS):
        return  # somebody waits to hear what a control does
    leaving = chord.onset_frames + length * 3 // 10
    gone = leaving + seconds(pad.BREATH_STAGGER_SECONDS)
    moment.breath = (chord.onset_frames, chord.end_frames)
    sheet.write(Reason(position=leaving, text=reasons.PAD_RESTS, cause=reasons.BREATH))
    sheet.write(Reason(position=chord.end_frames, text=reasons.PAD_RETURNS, cause=reasons.BREATH))
    pad.leave(sheet, chord, leaving, gone)
    for note in sheet.sounding("texture", gone):
        sheet.release(note, gone)


def end_breath(moment: Moment, sheet: Manuscript) -> None:
    """Somebody is at the controls and wants to hear: the pad comes back."""
    chord = moment.chord
    if moment.breath is not None and chord is not None and chord.onset_frames < moment.now < chord.end_frames:
        moment.breath = None
        if not sheet.sounding(pad.LAYER, moment.now):
            sheet.write(Reason(position=moment.now, text=reasons.PAD_RETURNS_FOR_YOU, cause=reasons.BREATH))
        pad.release(sheet, moment.now)
        pad.sustain(moment, sheet, chord, moment.now)
        sheet.withdraw_reasons(reasons.BREATH, moment.now)


def _drowns_a_motif(moment: Moment, chord: SoundingChord) -> bool:
    """Whether a motif would miss its turn if nobody spoke before the chord's end."""
    spoken_by = chord.end_frames + seconds(_STATEMENT_SECONDS)
    turns = {slot_at(chord.onset_frames), slot_at(chord.end_frames)} - {moment.stated_slot}
    return any(spoken_by > (slot + 1) * SLOT_FRAMES for slot in turns)
