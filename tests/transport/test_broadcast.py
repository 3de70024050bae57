"""One station on the air: joining, leaving, what is held, and goodbyes."""

import socket
import time
from contextlib import ExitStack

import pytest
import trio

from auralisd.transport.broadcast import Broadcast
from auralisd.transport.chunk import CodedSpan, EncodedChunk, EncoderStart
from auralisd.transport.forms import HLS_FORM, HTTP_FORMS, PUSH_FORMS, STATE_FORM, WEBSOCKET_FORMS
from auralisd.transport.hub import SENDS_PER_STEP
from auralisd.transport.limits import ListenerLimits, packets_in
from auralisd.transport.listener import Listener
from auralisd.transport.outlet import Outlet
from auralisd.units import PACKET_FRAMES

WAV, MP3, OPUS = HTTP_FORMS["wav"], HTTP_FORMS["mp3"], HTTP_FORMS["opus"]


class Recorder:
    """An outlet that takes everything at once and remembers it."""

    def __init__(self):
        self.frames = []
        self.ended_by = None
        self.aborted = False

    def offer(self, packet):
        self.frames.append(packet)

    def open(self, frames):
        self.frames += frames

    def start_over(self, frames):
        self.frames += frames

    def push(self, frame):
        self.frames.append(frame)
        return True

    def abort(self):
        self.aborted = True


def a_listener(form=WAV, *, head_start_seconds=0.0, dismiss=lambda _farewell: None, **what):
    return Listener(form=form, outlet=Recorder(), head_start_seconds=head_start_seconds, dismiss=dismiss, **what)


def a_chunk(number, *, mp3=False, started=None):
    coded = {"mp3": CodedSpan(position=number * PACKET_FRAMES, stream=b"mp3 %d;" % number)} if mp3 else {}
    return EncodedChunk(position=number * PACKET_FRAMES, pcm16=b"pcm %d;" % number, coded=coded, started=started or {})


async def publish(broadcast, *chunks, epoch=1, due_seconds=None):
    for chunk in chunks:
        due = time.monotonic() if due_seconds is None else due_seconds
        await broadcast.publish(chunk, epoch=epoch, due_seconds=due)


def heard(listener):
    return b"".join(listener.outlet.frames)


@pytest.mark.parametrize(("seconds", "packets"), [(0, 0), (0.1, 1), (0.3, 3), (0.31, 4), (4, 40), (20, 200)])
def test_seconds_are_rounded_up_to_packets_and_not_beyond(seconds, packets):
    assert packets_in(seconds) == packets


async def test_only_those_who_hear_count_as_listeners():
    broadcast = Broadcast()
    changes = []
    broadcast.listeners_changed = lambda: changes.append(broadcast.listener_count)
    with broadcast.listening(a_listener(STATE_FORM)):
        assert broadcast.listener_count == 0
        with trio.move_on_after(0.01) as waited:
            await broadcast.wait_listeners()
        assert waited.cancelled_caught
        with broadcast.listening(a_listener(WAV)):
            assert broadcast.listener_count == 1
            with trio.fail_after(1):
                await broadcast.wait_listeners()
    assert changes == [0, 1, 0, 0]


@pytest.mark.parametrize("output", [HLS_FORM, *PUSH_FORMS.values()], ids=lambda form: form.name)
async def test_what_takes_the_sound_elsewhere_keeps_the_station_awake_and_counts_as_nobody(output):
    broadcast = Broadcast()
    with broadcast.listening(a_listener(output)):
        with trio.fail_after(1):
            await broadcast.wait_listeners()
        assert (broadcast.listener_count, broadcast.people_count) == (1, 0)
        with broadcast.listening(a_listener(WAV)):
            assert (broadcast.listener_count, broadcast.people_count) == (2, 1)
        assert (broadcast.listener_count, broadcast.people_count) == (1, 0)
    assert (broadcast.listener_count, broadcast.people_count) == (0, 0)


async def test_waiting_for_listeners_begins_again_when_the_last_one_left():
    broadcast = Broadcast()
    with broadcast.listening(a_listener()):
        pass
    with trio.move_on_after(0.01) as waited:
        await broadcast.wait_listeners()
    assert waited.cancelled_caught


async def test_codecs_are_wanted_while_somebody_receives_or_awaits_them():
    broadcast = Broadcast()
    assert broadcast.wanted_codecs() == frozenset()
    forms = [MP3, WEBSOCKET_FORMS["auralis.v1.opus"], WAV]
    with ExitStack() as everybody:
        for form in forms:
            everybody.enter_context(broadcast.listening(a_listener(form)))
        assert broadcast.wanted_codecs() == {"mp3", "opus"}
    assert broadcast.wanted_codecs() == frozenset()


async def test_who_waits_for_an_encoder_starts_with_its_backlog_and_misses_nothing():
    broadcast = Broadcast()
    await publish(broadcast, *(a_chunk(n) for n in range(8)))
    listener = a_listener(MP3, head_start_seconds=0.3)
    with broadcast.listening(listener):
        await publish(broadcast, a_chunk(8))  # the encoder has yet to hear of it
        assert heard(listener) == b""
        backlog = tuple(CodedSpan(position=n * PACKET_FRAMES, stream=b"mp3 %d;" % n) for n in range(4, 9))
        started = {"mp3": EncoderStart(header=b"head;", backlog=backlog)}
        await publish(broadcast, a_chunk(9, mp3=True, started=started), a_chunk(10, mp3=True))
    assert heard(listener) == b"head;mp3 7;mp3 8;mp3 9;mp3 10;"


async def test_an_encoder_that_failed_and_came_back_repeats_nothing():
    broadcast = Broadcast()
    listener = a_listener(MP3, head_start_seconds=0.5)
    with broadcast.listening(listener):
        started = {"mp3": EncoderStart(header=b"", backlog=())}
        await publish(broadcast, a_chunk(0, mp3=True, started=started), a_chunk(1, mp3=True), a_chunk(2))
        backlog = tuple(CodedSpan(position=n * PACKET_FRAMES, stream=b"again %d;" % n) for n in range(3))
        await publish(broadcast, a_chunk(3, mp3=True, started={"mp3": EncoderStart(header=b"", backlog=backlog)}))
    assert heard(listener) == b"mp3 0;mp3 1;mp3 3;"


async def test_what_is_held_from_before_a_sleep_is_no_head_start():
    broadcast = Broadcast()
    await publish(broadcast, a_chunk(0), a_chunk(1), due_seconds=time.monotonic() - 5)
    listener = a_listener(head_start_seconds=1.0)
    with broadcast.listening(listener):
        assert heard(listener) == b""
        await publish(broadcast, a_chunk(70))
        assert heard(listener) == b"pcm 70;"


async def test_a_head_start_never_spans_a_gap_or_an_epoch():
    broadcast = Broadcast()
    await publish(broadcast, a_chunk(0), a_chunk(1), a_chunk(5), a_chunk(6))
    with broadcast.listening(listener := a_listener(head_start_seconds=1.0)):
        assert heard(listener) == b"pcm 5;pcm 6;"
    await publish(broadcast, a_chunk(7), epoch=2)
    with broadcast.listening(listener := a_listener(head_start_seconds=1.0)):
        assert heard(listener) == b"pcm 7;"


async def test_who_joins_while_a_packet_goes_out_gets_it_once():
    broadcast = Broadcast()
    crowd = [a_listener() for _ in range(2 * SENDS_PER_STEP)]
    late = a_listener(head_start_seconds=0.1)

    class BringsAFriend(Recorder):
        def offer(self, packet):
            super().offer(packet)
            if not late.outlet.frames:
                broadcast._join(late)

    crowd[SENDS_PER_STEP - 1].outlet = BringsAFriend()
    for listener in crowd:
        broadcast._join(listener)
    await publish(broadcast, a_chunk(0), a_chunk(1))
    assert heard(late) == b"pcm 0;pcm 1;"
    assert {heard(listener) for listener in crowd} == {b"pcm 0;pcm 1;"}


@pytest.mark.logs_errors
async def test_a_fault_with_one_listener_costs_the_others_nothing():
    broadcast = Broadcast()

    class Faulty(Recorder):
        def offer(self, packet):
            raise ValueError("nobody foresaw this")

    one, faulty, other = a_listener(), a_listener(), a_listener()
    faulty.outlet = Faulty()
    for listener in (one, faulty, other):
        broadcast._join(listener)
    await publish(broadcast, a_chunk(0))
    assert heard(one) == heard(other) == b"pcm 0;"
    assert faulty.outlet.aborted


async def test_a_greeting_that_fails_leaves_nobody_behind():
    broadcast = Broadcast()

    def greet(_welcome):
        raise ValueError("nobody foresaw this")

    listener = a_listener(WEBSOCKET_FORMS["auralis.v1.pcm16"], greet=greet)
    with pytest.raises(ValueError, match="foresaw"), broadcast.listening(listener):
        pass
    assert broadcast.listener_count == 0


async def test_between_every_256_sends_others_get_a_turn():
    broadcast = Broadcast()
    crowd = [a_listener() for _ in range(SENDS_PER_STEP + 1)]
    for listener in crowd:
        broadcast._join(listener)
    turns = []

    async def watch():
        while not heard(crowd[-1]):
            turns.append(sum(bool(heard(listener)) for listener in crowd))
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        await trio.lowlevel.checkpoint()
        await publish(broadcast, a_chunk(0))
    assert set(turns) <= {0, SENDS_PER_STEP}


async def test_a_listener_counts_itself_in_its_greeting():
    broadcast = Broadcast()
    counted = []

    def greet(_welcome):
        counted.append(broadcast.listener_count)
        return b"hello"

    with broadcast.listening(a_listener(WEBSOCKET_FORMS["auralis.v1.pcm16"], greet=greet)):
        assert counted == [1]


async def test_what_does_not_fit_the_history_is_forgotten():
    broadcast = Broadcast(limits=ListenerLimits(history_seconds=0.5))
    await publish(broadcast, *(a_chunk(n) for n in range(20)))
    with broadcast.listening(listener := a_listener(head_start_seconds=20)):
        assert heard(listener) == b"".join(b"pcm %d;" % n for n in range(15, 20))


async def test_goodbye_is_bounded_however_slow_the_listeners(autojump_clock):
    broadcast = Broadcast()
    dismissed = []
    listener = a_listener(dismiss=dismissed.append)
    broadcast._join(listener)
    started_at = trio.current_time()
    await broadcast.say_goodbye(retry_ms=500, reason="stopping")
    assert trio.current_time() - started_at == pytest.approx(1.0)
    assert listener.outlet.aborted
    assert [(farewell.reason, farewell.retry_ms) for farewell in dismissed] == [("stopping", 500)]


async def test_who_comes_after_the_goodbye_is_dismissed_at_once():
    broadcast = Broadcast()
    await broadcast.say_goodbye(retry_ms=500, reason="stopping")
    dismissed = []
    with broadcast.listening(a_listener(dismiss=dismissed.append)):
        assert len(dismissed) == 1


class Crowd:
    """Listeners on real sockets: some read, some do not."""

    def __init__(self, nursery):
        self.nursery = nursery
        self.sockets = []

    async def join(self, broadcast, form, **limits):
        ours, theirs = trio.socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        how = {"backlog_packets": 40, "head_start_packets": 200, "evict_after_seconds": 10.0} | limits
        outlet = Outlet(trio.SocketStream(ours), **how)
        self.sockets += [theirs, outlet]

        async def listen(task_status):
            listener = Listener(form=form, outlet=outlet, head_start_seconds=0, dismiss=lambda _: outlet.finish())
            with outlet.scope, broadcast.listening(listener):
                task_status.started()
                await outlet.run()

        await self.nursery.start(listen)
        return theirs


@pytest.fixture
async def crowd(nursery):
    crowd = Crowd(nursery)
    yield crowd
    for end in crowd.sockets:
        end.close()


async def test_ten_listeners_of_mixed_kinds_get_bit_identical_packets(crowd, nursery):
    broadcast = Broadcast()
    forms = [WAV] * 4 + [WEBSOCKET_FORMS["auralis.v1.pcm16"]] * 4 + [MP3] * 2
    heard = [bytearray() for _ in forms]

    async def listen(end, into):
        while data := await end.recv(65_536):
            into += data

    for form, into in zip(forms, heard, strict=True):
        nursery.start_soon(listen, await crowd.join(broadcast, form), into)
    started = {"mp3": EncoderStart(header=b"head;", backlog=())}
    for n in range(25):
        span = CodedSpan(position=n * PACKET_FRAMES, stream=b"mp3 %06d;" % n * 160)
        chunk = EncodedChunk(
            position=n * PACKET_FRAMES, pcm16=bytes([n]) * 17_640, coded={"mp3": span}, started={} if n else started
        )
        await publish(broadcast, chunk)
        await trio.sleep(0.005)
    await broadcast.say_goodbye(retry_ms=0, reason="stopping")
    assert heard[:4] == [b"".join(bytes([n]) * 17_640 for n in range(25))] * 4
    assert heard[4] == heard[5] == heard[6] == heard[7]
    assert len(heard[4]) == 25 * (4 + 32 + 17_640)
    assert heard[8] == heard[9] == b"head;" + b"".join(b"mp3 %06d;" % n * 160 for n in range(25))


async def test_a_listener_that_stops_reading_costs_the_others_nothing_and_is_gone_in_its_time(
    crowd, nursery, autojump_clock
):
    """Real sockets, virtual time: 30 s of programme, one of two listeners never reads a byte."""
    broadcast = Broadcast()
    received = bytearray()

    async def listen(end):
        while data := await end.recv(65_536):
            received.extend(data)

    nursery.start_soon(listen, await crowd.join(broadcast, WAV))
    await crowd.join(broadcast, WAV)
    gone_at = None
    for n in range(300):
        await publish(broadcast, EncodedChunk(position=n * PACKET_FRAMES, pcm16=bytes([n % 251]) * 17_640))
        await trio.sleep(0.1)
        if gone_at is None and broadcast.listener_count == 1:
            gone_at = trio.current_time()
        assert len(received) == (n + 1) * 17_640
    assert gone_at is not None
    assert gone_at <= 11.0
    assert broadcast.listener_count == 1
