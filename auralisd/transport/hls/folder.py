"""The folder of one station's HLS: every file appears whole, and what players may still ask for stays."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from auralisd.transport.hls.playlist import (
    MASTER,
    MASTER_OF_ALL,
    SHOWN_SEGMENTS,
    Segment,
    Window,
    header_name,
    master_playlist,
    media_name,
    media_playlist,
    segment_name,
)
from auralisd.transport.hls.rendition import HLS_CODECS

KEPT_BEHIND: Final = SHOWN_SEGMENTS + 5  # a player may ask for what its copy of the playlist shows
STATE: Final = "window.json"
_PART: Final = ".part"
_CODECS: Final = "|".join(HLS_CODECS)
_SERVED: Final = re.compile(
    rf"(?P<playlist>index|all|{_CODECS})\.m3u8|(?P<segment>{_CODECS})-\d{{1,18}}\.m4s|(?P<header>{_CODECS})-head-\d{{1,18}}\.mp4"
)
_NUMBERED: Final = re.compile(rf"(?:{_CODECS})-(head-)?(\d+)\.(?:mp4|m4s)")


def is_served(name: str) -> bool:
    """Whether players may ask for a file of that name."""
    return _SERVED.fullmatch(name) is not None


class HlsFolder:
    """Reads and writes one station's folder; for a worker thread.

    Attributes:
        window: what players see.
        is_new: whether nothing was ever shown in it.
    """

    def __init__(self, path: Path, renditions: tuple[str, ...], *, first_sequence: int) -> None:
        """Go on where the folder was left, or begin with ``first_sequence``.

        Segments that are not there in every rendition are forgotten; what cannot be read is begun anew.
        """
        self._path = path
        self._renditions = renditions
        self.window = self._read(first_sequence)
        self.is_new = self.window == Window(next_sequence=first_sequence)

    def write_header(self, rendition: str, sequence: int, header: bytes) -> None:
        """Write the headers of encoders that begin with segment ``sequence``.

        Raises:
            OSError: the folder cannot be written.
        """
        self._path.mkdir(parents=True, exist_ok=True)
        self._write(header_name(rendition, sequence), header)

    def write_segment(self, sequence: int, bodies: Mapping[str, bytes]) -> None:
        """Write one segment in every rendition, or in none.

        Raises:
            OSError: the folder cannot be written.
        """
        self._path.mkdir(parents=True, exist_ok=True)
        try:
            for rendition, body in bodies.items():
                self._write(segment_name(rendition, sequence), body)
        except OSError:
            for rendition in bodies:
                self._remove(segment_name(rendition, sequence))
            raise

    def show(self, segment: Segment) -> None:
        """Move the window on by ``segment``, whose files are there.

        The window is remembered before the playlists show it: after a crash between the two no number
        is given twice.

        Raises:
            OSError: the folder cannot be written; the segment is shown together with the next one.
        """
        self.window, self.is_new = self.window.with_segment(segment), False
        self._write(STATE, json.dumps(asdict(self.window), separators=(",", ":")).encode())
        for rendition in self._renditions:
            self._write(media_name(rendition), media_playlist(self.window, rendition).encode())
        for name, renditions in ((MASTER, self._renditions[:1]), (MASTER_OF_ALL, self._renditions)):
            master = master_playlist(renditions).encode()
            if self._content(name) != master:
                self._write(name, master)
        for rendition in self._renditions:
            self._remove(segment_name(rendition, self._oldest_kept() - 1))

    def sweep(self) -> None:
        """Remove what nobody can ask for any more: old segments, headers without segments, unfinished files."""
        oldest = self._oldest_kept()
        with contextlib.suppress(OSError):
            names = os.listdir(self._path)  # noqa: PTH208 - names are what is looked at
            heads = sorted({int(match[2]) for name in names if (match := _NUMBERED.fullmatch(name)) and match[1]})
            in_use = max((head for head in heads if head <= oldest), default=oldest)
            for name in names:
                match = _NUMBERED.fullmatch(name)
                too_old = match is not None and int(match[2]) < (in_use if match[1] else oldest)
                if too_old or name.endswith(_PART):
                    self._remove(name)

    def _oldest_kept(self) -> int:
        shown = self.window.segments[0].sequence if self.window.segments else self.window.next_sequence
        return shown - KEPT_BEHIND

    def _read(self, first_sequence: int) -> Window:
        try:
            window = _window_of(json.loads(self._content(STATE) or b""))
        except (ValueError, KeyError, TypeError, AttributeError):  # no such file, or not as we write it
            return Window(next_sequence=first_sequence)
        complete = window.next_sequence
        for segment in reversed(window.segments):
            if segment.sequence != complete - 1 or not self._has(segment):
                break
            complete = segment.sequence
        return window.without_before(complete)

    def _has(self, segment: Segment) -> bool:
        names = [segment_name(rendition, segment.sequence) for rendition in self._renditions]
        names += [header_name(rendition, segment.header) for rendition in self._renditions]
        return segment.seconds.keys() >= set(self._renditions) and all((self._path / name).is_file() for name in names)

    def _content(self, name: str) -> bytes | None:
        try:
            return (self._path / name).read_bytes()
        except OSError:
            return None

    def _write(self, name: str, content: bytes) -> None:
        """Put a file in its place whole, readable by whoever may see the folder."""
        part = self._path / (name + _PART)
        try:
            part.write_bytes(content)
            part.chmod(0o644)
            os.replace(part, self._path / name)  # noqa: PTH105 - said as what it is
        except OSError:
            self._remove(part.name)
            raise

    def _remove(self, name: str) -> None:
        with contextlib.suppress(OSError):
            (self._path / name).unlink(missing_ok=True)


def _window_of(kept: Mapping[str, Any]) -> Window:
    return Window(
        next_sequence=int(kept["next_sequence"]),
        discontinuities_gone=int(kept["discontinuities_gone"]),
        segments=tuple(_segment_of(one) for one in kept["segments"]),
    )


def _segment_of(kept: Mapping[str, Any]) -> Segment:
    return Segment(
        sequence=int(kept["sequence"]),
        starts_unix_seconds=float(kept["starts_unix_seconds"]),
        discontinuity=bool(kept["discontinuity"]),
        header=int(kept["header"]),
        seconds={str(name): float(seconds) for name, seconds in kept["seconds"].items()},
    )


def renditions_of(names: Iterable[str]) -> tuple[str, ...]:
    """The renditions in the order of the master playlist."""
    wanted = set(names)
    return tuple(name for name in HLS_CODECS if name in wanted)
