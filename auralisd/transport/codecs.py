"""Encoders for endless streams, one per format, made of PyAV; and the WAV header, which needs none.

Each encoder holds a codec and its container. What the container writes when it
is opened is the header that every later listener gets first; from then on each
call hands out whole container frames (Ogg pages, MP3, ADTS and FLAC frames), so
a listener may join between any two calls.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, NamedTuple, Protocol

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer

from auralisd.audio import PCM16_BYTES_PER_FRAME
from auralisd.errors import EncoderError, FormatError
from auralisd.transport.flac_frames import renumbered
from auralisd.transport.ogg_pages import OggPlace, continued, place_after
from auralisd.units import CHANNELS, OPUS_RATE_HZ, PACKET_FRAMES, SAMPLE_RATE_HZ

GENRE: Final = "Ambient"
OPUS_PRE_SKIP_CODED_FRAMES: Final = 312  # 6.5 ms at 48 kHz: libopus' lookahead, by which a decoder's output lags
UNKNOWN_SIZE: Final = 0xFFFF_FFFF
WAV_HEADER_BYTES: Final = 44


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a format is made.

    Attributes:
        container: FFmpeg's name of the container.
        codec: FFmpeg's name of the encoder.
        rate_hz: sample rate the codec runs at; the encoder resamples to it.
        sample_format: FFmpeg's name of the samples the codec takes.
        bit_rate_bps: target bit rate, 0 for a lossless codec.
        codec_options: the encoder's own options.
        container_options: the container's own options.
    """

    container: str
    codec: str
    sample_format: str
    rate_hz: int = SAMPLE_RATE_HZ
    bit_rate_bps: int = 0
    codec_options: Mapping[str, str] = field(default_factory=dict)
    container_options: Mapping[str, str] = field(default_factory=dict)


STREAM_RECIPES: Final[Mapping[str, Recipe]] = {
    "opus": Recipe(
        container="ogg",
        codec="libopus",
        # Float: rounding the resampled sound to 16 bits a second time would undo the dither.
        sample_format="flt",
        rate_hz=OPUS_RATE_HZ,
        bit_rate_bps=128_000,
        codec_options={"application": "audio", "frame_duration": "20"},
        # One packet a page; by default the first page would come after a second.
        container_options={"page_duration": "20000"},
    ),
    "mp3": Recipe(
        container="mp3",
        codec="libmp3lame",
        sample_format="s16p",
        bit_rate_bps=192_000,
        # Without the reservoir every frame stands alone, and who joins late starts at full level.
        codec_options={"reservoir": "0"},
        container_options={"write_xing": "0", "id3v2_version": "0"},
    ),
    "flac": Recipe(
        container="flac",
        codec="flac",
        sample_format="s16",
        # FLAC's own choice, 4608, does not divide a packet and would come in bursts.
        codec_options={"frame_size": str(PACKET_FRAMES // 2)},
        container_options={"metadata_header_padding": "0"},
    ),
    "aac": Recipe(
        container="adts",
        codec="aac",
        sample_format="fltp",
        bit_rate_bps=192_000,
        # The fast coder is the better one at this rate and takes a quarter of the time. Intensity stereo and
        # noise substitution are for low rates: without them a wide pad keeps 7 dB more of itself.
        codec_options={"aac_coder": "fast", "aac_is": "0", "aac_pns": "0"},
    ),
}

CODECS: Final = tuple(STREAM_RECIPES)
"""The codecs that need an encoder; wav and pcm16 are the programme as it is."""


class Coded(NamedTuple):
    """What an encoder put out.

    Attributes:
        stream: whole container frames.
        packets: the bare codec packets, all of one length (Opus only).
    """

    stream: bytes
    packets: tuple[bytes, ...] = ()


class Encoder(Protocol):
    """A codec and its container, open-ended."""

    @property
    def header(self) -> bytes:
        """What a listener of the container needs before any frame; may be empty."""
        ...

    def encode(self, pcm16: bytes) -> Coded:
        """Take the next frames of the programme, interleaved int16 stereo.

        Raises:
            EncoderError: the encoder is broken and must be let go.
        """
        ...

    def finish(self) -> Coded:
        """Hand out what is still inside and close; nothing may be called after it.

        Raises:
            EncoderError: the rest is lost; the encoder is closed all the same.
        """
        ...


type OpenEncoder = Callable[[str, str], Encoder]
"""Opens the encoder of a codec (first argument) for a programme titled so (second)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderPlace:
    """Where an encoder's stream is, for another one that is to go on with it.

    Attributes:
        header: what its listeners got first.
        frames_taken: programme frames it was given.
        next_pts: presentation time, in frames at the codec's rate, of the codec frame that comes next.
        ogg: where its pages are, for Ogg.
    """

    header: bytes
    frames_taken: int
    next_pts: int
    ogg: OggPlace | None = None


def open_encoder(codec: str, title: str) -> StreamEncoder:
    """A fresh encoder of ``codec``, one of `CODECS`; ``title`` goes into the tags of Ogg and FLAC.

    Raises:
        FormatError: there is no such codec.
        EncoderError: this build of FFmpeg cannot open it.
    """
    if codec not in STREAM_RECIPES:
        raise FormatError(codec, CODECS)
    return StreamEncoder(STREAM_RECIPES[codec], title)


def resumed_encoder(codec: str, title: str, place: EncoderPlace, pcm16: bytes) -> StreamEncoder:
    """An encoder that goes on with the stream of another one, which ended at ``place``.

    It is given the last sound of the other first, so that its codec and resampler are in the same state, as near as
    can be heard; what the other had handed out already is left out. Frames and pages go on being counted.

    Args:
        codec: one of `CODECS`.
        title: goes nowhere: the header is the other's.
        place: where the other one was.
        pcm16: the end of what it was given, interleaved int16 stereo: a second is enough.

    Raises:
        EncoderError: this build of FFmpeg cannot open it.
    """
    encoder = open_encoder(codec, title)
    encoder.go_on_from(place, pcm16)
    return encoder


class StreamEncoder:
    """An `Encoder` made of PyAV. Encoding and muxing release the GIL."""

    def __init__(self, recipe: Recipe, title: str) -> None:
        """Open codec and container; raises EncoderError."""
        self._recipe = recipe
        self._hands_out_packets = recipe.codec == "libopus"
        self._sink = ByteSink()
        self._frames = 0  # taken so far; the container's clock, whatever the programme's position
        self._next_pts = 0
        self._left_out_before_pts: int | None = None
        self._ogg: OggPlace | None = None
        self._goes_on = False
        with _translated(recipe.codec):
            options = {"flush_packets": "1", **recipe.container_options}
            self._container = av.open(self._sink, "w", format=recipe.container, options=options)
            self._stream = add_audio_stream(self._container, recipe, title)
            self._container.start_encoding()
        self._header = self._sink.drain()

    @property
    def header(self) -> bytes:
        """What the container wrote when it was opened."""
        return self._header

    @property
    def place(self) -> EncoderPlace:
        """Where its stream is."""
        return EncoderPlace(header=self._header, frames_taken=self._frames, next_pts=self._next_pts, ogg=self._ogg)

    def go_on_from(self, place: EncoderPlace, pcm16: bytes) -> None:
        """Take the place of another encoder, see `resumed_encoder`; nothing was encoded before.

        Raises:
            EncoderError: the encoder is broken and must be let go.
        """
        grid = self._codec_frame_programme_frames
        given = min(len(pcm16) // PCM16_BYTES_PER_FRAME, place.frames_taken)
        first = -(-(place.frames_taken - given) // grid) * grid
        self._header, self._ogg, self._goes_on = place.header, place.ogg, True
        self._left_out_before_pts, self._frames = place.next_pts, min(first, place.frames_taken)
        if self._frames < place.frames_taken:
            rest = self.encode(pcm16[-(place.frames_taken - self._frames) * PCM16_BYTES_PER_FRAME :])
            if rest.stream:
                raise EncoderError(f"{self._recipe.codec}: goes on ahead of where the other one was")

    def count_on_from(self, frames: int) -> None:
        """Count as if ``frames`` programme frames had been taken, before any is; changes FLAC alone.

        Its frames are numbered, and a player that has heard higher numbers from an encoder that failed takes lower ones
        for what it has played already, and is silent until they are through.
        """
        if self._recipe.container == "flac":
            grid = self._codec_frame_programme_frames
            self._frames, self._goes_on = -(-frames // grid) * grid, frames > 0

    def encode(self, pcm16: bytes) -> Coded:
        """See `Encoder.encode`."""
        with _translated(self._recipe.codec):
            packets = self._mux(pcm16_frame(pcm16, self._frames))
        self._frames += len(pcm16) // PCM16_BYTES_PER_FRAME
        return Coded(self._drained(), packets)

    def finish(self) -> Coded:
        """See `Encoder.finish`."""
        with _translated(self._recipe.codec):
            try:
                packets = self._mux(None)
            finally:
                self._container.close()
        return Coded(self._drained(), packets)

    @property
    def _codec_frame_programme_frames(self) -> int:
        return self._stream.codec_context.frame_size * SAMPLE_RATE_HZ // self._recipe.rate_hz

    def _mux(self, frame: av.AudioFrame | None) -> tuple[bytes, ...]:
        packets = [packet for packet in self._stream.encode(frame) if packet.size]
        bare: list[bytes] = []
        for packet in packets:
            left_out = self._is_left_out(packet)
            if self._hands_out_packets and not left_out:
                bare.append(bytes(packet))  # copied first: the container takes a packet's bytes away
            if self._goes_on and self._recipe.container == "flac" and not left_out:
                # Nor does FFmpeg let a number begin elsewhere; frames of its container are those of its codec.
                self._sink.write(renumbered(bytes(packet), (packet.pts or 0) // (packet.duration or 1)))
            elif self._recipe.container == "ogg" or not left_out:  # pages are left out by their own count
                self._container.mux(packet)
        return tuple(bare)

    def _is_left_out(self, packet: av.Packet[AudioStream]) -> bool:
        """Whether the encoder before this one has handed it out; counts it if not."""
        pts = packet.pts or 0
        if self._left_out_before_pts is not None and pts < self._left_out_before_pts:
            self._next_pts = self._left_out_before_pts
            return True
        self._next_pts = pts + (packet.duration or 0)
        return False

    def _drained(self) -> bytes:
        stream = self._sink.drain()
        if self._recipe.container != "ogg":
            return stream
        if self._goes_on and self._ogg is not None:
            stream, self._ogg = continued(stream, self._ogg)
        else:
            self._ogg = place_after(stream, self._ogg)
        return stream


def add_audio_stream(container: OutputContainer, recipe: Recipe, title: str) -> AudioStream:
    """The one stream of ``container``, coded as ``recipe`` says and titled."""
    container.metadata.update({"title": title, "genre": GENRE})
    stream = container.add_stream(recipe.codec, rate=recipe.rate_hz, options=dict(recipe.codec_options))
    if not isinstance(stream, AudioStream):
        raise EncoderError(f"{recipe.codec} codes no sound")
    context = stream.codec_context
    context.layout = "stereo"
    context.format = recipe.sample_format
    context.thread_count = 1  # 100 ms of sound are not worth waking another core
    if recipe.bit_rate_bps:
        context.bit_rate = recipe.bit_rate_bps
    return stream


def pcm16_frame(pcm16: bytes, pts_frames: int) -> av.AudioFrame:
    """Interleaved int16 stereo as the frame FFmpeg takes, ``pts_frames`` into the stream."""
    frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm16, dtype="<i2").reshape(1, -1), format="s16", layout="stereo")
    frame.sample_rate = SAMPLE_RATE_HZ
    frame.time_base = Fraction(1, SAMPLE_RATE_HZ)
    frame.pts = pts_frames
    return frame


def wav_header(data_bytes: int | None = None) -> bytes:
    """The 44 bytes before 16-bit stereo at 44.1 kHz.

    Args:
        data_bytes: how much sound follows; None for an endless stream, whose sizes read 0xFFFFFFFF.
    """
    riff_bytes = UNKNOWN_SIZE if data_bytes is None else data_bytes + WAV_HEADER_BYTES - 8
    byte_rate = SAMPLE_RATE_HZ * PCM16_BYTES_PER_FRAME
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        riff_bytes,
        b"WAVE",
        b"fmt ",
        16,
        1,  # PCM
        CHANNELS,
        SAMPLE_RATE_HZ,
        byte_rate,
        PCM16_BYTES_PER_FRAME,
        16,
        b"data",
        UNKNOWN_SIZE if data_bytes is None else data_bytes,
    )


class ByteSink:
    """The file a container writes to: keeps what came until it is drained."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        """Keep a copy; PyAV reuses its buffer."""
        self._pieces.append(bytes(piece))
        return len(piece)

    def drain(self) -> bytes:
        """All that came since the last time."""
        drained = b"".join(self._pieces)
        self._pieces.clear()
        return drained


@contextlib.contextmanager
def _translated(codec: str) -> Iterator[None]:
    """Turn what PyAV raises into an EncoderError that names the codec."""
    try:
        yield
    except (av.FFmpegError, ValueError, OSError) as error:
        raise EncoderError(f"{codec}: {error}") from error
