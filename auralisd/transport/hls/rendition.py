"""One rendition: the programme in one codec, cut into fragments of MP4."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import av
from av.audio.stream import AudioStream

from auralisd.audio import PCM16_BYTES_PER_FRAME
from auralisd.errors import EncoderError
from auralisd.transport.codecs import STREAM_RECIPES, ByteSink, Recipe, add_audio_stream, pcm16_frame
from auralisd.units import SAMPLE_RATE_HZ

FRAGMENTS: Final = "+empty_moov+default_base_moof+frag_custom+frag_discont+skip_trailer+cmaf"
MEDIA_TIME_OFFSET_SECONDS: Final = 10
"""Where the programme begins in media time: codecs begin a little before it, and media time is never negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """How a rendition is made and announced.

    Attributes:
        recipe: how it is encoded.
        announced: its name in ``CODECS`` of the master playlist (RFC 6381).
        bandwidth_bps: no segment needs more; players choose by it.
    """

    recipe: Recipe
    announced: str
    bandwidth_bps: int


HLS_CODECS: Final[Mapping[str, Codec]] = {
    "aac": Codec(recipe=STREAM_RECIPES["aac"], announced="mp4a.40.2", bandwidth_bps=224_000),
    "opus": Codec(
        recipe=replace(STREAM_RECIPES["opus"], container_options={}), announced="Opus", bandwidth_bps=256_000
    ),
    "flac": Codec(
        recipe=replace(STREAM_RECIPES["flac"], container_options={}), announced="fLaC", bandwidth_bps=1_450_000
    ),
}
"""By name, best known to players first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """A piece of a rendition.

    Attributes:
        header: what a decoder needs before any fragment of the same encoder.
        body: the sound.
        seconds: how long it is.
    """

    header: bytes
    body: bytes
    seconds: float


class Rendition:
    """An encoder and what it has put out since the last cut; for a worker thread."""

    def __init__(self, name: str, *, title: str) -> None:
        """Begin with nothing encoded.

        Raises:
            EncoderError: this build of FFmpeg cannot open it.
        """
        self._name = name
        self._recipe = HLS_CODECS[name].recipe
        self._frames = 0
        self._packets: list[av.Packet[AudioStream]] = []
        self._fragments = 0
        with self._translated():
            # Nothing is written here: the container only tells the encoder what MP4 needs.
            self._container = av.open(ByteSink(), "w", format="mp4", options={"movflags": FRAGMENTS})
            self._stream = add_audio_stream(self._container, self._recipe, title)
            self._container.start_encoding()

    def encode(self, pcm16: bytes) -> None:
        """Take the next frames of the programme, interleaved int16 stereo at 44.1 kHz."""
        with self._translated():
            self._packets += self._stream.encode(pcm16_frame(pcm16, self._frames))
        self._frames += len(pcm16) // PCM16_BYTES_PER_FRAME

    def finish(self) -> None:
        """Put out what is still inside the encoder; nothing can be encoded after it."""
        with self._translated():
            self._packets += self._stream.encode(None)

    def close(self) -> None:
        """Let the encoder go."""
        with self._translated():
            self._container.close()

    def reaches(self, frames: int) -> bool:
        """Whether all packets that begin before ``frames`` (of the programme, since it began) are there."""
        return bool(self._packets) and self._begins_at(self._packets[-1]) >= Fraction(frames, SAMPLE_RATE_HZ)

    def cut(self, frames: int | None = None) -> Fragment | None:
        """What begins before ``frames``, or everything; None where that is nothing."""
        until = None if frames is None else Fraction(frames, SAMPLE_RATE_HZ)
        taken = [packet for packet in self._packets if until is None or self._begins_at(packet) < until]
        if not taken:
            return None
        del self._packets[: len(taken)]
        seconds = float(self._ends_at(taken[-1]) - self._begins_at(taken[0]))
        with self._translated():
            header, body = self._muxed(taken)
        return Fragment(header=header, body=body, seconds=seconds)

    def _muxed(self, packets: list[av.Packet[AudioStream]]) -> tuple[bytes, bytes]:
        self._fragments += 1
        sink = ByteSink()
        options = {"movflags": FRAGMENTS, "fragment_index": str(self._fragments)}
        with av.open(sink, "w", format="mp4", options=options) as container:
            stream = container.add_stream_from_template(self._stream)
            container.start_encoding()
            header = sink.drain()
            for packet in packets:
                assert packet.pts is not None, "every packet has a time"
                packet.pts += MEDIA_TIME_OFFSET_SECONDS * self._recipe.rate_hz
                packet.dts = packet.pts
                packet.stream = stream
                container.mux_one(packet)
        return header, sink.drain()

    def _begins_at(self, packet: av.Packet[AudioStream]) -> Fraction:
        return Fraction(packet.pts or 0, self._recipe.rate_hz)

    def _ends_at(self, packet: av.Packet[AudioStream]) -> Fraction:
        return self._begins_at(packet) + Fraction(packet.duration or 0, self._recipe.rate_hz)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, ValueError, OSError) as error:
            raise EncoderError(f"{self._name} for HLS: {error}") from error
