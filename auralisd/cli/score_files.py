"""The score as files: the event stream as JSON lines, and notes as MIDI; whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from auralisd.errors import SoundFileError
from auralisd.score import ScoreSlice, event_lines, joined


def write_score(slices: Callable[[], Iterable[ScoreSlice]], *, midi: Path | None, events: Path | None) -> None:
    """Write what was asked for; ``slices`` is called only if anything was.

    Raises:
        SoundFileError: a file cannot be written.
    """
    if midi is None and events is None:
        return
    score = joined(slices())
    if events is not None:
        write_events(score, events)
    if midi is not None:
        from auralisd.midi import write_midi

        write_midi(score, midi)


def write_events(score: ScoreSlice, path: Path) -> None:
    """Write the event stream to ``path``, or to standard output where it is ``-``.

    Raises:
        SoundFileError: the file cannot be written.
    """
    if str(path) == "-":
        sys.stdout.writelines(event_lines(score))
        sys.stdout.flush()
        return
    with _whole_file(path) as file:
        file.writelines(event_lines(score))


@contextmanager
def _whole_file(path: Path) -> Iterator[TextIO]:
    """A text file that gets its name when it is complete."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="ascii") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise SoundFileError(str(path), f"cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
