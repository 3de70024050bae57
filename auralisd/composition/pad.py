"""The pad: the voices of each chord, entering one after the other."""

from __future__ import annotations

from typing import Final

from auralisd.composition.manuscript import Manuscript
from auralisd.composition.moment import Moment, SoundingChord, seconds

LAYER: Final = "pad"
STAGGER_SECONDS: Final = 1.2
BREATH_STAGGER_SECONDS: Final = 8.0
"""Over how long the voices leave for a breath, and come back after it."""

FIRST_VOICE_SECONDS: Final = 0.03

_RESTRUCK_VOICES: Final = 2


def strike(
    moment: Moment,
    sheet: Manuscript,
    chord: SoundingChord,
    moving: tuple[int, ...],
    *,
    after_breath: bool,
    telling: tuple[int, ...] = (),
) -> None:
    """Sound all voices of ``chord``, the ``telling`` ones first, then ``moving`` (those that were not there before).

    They come within ``STAGGER_SECONDS``; after a breath evenly over ``BREATH_STAGGER_SECONDS``.
    """
    release(sheet, chord.onset_frames)
    stream = moment.chance.stream("pad", chord.index)
    order = sorted(stream.shuffled(chord.voicing), key=lambda pitch: (pitch not in telling, pitch not in moving))
    for place, pitch in enumerate(order):
        delay = FIRST_VOICE_SECONDS
        if after_breath:
            delay += BREATH_STAGGER_SECONDS * place / (len(order) - 1)
        elif place:
            delay = stream.uniform(0.05, STAGGER_SECONDS)
        onset = chord.onset_frames + seconds(delay)
        _voice(moment, sheet, chord, pitch, onset, stream.uniform(-0.04, 0.04), stream.uniform(-2.5, 2.5))


def lead(
    moment: Moment, sheet: Manuscript, chord: SoundingChord, moving: tuple[int, ...], *, after_breath: bool
) -> None:
    """Like ``strike``, but a voice whose pitch sounds already is held: only the others end and begin."""
    if after_breath:
        telling = tuple(pitch for pitch in chord.voicing if not moment.left.contains(pitch))
        strike(moment, sheet, chord, moving, after_breath=True, telling=telling)
        return
    sheet.withdraw(LAYER, chord.onset_frames)
    held: dict[int, int] = {}
    for note in sheet.sounding(LAYER, chord.onset_frames):
        if note.pitch_midi in chord.voicing and note.pitch_midi not in held:
            held[note.pitch_midi] = note.onset_frames + note.duration_frames
            if held[note.pitch_midi] > chord.end_frames:
                sheet.release(note, chord.end_frames)
        else:
            sheet.release(note, chord.onset_frames)
    stream = moment.chance.stream("pad", chord.index)
    order = sorted(stream.shuffled(chord.voicing), key=lambda pitch: pitch not in moving)
    for place, pitch in enumerate(order):
        delay = FIRST_VOICE_SECONDS if place == 0 else stream.uniform(0.05, STAGGER_SECONDS)
        onset = held.get(pitch, chord.onset_frames + seconds(delay))
        _voice(moment, sheet, chord, pitch, onset, stream.uniform(-0.04, 0.04), stream.uniform(-2.5, 2.5))


def leave(sheet: Manuscript, chord: SoundingChord, from_frames: int, until_frames: int) -> None:
    """Let the voices end one after the other, the top first, the bass last."""
    voices = chord.voicing[::-1]
    for place, pitch in enumerate(voices):
        at_frames = from_frames + (until_frames - from_frames) * place // (len(voices) - 1)
        for note in sheet.sounding(LAYER, at_frames):
            if note.pitch_midi == pitch:
                sheet.release(note, at_frames)


def restrike(moment: Moment, sheet: Manuscript, chord: SoundingChord) -> None:
    """Sound the upper voices once more, at the velocity that intensity now asks for."""
    stream = moment.chance.stream("pad again", chord.index, moment.now)
    upper = chord.voicing[-_RESTRUCK_VOICES:]
    for note in sheet.sounding(LAYER, moment.now):
        if note.pitch_midi in upper:
            sheet.release(note, moment.now)
    for place, pitch in enumerate(upper):
        onset = moment.now + seconds(FIRST_VOICE_SECONDS + 0.3 * place)
        _voice(moment, sheet, chord, pitch, onset, 0.0, stream.uniform(-2.5, 2.5))


def sustain(moment: Moment, sheet: Manuscript, chord: SoundingChord, from_frames: int) -> None:
    """Sound the whole chord again from ``from_frames`` to its (later) end."""
    stream = moment.chance.stream("pad sustained", chord.index)
    for pitch in chord.voicing:
        onset = from_frames + seconds(stream.uniform(0.0, 0.3))
        _voice(moment, sheet, chord, pitch, onset, -0.08, stream.uniform(-2.5, 2.5))


def release(sheet: Manuscript, at_frames: int) -> None:
    """End what sounds at ``at_frames`` and take back what has not begun."""
    sheet.withdraw(LAYER, at_frames)
    for note in sheet.sounding(LAYER, at_frames):
        sheet.release(note, at_frames)


def shorten(sheet: Manuscript, chord: SoundingChord) -> None:
    """End every voice with the chord's (earlier) end."""
    for note in sheet.sounding(LAYER, chord.end_frames):
        sheet.release(note, chord.end_frames)


def _voice(
    moment: Moment, sheet: Manuscript, chord: SoundingChord, pitch: int, onset: int, accent: float, cents: float
) -> None:
    duration = chord.end_frames - onset
    if duration <= 0:
        return
    place = chord.voicing.index(pitch)
    role = "bass" if place == 0 else "top" if place == len(chord.voicing) - 1 else "inner"
    level = 0.36 + 0.24 * moment.controls.intensity + accent
    level += {"bass": 0.04, "inner": 0.0, "top": 0.02}[role]
    sheet.note(
        layer=LAYER,
        role=role,
        onset_frames=onset,
        duration_frames=duration,
        pitch_midi=pitch,
        velocity=level,
        cents=cents,
        chord_index=chord.index,
    )
