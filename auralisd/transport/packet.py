"""What goes over a WebSocket: the binary packet header, the first protocol's JSON, and RFC 6455 framing.

A packet is framed once and the same bytes go to every listener of its form, so
nothing in here knows of a listener; only the JSON of the first protocol carries
a count of its own.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from auralisd.errors import PacketError
from auralisd.transport.chunk import EncodedChunk
from auralisd.units import (
    CHANNELS,
    OPUS_FRAME_CODED_FRAMES,
    OPUS_FRAME_PROGRAMME_FRAMES,
    PACKET_FRAMES,
    SAMPLE_RATE_HZ,
    frames_to_seconds,
)

MAGIC: Final = b"Au"
VERSION: Final = 1
HEADER: Final = struct.Struct("<2sBBIQdHBBI")
FLAG_BED: Final = 2
FLAG_LAST: Final = 8
SEQUENCE_MODULUS: Final = 1 << 32

_FINAL_TEXT: Final = 0x81  # FIN and the opcode, RFC 6455 section 5.2
_FINAL_BINARY: Final = 0x82


class PacketCodec(IntEnum):
    """The codec byte of the header."""

    PCM16 = 0
    OPUS = 1

    @property
    def programme_frames(self) -> int:
        """Programme frames (44.1 kHz) that one packet of it stands for."""
        return OPUS_FRAME_PROGRAMME_FRAMES if self is PacketCodec.OPUS else PACKET_FRAMES

    @property
    def coded_frames(self) -> int:
        """Frames of one packet at the payload's own rate."""
        return OPUS_FRAME_CODED_FRAMES if self is PacketCodec.OPUS else PACKET_FRAMES

    def sequence_at(self, position: int) -> int:
        """Sequence number of the packet that begins at programme frame ``position``."""
        return position // self.programme_frames % SEQUENCE_MODULUS


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketHeader:
    """The 32 bytes before every binary payload.

    Attributes:
        codec: what the payload is coded in.
        sequence: packets since frame 0 of the epoch, modulo 2**32.
        position: programme frame (44.1 kHz) at the encoder's input where the packet begins.
        due_seconds: when that frame is due, in seconds of the server's ``CLOCK_MONOTONIC``.
        frames: how long the payload is, at its own rate.
        epoch: which count of positions this is.
        bed: whether the stand-in sounds instead of the renderer.
        last: whether the programme ends with it.
        channels: interleaved channels of the payload.
    """

    codec: PacketCodec
    sequence: int
    position: int
    due_seconds: float
    frames: int
    epoch: int
    bed: bool = False
    last: bool = False
    channels: int = CHANNELS


def pack_header(header: PacketHeader) -> bytes:
    """The header as 32 little-endian bytes.

    Raises:
        PacketError: a field does not fit its width.
    """
    flags = FLAG_BED * header.bed | FLAG_LAST * header.last
    try:
        return HEADER.pack(
            MAGIC,
            VERSION,
            header.codec,
            header.sequence,
            header.position,
            header.due_seconds,
            header.frames,
            flags,
            header.channels,
            header.epoch,
        )
    except struct.error as error:
        raise PacketError(f"a field does not fit the packet header: {error}") from error


def unpack_header(packet: bytes) -> PacketHeader:
    """The header at the start of ``packet``; the payload is ``packet[32:]``.

    Reserved flags are passed over, as every client must.

    Raises:
        PacketError: too short, not ours, or of another version or codec.
    """
    if len(packet) < HEADER.size:
        raise PacketError(f"{len(packet)} bytes are no packet; its header alone is {HEADER.size}")
    magic, version, codec, sequence, position, due_seconds, frames, flags, channels, epoch = HEADER.unpack_from(packet)
    if magic != MAGIC or version != VERSION or codec not in PacketCodec:
        raise PacketError(f"not a packet of version {VERSION}: magic {magic!r}, version {version}, codec {codec}")
    return PacketHeader(
        codec=PacketCodec(codec),
        sequence=sequence,
        position=position,
        due_seconds=due_seconds,
        frames=frames,
        epoch=epoch,
        bed=bool(flags & FLAG_BED),
        last=bool(flags & FLAG_LAST),
        channels=channels,
    )


def pcm16_packet(chunk: EncodedChunk, *, epoch: int, due_seconds: float) -> bytes:
    """The chunk as one packet of 100 ms of 16-bit stereo.

    Args:
        chunk: what to send.
        epoch: which count of positions ``chunk.position`` belongs to.
        due_seconds: ``CLOCK_MONOTONIC`` at which the chunk's first frame is due.
    """
    header = _header(PacketCodec.PCM16, chunk.position, chunk, epoch, due_seconds, last=chunk.last)
    return pack_header(header) + chunk.pcm16


def opus_packets(chunk: EncodedChunk, *, epoch: int, due_seconds: float) -> Iterator[bytes]:
    """The chunk's Opus packets of 20 ms, in order; none where Opus is not on the air.

    The resampler before the encoder looks 16 frames ahead, so these begin one
    Opus frame before the chunk does; each header says where.

    Args:
        chunk: what to send.
        epoch: which count of positions ``chunk.position`` belongs to.
        due_seconds: ``CLOCK_MONOTONIC`` at which the chunk's first frame is due.
    """
    span = chunk.coded.get("opus")
    if span is None:
        return
    for index, payload in enumerate(span.packets):
        position = span.packets_position + index * OPUS_FRAME_PROGRAMME_FRAMES
        last = chunk.last and index == len(span.packets) - 1
        yield pack_header(_header(PacketCodec.OPUS, position, chunk, epoch, due_seconds, last=last)) + payload


def _header(
    codec: PacketCodec, position: int, chunk: EncodedChunk, epoch: int, due_seconds: float, *, last: bool
) -> PacketHeader:
    return PacketHeader(
        codec=codec,
        sequence=codec.sequence_at(position),
        position=position,
        due_seconds=due_seconds + frames_to_seconds(position - chunk.position),
        frames=codec.coded_frames,
        epoch=epoch,
        bed=chunk.bed,
        last=last,
    )


def v0_data(pcm16: bytes) -> bytes:
    """100 ms of interleaved little-endian int16 stereo as base64: the part of a v0 message all listeners share."""
    return base64.b64encode(pcm16)


def v0_json(data: bytes, *, sequence: int, timestamp_unix_ms: int) -> bytes:
    """A whole v0 message, UTF-8 JSON.

    Args:
        data: what `v0_data` made of the chunk.
        sequence: messages sent on this connection before, from 0.
        timestamp_unix_ms: wall-clock time of the message, milliseconds since 1970.
    """
    return (
        b'{"type":"audio_chunk","timestamp":%d,"sequence":%d,"sample_rate":%d,"channels":%d,'
        b'"duration_ms":%d,"format":"pcm16","data":"%b"}'
    ) % (timestamp_unix_ms, sequence, SAMPLE_RATE_HZ, CHANNELS, PACKET_FRAMES * 1000 // SAMPLE_RATE_HZ, data)


def websocket_frame(payload: bytes, *, text: bool = False) -> bytes:
    """``payload`` as one whole message from a server: FIN set, not masked (RFC 6455, section 5.2)."""
    opcode = _FINAL_TEXT if text else _FINAL_BINARY
    length = len(payload)
    if length < 126:
        return struct.pack("!BB", opcode, length) + payload
    if length < 1 << 16:
        return struct.pack("!BBH", opcode, 126, length) + payload
    return struct.pack("!BBQ", opcode, 127, length) + payload
