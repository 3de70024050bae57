"""The forms in which the programme leaves the house, and how each frames a packet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from auralisd.errors import FormatError
from auralisd.transport.chunk import EncodedChunk
from auralisd.transport.codecs import OPUS_PRE_SKIP_CODED_FRAMES
from auralisd.transport.packet import PacketCodec, opus_packets, pcm16_packet, v0_data, websocket_frame
from auralisd.units import OPUS_FRAME_PROGRAMME_FRAMES, OPUS_RATE_HZ, SAMPLE_RATE_HZ

PCM: Final = "pcm16"
"""The source of all forms that need no encoder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One way to receive a station.

    Attributes:
        name: as metrics show it.
        source: the codec it is made of, ``pcm16`` for the programme as it is, None without sound.
        compressed: whether it is small enough to be patient with its listeners.
        head_start_seconds: how much of what is held a new listener gets at once, if it names no other figure.
        packet_codec: the codec byte of its packets, for forms made of packets.
        is_output: whether a server or a folder takes it, and no person.
    """

    name: str
    source: str | None
    compressed: bool = True
    head_start_seconds: float = 4.0
    packet_codec: PacketCodec | None = None
    is_output: bool = False

    @property
    def codec(self) -> str | None:
        """The encoder it needs, or None."""
        return None if self.source == PCM else self.source

    @property
    def sample_rate_hz(self) -> int:
        """Frames a second at the payload's own rate."""
        return OPUS_RATE_HZ if self.source == "opus" else SAMPLE_RATE_HZ

    @property
    def pre_skip(self) -> int:
        """Frames at the payload's own rate that a new decoder puts out before the programme."""
        return OPUS_PRE_SKIP_CODED_FRAMES if self.source == "opus" else 0


HTTP_FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        "opus": Form(name="http.opus", source="opus"),
        "mp3": Form(name="http.mp3", source="mp3"),
        "flac": Form(name="http.flac", source="flac", compressed=False, head_start_seconds=1.0),
        "aac": Form(name="http.aac", source="aac"),
        "wav": Form(name="http.wav", source=PCM, compressed=False, head_start_seconds=1.0),
    }
)
"""By the ending of ``/stream.*``."""

V0_FORM: Final = Form(name="ws.v0.json", source=PCM, compressed=False, head_start_seconds=0.0)
STATE_FORM: Final = Form(name="ws.v1.state", source=None, head_start_seconds=0.0)
WEBSOCKET_FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        "auralis.v1.opus": Form(
            name="ws.v1.opus", source="opus", head_start_seconds=1.0, packet_codec=PacketCodec.OPUS
        ),
        "auralis.v1.pcm16": Form(
            name="ws.v1.pcm16", source=PCM, compressed=False, head_start_seconds=1.0, packet_codec=PacketCodec.PCM16
        ),
        "auralis.v1.state": STATE_FORM,
        "auralis.v0.json": V0_FORM,
    }
)
"""By subprotocol."""

PUSH_FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {name: Form(name=f"push.{name}", source=name, is_output=True) for name in ("mp3", "aac", "opus")}
)
"""What Icecast servers are sent, by its format."""

HLS_FORM: Final = Form(name="hls", source=PCM, compressed=False, head_start_seconds=0.0, is_output=True)
"""Packets with their header, as WebSockets get them, for who encodes the programme once more."""


def http_form(name: str) -> Form:
    """The form of ``/stream.{name}``.

    Raises:
        FormatError: there is none.
    """
    if name not in HTTP_FORMS:
        raise FormatError(name, tuple(HTTP_FORMS))
    return HTTP_FORMS[name]


def framed(form: Form, chunk: EncodedChunk, *, epoch: int, due_seconds: float, since: int = 0) -> bytes:
    """What every listener of ``form`` is sent of ``chunk``, the same bytes for all.

    Args:
        form: any but the state's, which has no sound.
        chunk: holds the form's source.
        epoch: which count of positions it belongs to.
        due_seconds: ``CLOCK_MONOTONIC`` at which its first frame is due.
        since: leave out packets that end at or before this programme frame.

    Returns:
        A piece of the container (HTTP), whole WebSocket frames (v1), the base64 that all v0
        messages of this chunk share, or a bare packet (HLS).
    """
    if form is V0_FORM:
        return v0_data(chunk.pcm16)
    if form is HLS_FORM:
        return pcm16_packet(chunk, epoch=epoch, due_seconds=due_seconds)
    if form.packet_codec is PacketCodec.PCM16:
        return websocket_frame(pcm16_packet(chunk, epoch=epoch, due_seconds=due_seconds))
    if form.packet_codec is PacketCodec.OPUS:
        packets = opus_packets(_without_packets_before(chunk, since), epoch=epoch, due_seconds=due_seconds)
        return b"".join(map(websocket_frame, packets))
    if form.source == PCM:
        return chunk.pcm16
    assert form.source is not None, "the state form carries no sound"
    return chunk.coded[form.source].stream


def _without_packets_before(chunk: EncodedChunk, position: int) -> EncodedChunk:
    """``chunk`` less the Opus packets that end at or before ``position``; nothing precedes frame 0."""
    span = chunk.coded["opus"]
    first_kept = max(position - OPUS_FRAME_PROGRAMME_FRAMES + 1, 0)
    surplus = -(-(first_kept - span.packets_position) // OPUS_FRAME_PROGRAMME_FRAMES)
    if surplus <= 0:
        return chunk
    kept = replace(
        span,
        packets=span.packets[surplus:],
        packets_position=span.packets_position + surplus * OPUS_FRAME_PROGRAMME_FRAMES,
    )
    return replace(chunk, coded={"opus": kept})
