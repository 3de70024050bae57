"""The score as files: the event stream as JSON lines, and notes as MIDI; whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from auralisd.errors import SoundFileError
from auralisd.score import ScoreSlice, event_lines, joined


def check_score_files(*, midi: Path | None, events: Path | None, sound: Path | None = None) -> None:
    """Refuse what ``write_score`` could not write, before hours of rendering are spent on it.

    Raises:
        SoundFileError: two of the files are one, or a folder is not there.
    """
    named = [path for path in (sound, midi, events) if path is not None and str(path) != "-"]
    for path in named:
        if path.is_dir() or not path.parent.is_dir():
            raise SoundFileError(str(path), f"cannot be written: there is no folder {path.parent}")
    for earlier, later in ((a, b) for at, a in enumerate(named) for b in named[at + 1 :]):
        if earlier.resolve() == later.resolve() and not _has_its_name_already(later):
            raise SoundFileError(str(later), "is named twice; each file needs a name of its own")


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

        with _whole_file(midi) as file:
            write_midi(score, file)


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
        file.writelines(line.encode("ascii") for line in event_lines(score))


@contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that gets its name when it is complete; a device or a pipe has its name already, and keeps it."""
    to_be_renamed = not _has_its_name_already(path)
    part = path.with_name(path.name + ".part") if to_be_renamed else path
    try:
        with part.open("wb") as file:
            yield file
        if to_be_renamed:
            part.replace(path)
    except OSError as error:
        raise SoundFileError(str(path), f"cannot be written: {error.strerror or error}") from error
    finally:
        if to_be_renamed:
            part.unlink(missing_ok=True)


def _has_its_name_already(path: Path) -> bool:
    return path.exists() and not path.is_file()
