"""The binary header, the first protocol's JSON and WebSocket framing, byte by byte."""

import base64
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.frame_protocol import FrameProtocol, Opcode

from auralisd.errors import PacketError
from auralisd.transport.chunk import CodedSpan, EncodedChunk
from auralisd.transport.packet import (
    PacketCodec,
    PacketHeader,
    opus_packets,
    pack_header,
    pcm16_packet,
    unpack_header,
    v0_data,
    v0_json,
    websocket_frame,
)
from auralisd.units import PACKET_FRAMES

U32 = st.integers(0, 2**32 - 1)
HEADERS = st.builds(
    PacketHeader,
    codec=st.sampled_from(PacketCodec),
    sequence=U32,
    position=st.integers(0, 2**64 - 1),
    due_seconds=st.floats(allow_nan=False),
    frames=st.integers(0, 2**16 - 1),
    epoch=U32,
    bed=st.booleans(),
    last=st.booleans(),
    channels=st.integers(0, 255),
)


@given(HEADERS, st.binary(max_size=40))
def test_a_header_survives_the_wire(header: PacketHeader, payload: bytes) -> None:
    assert unpack_header(pack_header(header) + payload) == header


def test_the_header_is_the_documented_32_bytes() -> None:
    header = PacketHeader(
        codec=PacketCodec.OPUS, sequence=7, position=6174, due_seconds=12.5, frames=960, epoch=3, bed=True, last=True
    )
    packed = pack_header(header)
    assert len(packed) == 32
    assert packed[:4] == b"Au\x01\x01"
    assert struct.unpack("<I", packed[4:8]) == (7,)
    assert struct.unpack("<Q", packed[8:16]) == (6174,)
    assert struct.unpack("<d", packed[16:24]) == (12.5,)
    assert struct.unpack("<H", packed[24:26]) == (960,)
    assert packed[26:28] == bytes([2 | 8, 2])
    assert struct.unpack("<I", packed[28:]) == (3,)


@pytest.mark.parametrize(
    "packet", [b"", b"Au\x01", b"XX\x01\x00" + bytes(28), b"Au\x02\x00" + bytes(28), b"Au\x01\x09" + bytes(28)]
)
def test_what_is_no_packet_is_refused(packet: bytes) -> None:
    with pytest.raises(PacketError):
        unpack_header(packet)


def test_reserved_flags_are_passed_over() -> None:
    header = PacketHeader(codec=PacketCodec.PCM16, sequence=0, position=0, due_seconds=0.0, frames=4410, epoch=0)
    packed = bytearray(pack_header(header))
    packed[26] |= 0b1111_0101
    assert unpack_header(bytes(packed)) == header


def test_a_field_out_of_range_is_an_error_of_ours() -> None:
    with pytest.raises(PacketError, match="does not fit"):
        pack_header(PacketHeader(codec=PacketCodec.PCM16, sequence=0, position=-1, due_seconds=0.0, frames=1, epoch=0))


def test_sequences_count_packets_from_frame_0_and_wrap_at_32_bits() -> None:
    assert PacketCodec.OPUS.sequence_at(882 * 12) == 12
    assert PacketCodec.PCM16.sequence_at(4410 * 12) == 12
    assert PacketCodec.OPUS.sequence_at(882 * (2**32 + 5)) == 5


def test_a_pcm16_packet_is_the_chunk_behind_its_header() -> None:
    pcm16 = bytes(range(256)) * 68 + bytes(232)
    chunk = EncodedChunk(position=44100, pcm16=pcm16, bed=True)
    packet = pcm16_packet(chunk, epoch=2, due_seconds=5.0)
    assert packet[32:] == pcm16
    assert unpack_header(packet) == PacketHeader(
        codec=PacketCodec.PCM16, sequence=10, position=44100, due_seconds=5.0, frames=4410, epoch=2, bed=True
    )


def test_each_opus_packet_says_where_it_begins_and_when_that_is_due() -> None:
    span = CodedSpan(position=8820, stream=b"", packets=(b"a", b"b", b"c"), packets_position=8820 - 882)
    chunk = EncodedChunk(position=8820, pcm16=bytes(4 * PACKET_FRAMES), last=True, coded={"opus": span})
    packets = list(opus_packets(chunk, epoch=1, due_seconds=100.0))
    headers = [unpack_header(packet) for packet in packets]
    assert [packet[32:] for packet in packets] == [b"a", b"b", b"c"]
    assert [header.position for header in headers] == [7938, 8820, 9702]
    assert [header.sequence for header in headers] == [9, 10, 11]
    assert [header.due_seconds for header in headers] == pytest.approx([99.98, 100.0, 100.02])
    assert {header.frames for header in headers} == {960}
    assert [header.last for header in headers] == [False, False, True]


def test_a_chunk_without_opus_has_no_opus_packets() -> None:
    chunk = EncodedChunk(position=0, pcm16=bytes(4 * PACKET_FRAMES))
    assert list(opus_packets(chunk, epoch=0, due_seconds=0.0)) == []


def test_a_v0_message_is_what_the_first_clients_expect() -> None:
    pcm16 = bytes(17640)
    text = v0_json(v0_data(pcm16), sequence=5, timestamp_unix_ms=1_700_000_000_123)
    message = json.loads(text)
    assert base64.b64decode(message.pop("data")) == pcm16
    assert list(message.items()) == [
        ("type", "audio_chunk"),
        ("timestamp", 1_700_000_000_123),
        ("sequence", 5),
        ("sample_rate", 44100),
        ("channels", 2),
        ("duration_ms", 100),
        ("format", "pcm16"),
    ]


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65535, 65536])
@pytest.mark.parametrize("text", [False, True])
def test_a_client_reads_each_frame_as_one_message(length: int, text: bool) -> None:
    framed = websocket_frame(b"x" * length, text=text)
    reader = FrameProtocol(client=True, extensions=[])
    reader.receive_bytes(framed)
    messages = list(reader.received_frames())
    assert [message.opcode for message in messages] == [Opcode.TEXT if text else Opcode.BINARY]
    assert messages[0].message_finished
    assert len(messages[0].payload) == length
