"""WebSockets that pass from one front door to another while their clients hear and speak."""

import json
import os
import socket

import pytest
import trio

from auralisd.access import AccessPolicy
from auralisd.edge.travellers import at_rest, packed
from auralisd.edge.ws_stream import FrameCounter
from auralisd.transport.packet import unpack_header
from auralisd.units import PACKET_FRAMES
from tests.edge.test_ws_audio import (
    OPUS,
    PCM,
    STATE,
    V0,
    close_code,
    connect,
    handshake,
    receive,
    receive_json,
    receive_packets,
    say,
)


async def everybody_listens(house, count):
    revision = 0
    with trio.fail_after(5):
        while len(house.door.travellers) < count:
            revision = await house.station.wait_changed(revision)
            await trio.lowlevel.checkpoint()


async def pass_over(old, new):
    """Let everybody who can pass from one house to the other; how many did, and how many were told goodbye."""
    taken = []
    new.programme.position = old.programme.position
    travellers = old.door.travellers
    await at_rest(travellers)
    for traveller in travellers:
        try:
            passed = await packed(traveller)
        except trio.ClosedResourceError:
            traveller.go_on()
            continue
        connection = socket.socket(fileno=os.dup(traveller.stream.socket.fileno()))
        assert new.door.admit(connection, passed)
        taken.append(traveller)
    return len(taken), await old.door.part(taken, within_seconds=1)


def masked(text, *, first=0x81):
    return bytes([first, 0x80 | len(text)]) + b"\0\0\0\0" + text.encode()


@pytest.mark.parametrize("form", [PCM, OPUS])
async def test_a_websocket_that_passes_misses_no_packet_and_is_greeted_once(open_house, form):
    old, new = await open_house(), await open_house()
    async with connect(old, form) as websocket:
        await receive_json(websocket, "state")
        await old.play(4)
        await new.play(1)  # its encoder runs
        assert await pass_over(old, new) == (1, 0)
        await new.play(4)
        numbers = [unpack_header(packet).sequence for packet in await receive_packets(websocket, 8)]
        assert numbers == list(range(numbers[0], numbers[0] + 8))
        await say(websocket, type="ping", client_time=7)
        assert (await receive_json(websocket, "pong"))["client_time"] == 7
        assert new.broadcast.listener_count == 1
        assert old.broadcast.listener_count == 0


async def test_the_first_protocol_goes_on_counting_where_it_was(open_house):
    old, new = await open_house(), await open_house()
    async with connect(old) as websocket:
        await everybody_listens(old, 1)
        await old.play(3)
        assert await pass_over(old, new) == (1, 0)
        await new.play(3)
        assert [(await receive(websocket))["sequence"] for _ in range(6)] == [0, 1, 2, 3, 4, 5]


async def test_who_was_authorized_may_still_control_and_who_was_not_may_not(open_house):
    policy = AccessPolicy(token="open sesame", bind_is_loopback=False)
    old, new = await open_house(policy=policy), await open_house(policy=policy)
    async with connect(old, STATE) as owner, connect(old, STATE) as guest:
        await say(owner, type="authorize", token="open sesame")
        await receive_json(owner, "authorized")
        await everybody_listens(old, 2)
        assert await pass_over(old, new) == (2, 0)
        for websocket in (owner, guest):
            await say(websocket, type="control", id=1, controls={"brightness": 0.25})
        assert (await receive_json(owner, "applied"))["controls"]["brightness"] == 0.25
        assert (await receive_json(guest, "error"))["code"] == "unauthorized"


async def test_what_was_said_before_the_passing_is_answered_by_the_one_who_heard_it(open_house):
    old, new = await open_house(), await open_house()
    async with connect(old, PCM) as websocket:
        await receive_json(websocket, "state")
        for number in range(8):
            await say(websocket, type="ping", client_time=number)
        await trio.sleep(0.05)  # they have come to the other end
        assert await pass_over(old, new) == (1, 0)
        answers = [(await receive_json(websocket, "pong"))["client_time"] for _ in range(8)]
        assert answers == list(range(8))


async def test_what_a_slow_client_has_yet_to_read_passes_with_it(open_house):
    old, new = await open_house(), await open_house()
    answer = await handshake(old, PCM, receive_buffer_bytes=4096)
    await everybody_listens(old, 1)
    await old.play(5)
    (traveller,) = old.door.travellers
    assert traveller.outlet.behind
    assert await pass_over(old, new) == (1, 0)
    await new.play(2)
    received = answer.body
    with trio.fail_after(5):
        while received.count(b"Au\x01") < 7 or len(received) < 7 * PACKET_FRAMES * 4:
            received += await answer.stream.receive_some()
    positions, at = [], 0
    while (at := received.find(b"Au\x01", at)) >= 0:
        positions.append(unpack_header(received[at : at + 36]).position)
        at += PACKET_FRAMES * 4
    assert positions == [number * PACKET_FRAMES for number in range(7)]


@pytest.mark.parametrize(
    "begun",
    [
        masked(json.dumps({"type": "ping"}))[:9],  # in the midst of a frame
        masked("{", first=0x01),  # a whole frame, and half a message
        b"\x81",  # half a header
    ],
)
async def test_in_the_midst_of_a_message_a_client_is_told_goodbye(open_house, begun):
    old, new = await open_house(), await open_house()
    answer = await handshake(old, STATE)
    player = await handshake(old, PCM)
    await everybody_listens(old, 2)
    await answer.stream.send_all(begun)
    await trio.sleep(0.05)
    assert (await pass_over(old, new))[0] == 1
    assert b'"bye"' in await answer.rest()
    await new.play(1)
    assert await player.stream.receive_some()


async def test_who_is_not_taken_after_all_is_read_again(house):
    async with connect(house, STATE) as websocket:
        await receive_json(websocket, "state")
        (traveller,) = house.door.travellers
        await at_rest([traveller])
        await packed(traveller)
        await say(websocket, type="ping", client_time=3)
        traveller.go_on()
        assert (await receive_json(websocket, "pong"))["client_time"] == 3


async def test_a_passed_websocket_closes_as_any_other(open_house):
    old, new = await open_house(), await open_house()
    async with connect(old, PCM) as leaves, connect(old, PCM) as stays:
        await everybody_listens(old, 2)
        assert await pass_over(old, new) == (2, 0)
        with trio.fail_after(2):
            await leaves.aclose(1000, "good night")
            revision = new.station.revision
            while new.broadcast.listener_count > 1:
                revision = await new.station.wait_changed(revision)
        new.stopping.set()
        assert (await receive_json(stays, "bye"))["reason"] == "stopping"
        assert await close_code(stays) == 1001


async def test_a_websocket_of_a_form_that_nobody_here_knows_is_closed(open_house):
    old, new = await open_house(), await open_house()
    async with connect(old, V0) as websocket:
        await everybody_listens(old, 1)
        (traveller,) = old.door.travellers
        await at_rest([traveller])
        passed = await packed(traveller)
        object.__setattr__(passed, "form", "auralis.v9.smell")
        connection = socket.socket(fileno=os.dup(traveller.stream.socket.fileno()))
        assert not new.door.admit(connection, passed)
        assert not new.door.travellers
        traveller.go_on()
        await old.play(1)
        assert (await receive(websocket))["sequence"] == 0


@pytest.mark.parametrize(
    ("data", "messages", "between"),
    [
        (masked("{}"), 1, True),
        (masked(""), 1, True),
        (masked("a", first=0x01) + masked("", first=0x89) + masked("b", first=0x80), 1, True),
        (masked("a", first=0x01) + masked("", first=0x89), 0, False),
        (masked("", first=0x8A), 0, True),
        (masked("{}") + masked("{}")[:3], 1, False),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_whole_messages_are_counted_whatever_pieces_they_come_in(data, messages, between, size):
    counter = FrameCounter()
    for at in range(0, len(data), size):
        counter.feed(data[at : at + size])
    assert (counter.messages, counter.between_messages) == (messages, between)
