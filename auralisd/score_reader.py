"""Reading an event stream back: what ``score.event_lines`` wrote becomes a score again."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final

from auralisd.controls import KEYS, LAYERS, MODES, Controls, merge_change
from auralisd.errors import ControlsError, EventStreamError
from auralisd.score import Bar, Chord, ControlChange, Note, ScoreSlice, Section

type _Check = tuple[str, Callable[[Any], bool]]
"""What is expected, in words, and whether a value is that."""

MOST_FRAMES: Final = 1 << 62


def _whole(low: int, high: int = MOST_FRAMES) -> _Check:
    words = f"a whole number from {low} to {high}" if high < MOST_FRAMES else f"a whole number of {low} or more"
    return words, lambda value: type(value) is int and low <= value <= high


def _number(low: float, high: float) -> _Check:
    return (
        f"a number from {low:g} to {high:g}",
        lambda value: type(value) in (int, float) and low <= value <= high,
    )


def _one_of(names: tuple[str, ...]) -> _Check:
    return f"one of {', '.join(names)}", lambda value: isinstance(value, str) and value in names


def _list(of: _Check, words: str) -> _Check:
    return words, lambda value: isinstance(value, list) and bool(value) and all(of[1](item) for item in value)


def _is_voicing(value: Any) -> bool:
    pitches = isinstance(value, list) and len(value) in (4, 5) and all(_PITCH[1](pitch) for pitch in value)
    return pitches and all(low < high for low, high in pairwise(value))


_TEXT: Final[_Check] = "a text", lambda value: isinstance(value, str)
_PITCH: Final = _whole(0, 127)

_FIELDS: Final[Mapping[str, Mapping[str, _Check]]] = MappingProxyType(
    {
        "note": {
            "onset_frames": _whole(0),
            "duration_frames": _whole(1),
            "pitch_midi": _PITCH,
            "cents": _number(-1200, 1200),
            "velocity": _number(0, 1),
            "layer": _one_of(LAYERS),
            "role": _TEXT,
            "phrase": _whole(0),
            "motif": _whole(-1),
            "chord_index": _whole(0),
        },
        "chord": {
            "index": _whole(0),
            "onset_frames": _whole(0),
            "duration_frames": _whole(0),
            "tonic": _one_of(KEYS),
            "mode": _one_of(MODES),
            "degree": _whole(1, 7),
            "quality": _TEXT,
            "voicing": ("4 or 5 MIDI pitches, low to high", lambda value: _is_voicing(value)),
        },
        "section": {
            "index": _whole(0),
            "onset_frames": _whole(0),
            "duration_frames": _whole(0),
            "archetype": _TEXT,
            "layers": _list(_one_of(LAYERS), f"a list of layers, out of {', '.join(LAYERS)}"),
        },
        "bar": {"index": _whole(0), "onset_frames": _whole(0), "tempo_bpm": _number(1, 1000)},
        "control": {
            "at_frames": _whole(0),
            "changed": ("an object of controls", lambda value: isinstance(value, dict)),
            "cause": _TEXT,
        },
    }
)
"""Per kind of event its fields; ``unpitched`` may be added to a note."""


class _Line:
    """One line, and how to complain about it."""

    def __init__(self, source: str, number: int, text: str) -> None:
        self._source = source
        self._number = number
        self._text = text

    def refused(self, expected: str, found: Any) -> EventStreamError:
        shown = found if isinstance(found, _Raw) else json.dumps(found)
        return EventStreamError(self._source, self._number, expected, _shortened(shown))

    def event(self) -> tuple[str, dict[str, Any]]:
        """Kind and checked fields."""
        try:
            event = json.loads(self._text)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            raise self.refused("a JSON object, one event a line", _Raw(self._text.strip()))
        kind = event.pop("kind", None)
        if not isinstance(kind, str) or kind not in _FIELDS:
            raise self.refused(f"kind to be one of {', '.join(_FIELDS)}", kind)
        expected = _FIELDS[kind]
        if kind == "note" and "unpitched" in event:
            expected = {**expected, "unpitched": ("true", lambda value: value is True)}
        for name, (words, fits) in expected.items():
            if name not in event:
                raise self.refused(f"{name} of a {kind}, {words}", _Raw())
            if not fits(event[name]):
                raise self.refused(f"{name} of a {kind} to be {words}", event[name])
        for name in event:
            if name not in expected:
                raise self.refused(f"a {kind} to have {', '.join(expected)} and no more", name)
        return kind, event


class _Raw(str):
    """Text to be shown as it is."""

    __slots__ = ()


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def read_events(
    lines: Iterable[str], *, source: str = "event stream", qualities: Collection[str] | None = None
) -> ScoreSlice:
    """The score that an event stream describes, one JSON object a line; blank lines are passed over.

    What the stream does not hold is made up or left empty: notes are numbered anew per layer in the
    order of the lines, chords have no name, and the piece ends with its last onset. ``score.events``
    of the result gives the same events again.

    Args:
        lines: the stream.
        source: what to call it in errors.
        qualities: the shapes a chord can have; None takes any.

    Raises:
        EventStreamError: for the first line that is not an event; it names the line and what was expected.
    """
    found: dict[str, list[Any]] = {kind: [] for kind in _FIELDS}
    counts = dict.fromkeys(LAYERS, 0)
    first, last = None, 0
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        line = _Line(source, number, text)
        kind, fields = line.event()
        onset = fields["at_frames" if kind == "control" else "onset_frames"]
        if onset < last:
            raise line.refused(f"an onset of {last} or later, for events are sorted by onset", onset)
        first, last = onset if first is None else first, onset
        if kind == "chord" and qualities is not None and fields["quality"] not in qualities:
            raise line.refused(f"quality of a chord to be one of {', '.join(qualities)}", fields["quality"])
        if kind == "control":
            _check_controls(line, fields["changed"])
        if kind == "note":
            fields["note_id"] = counts[fields["layer"]]
            counts[fields["layer"]] += 1
        found[kind].append(_MADE_OF[kind](fields))
    return ScoreSlice(
        start_frames=first or 0,
        end_frames=last + 1 if first is not None else 0,
        notes=tuple(found["note"]),
        chords=tuple(found["chord"]),
        sections=tuple(found["section"]),
        bars=tuple(found["bar"]),
        controls=tuple(found["control"]),
    )


_MADE_OF: Final[Mapping[str, Callable[[dict[str, Any]], Any]]] = MappingProxyType(
    {
        "note": lambda fields: Note(**fields),
        "chord": lambda fields: Chord(name="", **fields | {"voicing": tuple(fields["voicing"])}),
        "section": lambda fields: Section(**fields | {"layers": tuple(fields["layers"])}),
        "bar": lambda fields: Bar(**fields),
        "control": lambda fields: ControlChange(**fields),
    }
)


def _check_controls(line: _Line, changed: dict[str, Any]) -> None:
    try:
        merge_change(Controls(), changed)
    except ControlsError as error:
        raise line.refused(f"{error.field} to be {error.constraint}", error.value) from error
