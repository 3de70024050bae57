"""A house with one station that plays a known programme, a front door on a real loopback socket, and guests."""

import json
from collections import Counter
from types import SimpleNamespace

import pytest
import trio
import trio.lowlevel

from auralisd.access import AccessPolicy
from auralisd.controls import Controls, merge_change
from auralisd.edge.door_limits import DoorLimits
from auralisd.edge.front_door import open_listeners, serve_front_door
from auralisd.edge.rooms import Room
from auralisd.errors import UnknownNameError
from auralisd.station import AppliedChange, NowSounding, StationSummary
from auralisd.transport.broadcast import Broadcast
from auralisd.transport.chunk import CodedSpan, EncodedChunk, EncoderStart
from auralisd.transport.limits import ListenerLimits
from auralisd.units import OPUS_FRAME_PROGRAMME_FRAMES, PACKET_FRAMES

PROGRAMME_SECONDS = 1000.0


def pcm16_of(position):
    """100 ms of stereo in which every chunk is told from every other."""
    number = position // PACKET_FRAMES
    return (number % 65536).to_bytes(2, "little") * (PACKET_FRAMES * 2)


def span_of(codec, position):
    if codec == "opus":
        packets_position = position - OPUS_FRAME_PROGRAMME_FRAMES
        packets = tuple(b"opus %d " % (packets_position + 882 * i) + b"." * 300 for i in range(5))
        return CodedSpan(
            position=position, stream=b"".join(packets), packets=packets, packets_position=packets_position
        )
    return CodedSpan(position=position, stream=b"<%s %012d>" % (codec.encode(), position) + b"." * 1600)


class Programme:
    """A pacer and encoders in one: publishes as fast as it is asked to."""

    def __init__(self, broadcast):
        self.broadcast = broadcast
        self.position = 0
        self.epoch = 1
        self._running = set()

    def chunk(self, *, last=False):
        position = self.position
        wanted = self.broadcast.wanted_codecs() | self._running
        started = {
            codec: EncoderStart(
                header=b"[%s]" % codec.encode(),
                backlog=tuple(span_of(codec, at) for at in range(max(0, position - 220_500), position, PACKET_FRAMES)),
            )
            for codec in wanted - self._running
        }
        self._running |= wanted
        coded = {codec: span_of(codec, position) for codec in wanted}
        return EncodedChunk(position=position, pcm16=pcm16_of(position), coded=coded, started=started, last=last)

    async def play(self, packets=1):
        for _ in range(packets):
            await self.broadcast.publish(self.chunk(), epoch=self.epoch, due_seconds=PROGRAMME_SECONDS)
            self.position += PACKET_FRAMES
            await trio.lowlevel.checkpoint()


class FakeStation:
    """A station whose controls are real and whose music is not."""

    def __init__(self, station_id, broadcast, programme):
        self.id = station_id
        self.title = "Auralis"
        self.controls = Controls()
        self.revision = 0
        self.broadcast = broadcast
        self.programme = programme
        self._changed = trio.Event()

    async def wait_changed(self, seen_revision):
        while self.revision <= seen_revision:
            await self._changed.wait()
        return self.revision

    def touch(self):
        self.revision += 1
        self._changed.set()
        self._changed = trio.Event()

    def summary(self):
        return StationSummary(
            id=self.id,
            title=self.title,
            seed=1,
            preset=None,
            state="sounding",
            pinned=False,
            listeners=self.broadcast.listener_count,
            epoch=self.programme.epoch,
            position=self.programme.position,
        )

    def now_sounding(self):
        return NowSounding()

    def live_position(self):
        return self.programme.position

    def change_controls(self, change, *, cause, preset=None):
        self.controls, named = merge_change(self.controls, change)
        self.touch()
        positions = dict.fromkeys(named, self.programme.position)
        return AppliedChange(controls=self.controls, positions=positions, live_position=self.programme.position)


class CountingMetrics:
    """Counts every call by its name and arguments."""

    def __init__(self):
        self.counts = Counter()
        self.sent_bytes = Counter()
        self.lateness_seconds = []

    def sent(self, form, byte_count):
        self.sent_bytes[form] += byte_count

    def packet_published(self, lateness_seconds):
        self.lateness_seconds.append(lateness_seconds)

    def packets_skipped(self, form, count=1):
        self.counts["packets_skipped", form] += count

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *what: self.counts.update([(name, *what)])


class House:
    """Everything a test wants to touch."""

    def __init__(self, *, listener_limits=None):
        self.metrics = CountingMetrics()
        self.broadcast = Broadcast(
            limits=listener_limits or ListenerLimits(),
            metrics=self.metrics,
            now_playing=lambda: "Em add9, settling",
            # Stands still, so that what is held never grows stale on a slow machine.
            monotonic_seconds=lambda: PROGRAMME_SECONDS,
        )
        self.programme = Programme(self.broadcast)
        self.station = FakeStation("main", self.broadcast, self.programme)
        self.broadcast.listeners_changed = self.station.touch
        self.stopping = trio.Event()
        self.closed = trio.Event()
        self.requests = []
        self.guests = []
        self.door = None
        self.port = 0

    default_id = "main"

    def ids(self):
        return ("main",)

    def room(self, station_id):
        if station_id != "main":
            raise UnknownNameError("station", station_id, self.ids())
        return Room(station=self.station, broadcast=self.broadcast)

    async def play(self, packets=1):
        await self.programme.play(packets)

    async def open(self, nursery, *, app=None, limits=None, policy=None, admission=None, listeners=None):
        listeners = listeners or await open_listeners("127.0.0.1", 0)
        self.port = listeners[0].socket.getsockname()[1]

        async def serve(task_status=trio.TASK_STATUS_IGNORED):
            await serve_front_door(
                listeners=listeners,
                rooms=self,
                app=app or self.app,
                policy=policy or AccessPolicy(token=None, bind_is_loopback=True),
                limits=limits or DoorLimits(fade_out_seconds=0.05, farewell_seconds=1.0),
                stopping=self.stopping,
                admission=admission,
                metrics=self.metrics,
                task_status=task_status,
            )
            self.closed.set()

        self.door = await nursery.start(serve)

    async def app(self, scope, receive, send):
        """The web app: answers with what it saw."""
        assert scope["type"] == "http", "a web app without a lifespan"
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.requests.append(scope)
        answer = json.dumps(
            {"path": scope["path"], "client": (scope["client"] or ["unix"])[0], "body": body.decode()}
        ).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def connect(self, *, receive_buffer_bytes=None):
        sock = trio.socket.socket()
        if receive_buffer_bytes is not None:
            sock.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, receive_buffer_bytes)
        await sock.connect(("127.0.0.1", self.port))
        stream = trio.SocketStream(sock)
        self.guests.append(stream)
        return stream

    async def send(self, request, **how):
        """A fresh connection with ``request`` on it."""
        stream = await self.connect(**how)
        await stream.send_all(request)
        return stream

    async def get(self, target, *, method="GET", headers=(), version="1.1", **how):
        """A player: its connection, the head of the answer, and what came of the body so far."""
        lines = [f"{method} {target} HTTP/{version}", f"Host: 127.0.0.1:{self.port}", *headers]
        stream = await self.send("\r\n".join([*lines, "", ""]).encode(), **how)
        return await Answer.read_head(stream)


class Answer:
    """An answer of which the head has been read."""

    def __init__(self, stream, status, headers, body):
        self.stream, self.status, self.headers, self.body = stream, status, headers, body

    @classmethod
    async def read_head(cls, stream):
        received = b""
        with trio.fail_after(5):
            while b"\r\n\r\n" not in received:
                data = await stream.receive_some()
                assert data, f"the connection ended within the head: {received!r}"
                received += data
        head, _, body = received.partition(b"\r\n\r\n")
        status_line, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return cls(stream, int(status_line.split()[1]), headers, body)

    async def body_of(self, size):
        with trio.fail_after(5):
            while len(self.body) < size:
                data = await self.stream.receive_some()
                assert data, f"the body ended after {len(self.body)} of {size} bytes"
                self.body += data
        return self.body[:size]

    async def rest(self):
        with trio.fail_after(5):
            while data := await self.stream.receive_some():
                self.body += data
        return self.body

    async def error(self):
        return json.loads(await self.rest())["error"]


@pytest.fixture
async def open_house(nursery):
    """Opens houses: ``await open_house(limits=..., policy=..., app=..., listeners=..., listener_limits=...)``."""

    async def open_one(*, listener_limits=None, **how):
        house = House(listener_limits=listener_limits)
        await house.open(nursery, **how)
        houses.append(house)
        return house

    houses = []
    yield open_one
    for house in houses:
        for guest in house.guests:
            guest.socket.close()


@pytest.fixture
async def house(open_house):
    """A house with everything as it comes."""
    return await open_house()


@pytest.fixture
def expected():
    """What the programme is made of, for comparison."""
    return SimpleNamespace(pcm16_of=pcm16_of, span_of=span_of)
