"""One packet to many sockets with one call of the kernel."""

import errno
import os
import socket
import struct
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
import trio
import trio.testing

from auralisd.transport import volley as volleys
from auralisd.transport.forms import HTTP_FORMS, V0_FORM
from auralisd.transport.hub import VOLLEY_FROM, Delivery
from auralisd.transport.limits import NoMetrics
from auralisd.transport.listener import Listener
from auralisd.transport.outlet import Outlet
from auralisd.transport.volley import MOST_AT_ONCE, Volley, open_volley

PACKET = bytes(range(250)) * 6


@pytest.fixture
def volley():
    opened = open_volley()
    if opened is None:
        pytest.skip("this kernel has no io_uring to give")
    yield opened
    opened.close()


@contextmanager
def connections(count):
    """Pairs of sockets, the listener's end first."""
    with ExitStack() as stack, socket.create_server(("127.0.0.1", 0), backlog=count) as server:
        pairs = []
        for _ in range(count):
            ear = stack.enter_context(socket.create_connection(server.getsockname(), timeout=5))
            mouth = stack.enter_context(server.accept()[0])
            mouth.setblocking(False)
            pairs.append((ear, mouth))
        yield pairs


def heard(ear, size):
    data = b""
    while len(data) < size:
        data += ear.recv(size - len(data))
    return data


def test_every_socket_gets_the_whole_packet_every_time(volley):
    with connections(MOST_AT_ONCE) as pairs:
        for turn, count in enumerate((MOST_AT_ONCE, 100, 201, 7, 1, MOST_AT_ONCE)):  # round the ring's end too
            packet = bytes([turn]) + PACKET
            some = pairs[:count]
            results = volley.send([mouth.fileno() for _, mouth in some], packet)
            assert results.tolist() == [len(packet)] * count
            for ear, _ in some:
                assert heard(ear, len(packet)) == packet


def test_a_socket_that_is_full_takes_what_it_can_and_then_nothing_and_is_not_waited_for(volley):
    with connections(2) as ((_, full), (ear, mouth)):
        full.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)
        packet, taken = os.urandom(300_000), []
        while not taken or taken[-1] > 0:
            taken.append(int(volley.send([full.fileno()], packet)[0]))
        assert 0 < max(taken) < len(packet)
        assert taken[-1] == -errno.EAGAIN
        assert volley.send([full.fileno(), mouth.fileno()], PACKET).tolist() == [-errno.EAGAIN, len(PACKET)]
        assert heard(ear, len(PACKET)) == PACKET


def test_who_is_gone_or_closed_is_reported_at_its_own_place(volley):
    with connections(3) as ((gone, mouth_of_gone), (closed_ear, closed), (ear, mouth)):
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.close()
        descriptors = [mouth_of_gone.fileno(), closed.fileno(), mouth.fileno()]
        closed.close()
        reset, bad, sent = volley.send(descriptors, PACKET)
        assert -reset in (errno.ECONNRESET, errno.EPIPE)
        assert bad == -errno.EBADF
        assert sent == len(PACKET)
        assert heard(ear, len(PACKET)) == PACKET
        assert closed_ear.recv(1) == b""


def test_a_ring_that_was_given_back_sends_nothing_and_says_so(volley):
    with connections(1) as ((ear, mouth),):
        volley.close()
        volley.close()
        assert volley.broken
        assert volley.send([mouth.fileno()], PACKET).tolist() == [-errno.EAGAIN]
        ear.setblocking(False)
        with pytest.raises(BlockingIOError):
            ear.recv(1)


def test_a_ring_that_the_kernel_takes_back_costs_no_packet(volley, monkeypatch):
    """What it had not taken by then is reported as not sent, and is never sent later."""
    with connections(2) as pairs:
        monkeypatch.setattr(volleys, "_ENTER", 9_999)
        assert (volley.send([mouth.fileno() for _, mouth in pairs], PACKET) == -errno.EAGAIN).all()
        assert volley.broken
        for ear, _ in pairs:
            ear.setblocking(False)
            with pytest.raises(BlockingIOError):
                ear.recv(1)


def test_where_the_kernel_has_none_there_is_none(monkeypatch):
    monkeypatch.setattr(volleys, "_SETUP", 9_999)
    assert open_volley() is None


def test_a_ring_is_not_inherited_by_other_programs(volley):
    assert not os.get_inheritable(volley._ring)


class Counting(Volley):
    """Remembers how many each call wrote to."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def send(self, descriptors, packet):
        self.calls.append(len(descriptors))
        return super().send(descriptors, packet)


@pytest.fixture
async def audience(nursery):
    """As many listeners over real sockets as are asked for."""
    with ExitStack() as stack:
        outlets = []

        def open_all(count, form=HTTP_FORMS["wav"]):
            ears, listeners = [], []
            for ear, mouth in stack.enter_context(connections(count)):
                mouth.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
                stream = trio.SocketStream(trio.socket.from_stdlib_socket(mouth.dup()))
                outlet = Outlet(stream, backlog_packets=10, head_start_packets=50, evict_after_seconds=30.0)
                outlets.append(outlet)
                nursery.start_soon(outlet.run)
                ears.append(ear)
                listeners.append(
                    Listener(form=form, outlet=outlet, head_start_seconds=0.0, dismiss=lambda _farewell: None)
                )
            return ears, listeners

        yield open_all
        for outlet in outlets:
            outlet.close()


def deliver(listeners, packet, form=HTTP_FORMS["wav"]):
    return Delivery(form=form, packet=packet, listeners=tuple(listeners))


@pytest.fixture
def counting(volley):
    opened = Counting()
    yield opened
    opened.close()


async def test_a_packet_goes_to_many_with_one_call_and_in_steps_with_few(audience, counting):
    ears, listeners = audience(MOST_AT_ONCE + VOLLEY_FROM - 1)
    await deliver(listeners, PACKET).make(NoMetrics(), counting)
    assert counting.calls == [MOST_AT_ONCE]  # the last few are written to in turn
    for ear, listener in zip(ears, listeners, strict=True):
        assert heard(ear, len(PACKET)) == PACKET
        assert listener.sent_packets == 1


async def test_who_stalls_among_many_gets_every_packet_whole_and_in_order_later(audience, counting):
    ears, listeners = audience(VOLLEY_FROM)
    packets = [bytes([number]) * 60_000 for number in range(8)]
    for packet in packets:
        await deliver(listeners, packet).make(NoMetrics(), counting)
        for ear in ears[1:]:
            assert await trio.to_thread.run_sync(heard, ear, len(packet)) == packet
    assert listeners[0].outlet.behind
    assert counting.calls[-1] < VOLLEY_FROM  # it is left out while it is behind
    everything = await trio.to_thread.run_sync(heard, ears[0], 8 * 60_000)
    assert everything == b"".join(packets)
    await trio.testing.wait_all_tasks_blocked()
    assert not listeners[0].outlet.behind
    await deliver(listeners, PACKET).make(NoMetrics(), counting)
    assert counting.calls[-1] == VOLLEY_FROM
    assert {one.sent_packets for one in listeners} == {9}
    assert {one.outlet.skipped_packets for one in listeners} == {0}


async def test_who_is_gone_ends_alone(audience, counting):
    ears, listeners = audience(VOLLEY_FROM)
    ears[3].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    ears[3].close()
    await deliver(listeners, PACKET).make(NoMetrics(), counting)
    assert listeners[3].outlet.ended_by == "gone"
    for number, ear in enumerate(ears):
        if number != 3:
            assert heard(ear, len(PACKET)) == PACKET
            assert listeners[number].outlet.ended_by is None


@pytest.mark.parametrize("silence", ["hush", "close", "hold"])
async def test_nothing_is_written_to_who_takes_nothing_now(audience, counting, silence):
    ears, listeners = audience(VOLLEY_FROM + 1)
    await trio.testing.wait_all_tasks_blocked()
    if silence == "hold":
        await listeners[0].outlet.hold()
    else:
        getattr(listeners[0].outlet, silence)()
    await deliver(listeners, PACKET).make(NoMetrics(), counting)
    assert counting.calls == [VOLLEY_FROM]
    ears[0].setblocking(False)
    with pytest.raises(BlockingIOError):
        ears[0].recv(1)
    if silence == "hold":
        listeners[0].outlet.go_on()
        ears[0].settimeout(5)
        assert await trio.to_thread.run_sync(heard, ears[0], len(PACKET)) == PACKET


async def test_messages_that_differ_from_one_to_the_next_are_sent_in_turn(audience, counting):
    ears, listeners = audience(VOLLEY_FROM, V0_FORM)
    await deliver(listeners, b"AAAA", V0_FORM).make(NoMetrics(), counting)
    assert counting.calls == []
    assert b'"data":"AAAA"' in ears[0].recv(4_096)


async def test_with_a_broken_ring_everybody_is_written_to_in_turn(audience, counting):
    ears, listeners = audience(VOLLEY_FROM)
    counting.close()
    await deliver(listeners, PACKET).make(NoMetrics(), counting)
    assert counting.calls == []
    for ear in ears:
        assert heard(ear, len(PACKET)) == PACKET


def test_results_come_back_in_the_order_of_the_descriptors(volley):
    with connections(64) as pairs:
        descriptors = [mouth.fileno() if number % 3 else -1 for number, (_, mouth) in enumerate(pairs)]
        expected = [len(PACKET) if number % 3 else -errno.EBADF for number in range(64)]
        assert np.array_equal(volley.send(descriptors, PACKET), expected)
