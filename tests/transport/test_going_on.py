"""Streams that a second process goes on with: encoders, pages, frames, and what a socket has yet to take."""

import io
import subprocess
from dataclasses import replace

import av
import numpy as np
import pytest
import trio

from auralisd.transport.broadcast import Broadcast, PassedBroadcast
from auralisd.transport.codecs import CODECS, open_encoder
from auralisd.transport.encoders import EncoderBank
from auralisd.transport.flac_frames import coded_number, renumbered
from auralisd.transport.forms import http_form
from auralisd.transport.hub import PassedBlocks
from auralisd.transport.listener import Listener
from auralisd.transport.ogg_pages import pages_of, place_after
from auralisd.transport.outlet import Outlet, PassedTail
from auralisd.units import PACKET_FRAMES

CHUNK = 4 * PACKET_FRAMES
CHUNKS = 120
CUTS = (43, 90)


def programme():
    at = np.arange(CHUNKS * PACKET_FRAMES) / 44_100
    wave = 6000 * np.sin(2 * np.pi * 220 * at) + 3000 * np.sin(2 * np.pi * (331 + 2 * np.sin(at)) * at)
    return np.stack([wave, wave[::-1]], axis=1).astype("<i2").tobytes()


def chunks():
    sound = programme()
    return [sound[index * CHUNK : (index + 1) * CHUNK] for index in range(CHUNKS)]


def streamed(codec, cuts):
    """The stream of a codec, from as many banks as there are cuts and one more."""
    wanted = frozenset({codec})
    bank, stream, packets = EncoderBank(title="Test"), b"", []
    for index, pcm16 in enumerate(chunks()):
        if index in cuts:
            successor = EncoderBank(title="Test")
            successor.take_over(bank.passed())
            bank = successor
        made = bank.encode(index * PACKET_FRAMES, pcm16, wanted=wanted, bed=False)
        if codec in made.started:
            stream += made.started[codec].header
        stream += made.coded[codec].stream
        packets += [
            made.coded[codec].packets_position + 882 * number for number in range(len(made.coded[codec].packets))
        ]
        assert not made.failed
        assert (codec in made.started) == (index == 0)
    return stream, packets


def test_a_codec_of_another_version_is_left_out_and_the_others_go_on():
    bank, heir = EncoderBank(title="Test"), EncoderBank(title="Test")
    wanted = frozenset({"mp3"})
    for index, pcm16 in enumerate(chunks()[:3]):
        bank.encode(index * PACKET_FRAMES, pcm16, wanted=wanted, bed=False)
    passed = bank.passed()
    (line,) = passed.lines
    heir.take_over(replace(passed, lines=(replace(line, codec="xhe-aac"), line)))
    assert heir.on_air == wanted
    made = heir.encode(3 * PACKET_FRAMES, chunks()[3], wanted=wanted, bed=False)
    assert made.coded.keys() == wanted
    assert not made.started
    assert not made.failed


def decoded(stream):
    with av.open(io.BytesIO(stream)) as container:
        sound = [frame.to_ndarray().reshape(-1, order="F") for frame in container.decode(audio=0)]
    return np.concatenate(sound).astype(np.float64)


@pytest.mark.parametrize("codec", CODECS)
def test_a_stream_made_by_three_encoders_in_turn_sounds_like_that_of_one(codec):
    whole, packets = streamed(codec, ())
    in_turn, packets_in_turn = streamed(codec, CUTS)
    expected, heard = decoded(whole), decoded(in_turn)
    assert len(heard) == len(expected)
    assert np.abs(heard - expected).max() < 0.02 * np.abs(expected).max()
    assert packets_in_turn == packets


def test_pages_of_an_ogg_stream_are_counted_on_in_one_serial():
    stream, _ = streamed("opus", CUTS)
    places = [place_after(page) for page in pages_of(stream)]
    assert [place.next_page for place in places] == list(range(1, len(places) + 1))
    assert len({place.serial for place in places}) == 1
    assert [place.granule for place in places[2:]] == [960 * number for number in range(1, len(places) - 1)]


def test_a_decoder_that_checks_everything_finds_nothing_wrong_with_a_flac_stream_gone_on_with(tmp_path):
    stream, _ = streamed("flac", CUTS)
    path = tmp_path / "gone-on.flac"
    path.write_bytes(stream)
    command = ["ffmpeg", "-v", "warning", "-err_detect", "crccheck+bitstream+explode", "-i", path, "-f", "null", "-"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stderr == ""


@pytest.mark.parametrize("number", [0, 1, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x1FFFFF, 0x200000, 0x7FFFFFFF])
def test_a_frame_numbered_twice_is_the_frame_it_was(number):
    encoder = open_encoder("flac", "Test")
    frame = encoder.encode(chunks()[0][: 4 * 2205]).stream
    assert frame[:2] == b"\xff\xf8"
    again = renumbered(frame, number)
    assert again[4 : 4 + len(coded_number(number))] == coded_number(number)
    assert renumbered(again, 0) == frame


async def connected():
    listening = trio.socket.socket()
    await listening.bind(("127.0.0.1", 0))
    listening.listen()
    ear = trio.socket.socket()
    await ear.connect(listening.getsockname())
    mouth, _ = await listening.accept()
    listening.close()
    return trio.SocketStream(mouth), trio.SocketStream(ear)


def outlet_to(stream):
    return Outlet(stream, backlog_packets=100, head_start_packets=400, evict_after_seconds=30.0)


async def test_what_a_stalled_socket_has_yet_to_take_is_sent_by_the_outlet_that_goes_on(nursery):
    stream, ear = await connected()
    first = outlet_to(stream)
    nursery.start_soon(first.run)
    first.open(bytes([number]) * 100_000 for number in range(60))
    for number in range(60, 90):
        first.offer(bytes([number]) * 100_000)
    await trio.testing.wait_all_tasks_blocked()
    with trio.fail_after(5):
        tail = await first.hold()
    assert 0 < tail.size_bytes < 9_000_000
    first.offer(b"\xff" * 1000)  # held: nothing of it is written
    second_stream = trio.SocketStream(trio.socket.from_stdlib_socket(socket_again(stream)))
    first.close()
    second = outlet_to(second_stream)
    second.carry_on(tail)
    second.offer(b"\x5a" * 1000)
    nursery.start_soon(second.run)
    heard = b""
    with trio.fail_after(10):
        while len(heard) < 9_001_000:
            heard += await ear.receive_some()
    assert heard == b"".join(bytes([number]) * 100_000 for number in range(90)) + b"\x5a" * 1000
    second.close()
    await ear.aclose()


async def test_an_outlet_that_was_held_in_vain_goes_on(nursery):
    stream, ear = await connected()
    outlet = outlet_to(stream)
    nursery.start_soon(outlet.run)
    assert await outlet.hold() == PassedTail()
    outlet.offer(b"one")
    outlet.offer(b"two")
    outlet.go_on()
    heard = b""
    with trio.fail_after(5):
        while len(heard) < 6:
            heard += await ear.receive_some()
    assert heard == b"onetwo"
    outlet.close()
    await ear.aclose()


class Basket:
    ended_by = None

    def __init__(self):
        self.got = b""

    def offer(self, packet):
        self.got += packet

    def open(self, frames):
        self.got += b"".join(frames)


def player(form, *, icy):
    return Listener(form=http_form(form), outlet=Basket(), head_start_seconds=0.0, icy=icy, dismiss=lambda _: None)


async def test_blocks_of_metadata_go_on_where_a_player_counts_them():
    first, second = (Broadcast(now_playing=lambda: "Test", monotonic_seconds=lambda: 0.0) for _ in range(2))
    bank = EncoderBank(title="Test")
    before, after = player("mp3", icy=True), player("mp3", icy=True)

    async def publish(broadcast, index, pcm16):
        wanted = frozenset({"mp3"})
        chunk = bank.encode(index * PACKET_FRAMES, pcm16, wanted=wanted, bed=False)
        await broadcast.publish(chunk, epoch=3, due_seconds=index / 10)

    with first.listening(before):
        for index, pcm16 in enumerate(chunks()[:47]):
            await publish(first, index, pcm16)
        passed = first.passed()
    second.take_over(passed)
    with second.going_on(after, waiting=False):
        for index, pcm16 in enumerate(chunks()[47:], 47):
            await publish(second, index, pcm16)
    heard, at, titles = before.outlet.got + after.outlet.got, 0, []
    while at + 16_001 < len(heard):
        length = 16 * heard[at + 16_000]
        titles.append(heard[at + 16_001 : at + 16_001 + length].rstrip(b"\0"))
        at += 16_001 + length
    assert at == len(heard)
    assert set(titles) == {b"StreamTitle='Test';"}
    assert second.epoch == 3


async def test_metadata_of_a_form_of_another_version_is_left_out_and_the_others_go_on():
    known = PassedBlocks(form="http.mp3", begun=b"begun", cut_until=PACKET_FRAMES, blocks=())
    passed = PassedBroadcast(epoch=3, chunks=(), headers={}, icy=(replace(known, form="http.xhe-aac"), known))
    broadcast = Broadcast()
    broadcast.take_over(passed)
    assert broadcast.passed() == replace(passed, icy=(known,))


def socket_again(stream):
    """The same connection, as another process would have it."""
    import socket

    return socket.fromfd(stream.socket.fileno(), socket.AF_INET, socket.SOCK_STREAM)
