"""The playlists of a live station, as text, and the window of segments that they show. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from auralisd.transport.hls.rendition import HLS_CODECS

SEGMENT_SECONDS: Final = 2
SHOWN_SEGMENTS: Final = 15  # half a minute: a player may begin that far back, and lose as much
MASTER: Final = "index.m3u8"
"""One codec, the best known: some players change between codecs in mid-stream, and stumble."""
MASTER_OF_ALL: Final = "all.m3u8"
"""Every codec, for players that can choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Two seconds or so of the programme, in every rendition.

    Attributes:
        sequence: its media sequence number.
        starts_unix_seconds: when its first frame was due, by the wall clock.
        discontinuity: whether it does not go on where the one before it ended.
        header: sequence number of the segment that its encoders began with; names the file of their headers.
        seconds: how long it is, by rendition.
    """

    sequence: int
    starts_unix_seconds: float
    discontinuity: bool
    header: int
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The newest segments.

    Attributes:
        next_sequence: the number of the segment to come.
        discontinuities_gone: how many marked segments have left the window since the beginning.
        segments: without a gap in their numbers, oldest first.
    """

    next_sequence: int
    discontinuities_gone: int = 0
    segments: tuple[Segment, ...] = ()

    def with_segment(self, segment: Segment) -> Window:
        """The window moved on by ``segment``."""
        segments = (*self.segments, segment)
        gone, shown = segments[:-SHOWN_SEGMENTS], segments[-SHOWN_SEGMENTS:]
        return Window(
            next_sequence=segment.sequence + 1,
            discontinuities_gone=self.discontinuities_gone + sum(one.discontinuity for one in gone),
            segments=shown,
        )

    def without_before(self, sequence: int) -> Window:
        """The window without the segments whose number is smaller."""
        gone = sum(one.discontinuity for one in self.segments if one.sequence < sequence)
        return replace(
            self,
            discontinuities_gone=self.discontinuities_gone + gone,
            segments=tuple(one for one in self.segments if one.sequence >= sequence),
        )


def header_name(rendition: str, sequence: int) -> str:
    """The file of what a decoder needs before any segment of the same encoder."""
    return f"{rendition}-head-{sequence}.mp4"


def segment_name(rendition: str, sequence: int) -> str:
    """The file of one segment."""
    return f"{rendition}-{sequence}.m4s"


def media_name(rendition: str) -> str:
    """The file of a rendition's playlist."""
    return f"{rendition}.m3u8"


def master_playlist(renditions: Iterable[str]) -> str:
    """Which renditions there are; a player begins with the first that it can play."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for name in renditions:
        codec = HLS_CODECS[name]
        lines += [
            f'#EXT-X-STREAM-INF:BANDWIDTH={codec.bandwidth_bps},CODECS="{codec.announced}"',
            media_name(name),
        ]
    return "\n".join(lines) + "\n"


def media_playlist(window: Window, rendition: str) -> str:
    """The window as players of ``rendition`` read it."""
    first = window.segments[0].sequence if window.segments else window.next_sequence
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{SEGMENT_SECONDS}",
        f"#EXT-X-MEDIA-SEQUENCE:{first}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{window.discontinuities_gone}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        *_segment_lines(window.segments, rendition),
    ]
    return "\n".join(lines) + "\n"


def _segment_lines(segments: Iterable[Segment], rendition: str) -> Iterator[str]:
    header: int | None = None
    for segment in segments:
        if segment.discontinuity:
            yield "#EXT-X-DISCONTINUITY"
        if segment.header != header:
            header = segment.header
            yield f'#EXT-X-MAP:URI="{header_name(rendition, header)}"'
        starts = datetime.fromtimestamp(segment.starts_unix_seconds, UTC).isoformat(timespec="milliseconds")
        yield f"#EXT-X-PROGRAM-DATE-TIME:{starts.replace('+00:00', 'Z')}"
        yield f"#EXTINF:{segment.seconds[rendition]:.5f},"
        yield segment_name(rendition, segment.sequence)
