"""From the programme to segments in the folder."""

from __future__ import annotations

from typing import Final

from auralisd.transport.hls.folder import HlsFolder
from auralisd.transport.hls.playlist import SEGMENT_SECONDS, Segment
from auralisd.transport.hls.rendition import Fragment, Rendition
from auralisd.units import PACKET_FRAMES, SAMPLE_RATE_HZ, frames_to_seconds

SEGMENT_FRAMES: Final = SEGMENT_SECONDS * SAMPLE_RATE_HZ
SHORTEST_SECONDS: Final = 0.5  # what is left at an end and shorter is not worth a segment


class HlsWriter:
    """Encodes the programme, cuts it every two seconds, and shows each cut once its files are there.

    A plain object for a worker thread: one call at a time, from any thread.

    Attributes:
        title: of the programme, in the headers of encoders started from now on.
    """

    def __init__(self, folder: HlsFolder, renditions: tuple[str, ...], *, title: str) -> None:
        """Begin with the next packet, whichever it is."""
        self.title = title
        self._folder = folder
        self._names = renditions
        self._renditions: dict[str, Rendition] = {}
        self._begins_at = 0  # programme frame of the encoders' first
        self._next_position: int | None = None
        self._cut_frames = 0  # how far the encoders' sound is cut
        self._cut_unix_seconds = 0.0  # when that was due
        self._broken = True  # the next segment does not go on where the last one shown ended
        self._header: int | None = None  # the segment that the encoders' headers are named after

    def take(self, position: int, pcm16: bytes, *, starts_unix_seconds: float) -> int:
        """Take the next packet; answers how many segments became visible.

        Args:
            position: programme frame of its first frame; a jump begins with new encoders.
            pcm16: interleaved int16 stereo, ``PACKET_FRAMES`` frames.
            starts_unix_seconds: when its first frame is due, by the wall clock.

        Raises:
            OSError: a segment could not be written and is left out; the next one is tried as if nothing
                had happened, and marked as a discontinuity.
            EncoderError: an encoder is broken; a new writer is needed.
        """
        shown = 0
        if position != self._next_position:
            shown += self.finish()
            self._begin(position, starts_unix_seconds)
        self._next_position = position + PACKET_FRAMES
        for rendition in self._renditions.values():
            rendition.encode(pcm16)
        cut_at = self._cut_frames + SEGMENT_FRAMES
        if self._all_reach(cut_at):
            ends_unix_seconds = starts_unix_seconds + frames_to_seconds(self._begins_at + cut_at - position)
            shown += self._cut(cut_at, ends_unix_seconds)
        return shown

    def finish(self) -> int:
        """Let the encoders go and show what they still held; answers how many segments became visible.

        Raises:
            OSError: it could not be written.
        """
        if not self._renditions:
            return 0
        renditions, self._renditions, self._next_position = self._renditions, {}, None
        for rendition in renditions.values():
            rendition.finish()
        rest = {name: rendition.cut() for name, rendition in renditions.items()}
        for rendition in renditions.values():
            rendition.close()
        fragments = {name: fragment for name, fragment in rest.items() if fragment is not None}
        if len(fragments) < len(rest) or min(one.seconds for one in fragments.values()) < SHORTEST_SECONDS:
            return 0
        return self._publish(fragments)

    def _begin(self, position: int, starts_unix_seconds: float) -> None:
        self._renditions = {name: Rendition(name, title=self.title) for name in self._names}
        self._begins_at = position
        self._cut_frames, self._cut_unix_seconds = 0, starts_unix_seconds
        self._broken, self._header = True, None
        self._folder.sweep()

    def _all_reach(self, frames: int) -> bool:
        return all(rendition.reaches(frames) for rendition in self._renditions.values())

    def _cut(self, cut_at: int, ends_unix_seconds: float) -> int:
        cuts = {name: rendition.cut(cut_at) for name, rendition in self._renditions.items()}
        try:
            return self._publish({name: fragment for name, fragment in cuts.items() if fragment is not None})
        finally:
            self._cut_frames, self._cut_unix_seconds = cut_at, ends_unix_seconds

    def _publish(self, fragments: dict[str, Fragment]) -> int:
        folder, sequence = self._folder, self._folder.window.next_sequence
        try:
            header = self._header
            if header is None:
                header = sequence
                for name, fragment in fragments.items():
                    folder.write_header(name, header, fragment.header)
            folder.write_segment(sequence, {name: fragment.body for name, fragment in fragments.items()})
        except OSError:
            self._broken = True
            raise
        self._header = header
        segment = Segment(
            sequence=sequence,
            starts_unix_seconds=self._cut_unix_seconds,
            discontinuity=self._broken and not folder.is_new,
            header=header,
            seconds={name: fragment.seconds for name, fragment in fragments.items()},
        )
        self._broken = False
        folder.show(segment)
        return 1
