"""The way out to one socket, on real loopback sockets."""

import errno
import socket

import pytest
import trio
import trio.testing

from auralisd.transport.outlet import Outlet

PACKET = 17_640


class Pair:
    """A listener's socket and the outlet to it."""

    def __init__(self, outlet, ear):
        self.outlet = outlet
        self.ear = ear

    async def hear(self, size):
        heard = b""
        with trio.fail_after(5):
            while len(heard) < size:
                heard += await self.ear.receive_some()
        return heard


@pytest.fixture
async def open_pair(nursery):
    pairs = []

    async def open_one(**how):
        listening = trio.socket.socket()
        await listening.bind(("127.0.0.1", 0))
        listening.listen()
        ear = trio.socket.socket()
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        await ear.connect(listening.getsockname())
        mouth, _ = await listening.accept()
        listening.close()
        mouth.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
        how = {"backlog_packets": 10, "head_start_packets": 50, "evict_after_seconds": 30.0} | how
        pair = Pair(Outlet(trio.SocketStream(mouth), **how), trio.SocketStream(ear))
        pairs.append(pair)
        return pair

    yield open_one
    for pair in pairs:
        pair.outlet.close()
        pair.ear.socket.close()


def packet(number):
    return bytes([number % 251]) * PACKET


async def test_a_listener_that_keeps_up_never_wakes_its_sender(open_pair):
    pair = await open_pair()
    for number in range(20):
        pair.outlet.offer(packet(number)[:1500])
        assert not pair.outlet.behind
        assert await pair.hear(1500) == packet(number)[:1500]


async def test_what_the_socket_refuses_is_sent_later_and_whole(open_pair, nursery):
    pair = await open_pair()
    nursery.start_soon(pair.outlet.run)
    for number in range(8):
        pair.outlet.offer(packet(number))
    assert pair.outlet.behind
    assert await pair.hear(8 * PACKET) == b"".join(map(packet, range(8)))
    await trio.testing.wait_all_tasks_blocked()
    assert not pair.outlet.behind
    assert pair.outlet.skipped_packets == 0


async def test_a_listener_too_far_behind_skips_whole_packets_to_the_live_edge(open_pair, nursery):
    skips = []
    pair = await open_pair(skipped=skips.append)
    nursery.start_soon(pair.outlet.run)
    for number in range(100):
        pair.outlet.offer(packet(number))
        await trio.lowlevel.checkpoint()
    pair.outlet.finish()
    heard = await drain(pair)
    assert len(heard) % PACKET == 0
    packets = [heard[at : at + PACKET] for at in range(0, len(heard), PACKET)]
    numbers = [one[0] for one in packets]
    assert packets == [packet(number) for number in numbers]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 99
    assert sum(skips) == pair.outlet.skipped_packets == 100 - len(numbers) > 50


@pytest.mark.parametrize("count", [1, 40, 600])
async def test_a_head_start_comes_whole_and_in_order_however_much_of_it_the_socket_takes(open_pair, nursery, count):
    pair = await open_pair()
    frames = [packet(number)[: 1 + number * 37 % 1700] for number in range(count)]
    pair.outlet.preface(b"the head")
    pair.outlet.open(frames)
    pair.outlet.offer(b"the next packet")
    nursery.start_soon(pair.outlet.run)
    expected = b"the head" + b"".join(frames) + b"the next packet"
    assert await pair.hear(len(expected)) == expected


async def test_a_head_start_that_fits_is_written_with_one_call(open_pair, monkeypatch):
    pair = await open_pair()
    calls = []

    class Counted:
        def __getattr__(self, name):
            calls.append(name)
            return getattr(direct, name)

    direct = pair.outlet._direct
    monkeypatch.setattr(pair.outlet, "_direct", Counted())
    pair.outlet.preface(b"the head")
    pair.outlet.open([bytes([number]) * 50 for number in range(40)])
    monkeypatch.undo()
    assert calls == ["sendmsg"]
    assert len(await pair.hear(8 + 40 * 50)) == 8 + 40 * 50


async def test_a_preface_goes_by_itself_where_nothing_follows_yet(open_pair, nursery):
    pair = await open_pair()
    pair.outlet.preface(b"the head")
    nursery.start_soon(pair.outlet.run)
    assert await pair.hear(8) == b"the head"
    await trio.testing.wait_all_tasks_blocked()
    pair.outlet.open([b"header", b"sound"])
    pair.outlet.offer(b"more")
    assert await pair.hear(15) == b"headersoundmore"
    assert not pair.outlet.behind


async def test_a_preface_passes_to_another_process_with_what_else_waits(open_pair, nursery):
    pair = await open_pair()
    pair.outlet.preface(b"the head")
    assert (await pair.outlet.hold()).first == (b"the head",)


async def test_a_head_start_to_a_peer_that_has_gone_ends_the_outlet(open_pair):
    pair = await open_pair()
    pair.ear.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    pair.ear.socket.close()
    await trio.sleep(0.01)
    pair.outlet.open([packet(1), packet(2)])
    assert pair.outlet.ended_by == "gone"


async def drain(pair):
    """All that comes until the sender has nothing left."""
    heard = b""
    with trio.move_on_after(0.3):
        while True:
            heard += await pair.ear.receive_some()
    return heard


async def test_frames_of_ours_survive_a_skip_and_tear_nothing(open_pair, nursery):
    pair = await open_pair()
    nursery.start_soon(pair.outlet.run)
    for number in range(60):
        pair.outlet.offer(packet(number))
        if number % 20 == 10:
            assert pair.outlet.push(b"\xff" * 7)
    heard = await drain(pair)
    ours = 0
    while heard:
        if heard[0] == 0xFF:
            assert heard[:7] == b"\xff" * 7
            heard, ours = heard[7:], ours + 1
        else:
            assert heard[:PACKET] == packet(heard[0])
            heard = heard[PACKET:]
    assert ours == 3


async def test_a_head_start_is_sent_whole_however_long_it_is(open_pair, nursery):
    pair = await open_pair()
    nursery.start_soon(pair.outlet.run)
    pair.outlet.open([packet(number) for number in range(40)])
    for number in range(40, 80):
        pair.outlet.offer(packet(number))
    heard = await pair.hear(80 * PACKET)
    assert heard == b"".join(map(packet, range(80)))


async def test_starting_over_drops_what_waits_and_nothing_else(open_pair, nursery):
    pair = await open_pair()
    nursery.start_soon(pair.outlet.run)
    for number in range(9):
        pair.outlet.offer(packet(number))
    pair.outlet.start_over([b"\xfe" * 9])
    pair.outlet.offer(packet(200))
    heard = await drain(pair)
    assert heard.endswith(b"\xfe" * 9 + packet(200))
    assert (len(heard) - 9) % PACKET == 0
    assert len(heard) < 9 * PACKET


async def test_a_listener_that_takes_nothing_is_evicted_by_the_clock(open_pair, nursery, autojump_clock):
    pair = await open_pair(evict_after_seconds=10.0)
    nursery.start_soon(pair.outlet.run)
    started_at = trio.current_time()
    with pair.outlet.scope:
        while True:
            pair.outlet.offer(packet(1))
            await trio.sleep(0.1)
    assert pair.outlet.ended_by == "too_slow"
    assert 10.0 <= trio.current_time() - started_at <= 10.5


async def test_a_listener_that_takes_a_little_now_and_then_stays(open_pair, nursery):
    pair = await open_pair(evict_after_seconds=0.3)
    nursery.start_soon(pair.outlet.run)
    with trio.move_on_after(1.0), pair.outlet.scope:
        while True:
            pair.outlet.offer(packet(1))
            await trio.sleep(0.05)
            await pair.ear.receive_some(60_000)
    assert pair.outlet.ended_by is None


async def test_a_peer_that_resets_ends_its_own_connection(open_pair, nursery):
    pair = await open_pair()
    nursery.start_soon(pair.outlet.run)
    pair.ear.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    pair.ear.socket.close()
    with trio.fail_after(2), pair.outlet.scope:
        while True:
            pair.outlet.offer(packet(1))
            await trio.sleep(0.01)
    assert pair.outlet.ended_by == "gone"
    with pytest.raises(trio.BrokenResourceError):
        await pair.outlet.send(b"hello?")


async def test_what_is_offered_after_the_end_goes_nowhere(open_pair):
    pair = await open_pair()
    pair.outlet.close()
    pair.outlet.offer(packet(1))
    pair.outlet.open([packet(1)])
    assert not pair.outlet.push(b"x")
    with pytest.raises(trio.ClosedResourceError):
        await pair.outlet.send(b"x")


async def test_a_closed_outlet_never_writes_to_whoever_has_its_descriptor_next(open_pair):
    pair = await open_pair()
    descriptor = pair.outlet._socket.fileno()
    pair.outlet.close()
    one, other = socket.socketpair()
    with one, other:
        assert descriptor in (one.fileno(), other.fileno())
        pair.outlet.offer(packet(1))
        one.setblocking(False)
        other.setblocking(False)
        for end in (one, other):
            with pytest.raises(BlockingIOError) as nothing:
                end.recv(1)
            assert nothing.value.errno == errno.EAGAIN


async def test_finishing_sends_what_waits_and_returns(open_pair, nursery):
    pair = await open_pair()
    for number in range(8):
        pair.outlet.offer(packet(number))
    pair.outlet.finish()
    async with trio.open_nursery() as inner:
        inner.start_soon(pair.outlet.run)
        assert await pair.hear(8 * PACKET) == b"".join(map(packet, range(8)))
    assert pair.outlet.ended_by == "finished"


async def test_nothing_but_the_close_frame_itself_follows_a_seal(open_pair):
    pair = await open_pair()
    pair.outlet.seal()
    pair.outlet.offer(packet(1))
    assert not pair.outlet.push(b"state")
    await pair.outlet.send(b"close")
    assert not pair.outlet.push(b"state")
    pair.outlet.close()
    with trio.fail_after(1):
        assert await pair.hear(5) == b"close"
        assert await pair.ear.receive_some() == b""


async def test_nothing_follows_a_finish(open_pair):
    pair = await open_pair()
    pair.outlet.finish()
    pair.outlet.open([packet(1)] * 20)
    pair.outlet.offer(packet(1))
    assert not pair.outlet.push(b"x")
    with pytest.raises(trio.ClosedResourceError):
        await pair.outlet.send(b"x")
    await pair.outlet.run()
    pair.outlet.close()
    with trio.fail_after(1):
        assert await pair.ear.receive_some() == b""


async def test_the_kernel_holds_little_for_a_stalled_listener(open_pair):
    pair = await open_pair()
    accepted = 0
    while not pair.outlet.behind:
        pair.outlet.offer(packet(1))
        accepted += PACKET
    assert accepted < 256 * 1024
