"""What passes from the encoders through the pacer to the hub: 100 ms of every form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from auralisd.units import PACKET_FRAMES


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedSpan:
    """What one encoder put out while it took one chunk.

    Attributes:
        position: programme frame of the chunk's first frame at the encoder's input.
        stream: container bytes for HTTP players, cut at a codec frame (Ogg page, MP3 frame, ...).
        packets: the bare codec packets, 20 ms each (Opus only, else empty).
        packets_position: programme frame of the first packet's nominal first frame.
    """

    position: int
    stream: bytes
    packets: tuple[bytes, ...] = ()
    packets_position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderStart:
    """A format that came on the air with this chunk.

    Attributes:
        header: what every listener of the container gets first (Ogg head and tags, ``fLaC``, nothing for MP3).
        backlog: spans of the held blocks before this chunk, oldest first.
    """

    header: bytes
    backlog: tuple[CodedSpan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedChunk:
    """One packet's worth of programme in every form that somebody listens to.

    Attributes:
        position: programme frame of its first frame, a multiple of ``PACKET_FRAMES``.
        pcm16: interleaved little-endian int16 stereo, ``PACKET_FRAMES`` frames.
        bed: whether any of it is the stand-in for a renderer that could not deliver.
        last: the programme ends with it.
        coded: what each active encoder made of it, by codec name.
        started: the codecs that came on the air with it.
        failed: the codecs whose encoder failed and went off the air.
    """

    position: int
    pcm16: bytes
    bed: bool = False
    last: bool = False
    coded: Mapping[str, CodedSpan] = field(default_factory=dict)
    started: Mapping[str, EncoderStart] = field(default_factory=dict)
    failed: tuple[str, ...] = ()

    @property
    def end(self) -> int:
        """Position of the first frame after it."""
        return self.position + PACKET_FRAMES
