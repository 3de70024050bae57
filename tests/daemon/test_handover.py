"""A daemon that hands over to another process: the listeners, the clients that come meanwhile, and what can fail."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import trio

from auralisd.daemon.handover.estate import Cut, Estate, PassedPiece, PassedStation, Plan, Word
from auralisd.daemon.handover.gate import Gate
from auralisd.daemon.handover.links import VARIABLE, successor_environ, take_inheritance
from auralisd.daemon.handover.parcel import receive_parcel, send_parcel
from auralisd.daemon.handover.predecessor import Succession
from auralisd.daemon.handover.successor import Successor
from auralisd.daemon.passed_sockets import PassedSocket
from auralisd.edge.travellers import PassedListener
from auralisd.errors import HandoverError
from auralisd.transport.broadcast import Broadcast, PassedBroadcast
from auralisd.transport.codecs import EncoderPlace
from auralisd.transport.encoders import PassedBank, PassedLine
from auralisd.transport.hub import PassedBlocks
from auralisd.transport.outlet import PassedTail
from auralisd.units import PACKET_FRAMES
from tests.live.handed_over import Ear, end, hand_over, last_successor
from tests.live.listeners import connect, read
from tests.live.running_daemon import running_daemon

CONTAINERS = ("opus", "mp3", "flac", "aac")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    name: str
    parts: tuple[tuple[bytes, float], ...]


@pytest.fixture
def link():
    ours, theirs = socket.socketpair()
    yield tuple(trio.SocketStream(trio.socket.from_stdlib_socket(one)) for one in (ours, theirs))
    ours.close()
    theirs.close()


async def test_a_parcel_arrives_as_it_was_sent_with_its_sockets(link, nursery):
    load = Load(name="é", parts=tuple((bytes([number]) * 50_000, number / 3) for number in range(40)))
    pairs = [socket.socketpair() for _ in range(450)]
    descriptors = [one.fileno() for one, _ in pairs]
    nursery.start_soon(send_parcel, link[0], "load", load, descriptors)
    with trio.fail_after(10):
        arrived, sockets = await receive_parcel(link[1], "load", Load)
    assert arrived == load
    for number, (passed, (_, peer)) in enumerate(zip(sockets, pairs, strict=True)):
        passed.send(bytes([number % 256]))
        assert peer.recv(1) == bytes([number % 256])
        assert not passed.get_inheritable()
    for one in [*sockets, *(one for pair in pairs for one in pair)]:
        one.close()


async def test_what_a_newer_version_adds_to_a_parcel_is_passed_over(link):
    await send_parcel(link[0], "load", {"name": "x", "parts": [], "new": 1})
    assert (await receive_parcel(link[1], "load", Load))[0] == Load(name="x", parts=())


@pytest.mark.parametrize("content", [{"parts": []}, {"name": "x", "parts": [[1]]}])
async def test_a_parcel_that_does_not_fit_is_refused(link, content):
    await send_parcel(link[0], "load", content)
    with pytest.raises(HandoverError, match="does not fit"):
        await receive_parcel(link[1], "load", Load)


async def test_a_process_that_ends_in_the_midst_of_a_parcel_is_said_to_be_gone(link):
    await link[0].send_all(b"\0\0\0\x10")
    await link[0].aclose()
    with pytest.raises(HandoverError, match="gone"):
        await receive_parcel(link[1], "load", Load)


async def test_a_parcel_of_absurd_size_is_refused_unread(link):
    await link[0].send_all(b"\xff" * 16)
    with pytest.raises(HandoverError, match="more is passed"):
        await receive_parcel(link[1], "load", Load)


async def test_a_gate_holds_the_packets_from_a_position_on_until_it_is_released(nursery, autojump_clock):
    gate, passed = Gate(), []

    async def play():
        for position in range(5):
            await gate.reach(position)
            passed.append(position)

    gate.hold(3)
    nursery.start_soon(play)
    await trio.sleep(1)
    assert passed == [0, 1, 2]
    assert gate.parked
    gate.release()
    await trio.sleep(1)
    assert passed == [0, 1, 2, 3, 4]
    assert not gate.parked


async def test_those_who_are_admitted_at_once_are_all_counted(autojump_clock, log_lines):
    class Door:
        @staticmethod
        def admit(connection, passed):
            return passed != "gone on the way"

    link, other = socket.socketpair()
    with link, other:
        successor = Successor(link)
        successor._listeners = ["here"] * 300 + ["gone on the way"] * 2
        successor._sockets = [None] * 302
        await successor.go(Door())
        successor._link.socket.close()
    told = next(line for line in log_lines if line["event"] == "took over")
    assert (told["listeners"], told["lost"]) == (300, 2)


def test_what_is_inherited_is_for_the_child_alone_and_leaves_the_environment():
    link, _other = socket.socketpair()
    with link, _other, socket.create_server(("127.0.0.1", 0)) as listening:
        passed = [PassedSocket(name="auralisd.socket", listening=listening)]
        environ = successor_environ({"A": "b", "WATCHDOG_PID": "1", "WATCHDOG_USEC": "5"}, link, passed)
        assert environ.keys() == {"A", "WATCHDOG_USEC", VARIABLE}
        assert take_inheritance(environ) is None  # this process is not its own child
        assert VARIABLE not in environ
        environ = {VARIABLE: json.dumps({"from": os.getppid(), "link": os.dup(link.fileno()), "listening": []})}
        inherited = take_inheritance(environ)
        assert inherited is not None
        inherited.link.close()


@pytest.mark.parametrize("words", ["", "[]", "{}", '{"from": 0}', '{"from": -1, "link": "x"}'])
def test_an_environment_that_makes_no_sense_is_no_inheritance(words):
    assert take_inheritance({VARIABLE: words}) is None


async def given_to(link, estate, sockets=()):
    """Be a predecessor that has nothing on the air."""
    await receive_parcel(link, "ready", Word)
    await send_parcel(link, "plan", Plan(stations=()))
    await receive_parcel(link, "prepared", Word)
    await send_parcel(link, "cut", Cut(positions={}))
    await send_parcel(link, "estate", estate, sockets)


def heard(form, *, station="main"):
    tail = PassedTail()
    return PassedListener(station=station, form=form, icy=False, waiting=False, sent_packets=0, tail=tail)


async def test_what_only_another_version_encodes_is_left_out_with_one_line(nursery, log_lines):
    ours, theirs = socket.socketpair()
    link = trio.SocketStream(trio.socket.from_stdlib_socket(theirs))
    place = EncoderPlace(header=b"", frames_taken=0, next_pts=0)
    line = PassedLine(codec="xhe-aac", place=place, packets_position=0, first_position=0)
    blocks = PassedBlocks(form="http.xhe-aac", begun=b"", cut_until=0, blocks=())
    passed = PassedStation(
        id="main",
        title="Auralis",
        preset=None,
        pinned=False,
        piece=PassedPiece(seed=1, epoch=2, origin=0, start_controls={}, changes=()),
        position=0,
        due_seconds=0.0,
        lead_seconds=0.0,
        next_packet=0,
        on_air=False,
        broadcast=PassedBroadcast(epoch=2, chunks=(), headers={}, icy=(blocks,)),
        bank=PassedBank(position=0, pcm16=b"", lines=(line,)),
    )
    listeners = tuple(heard(form) for form in ("mp3", "xhe-aac", "xhe-aac"))
    nursery.start_soon(given_to, link, Estate(stations=(passed,), listeners=listeners))
    station, heir = SimpleNamespace(broadcast=Broadcast()), Successor(ours)
    with trio.fail_after(5):
        await heir.rehearse(lambda _passed, _piece: station, lambda _station: None)
        assert await heir.take(lambda _passed, _piece: station) == [station]
    assert station.passed_bank == passed.bank
    assert [(entry["log_level"], entry["formats"], entry["listeners"]) for entry in log_lines] == [
        ("warning", ["http.xhe-aac", "xhe-aac"], 2)
    ]
    link.socket.close()
    await heir.predecessor_gone()


async def test_what_both_versions_know_needs_no_line(nursery, log_lines):
    ours, theirs = socket.socketpair()
    link = trio.SocketStream(trio.socket.from_stdlib_socket(theirs))
    listeners = tuple(heard(form) for form in (*CONTAINERS, "wav", "auralis.v1.opus"))
    nursery.start_soon(given_to, link, Estate(stations=(), listeners=listeners))
    heir = Successor(ours)
    with trio.fail_after(5):
        await heir.rehearse(lambda _passed, _piece: None, lambda _station: None)
        await heir.take(lambda _passed, _piece: None)
    assert log_lines == []
    link.socket.close()
    await heir.predecessor_gone()


class Connection:
    """A player whose connection can end while it is being passed on."""

    def __init__(self):
        ours, self.theirs = socket.socketpair()
        self.stream = trio.SocketStream(trio.socket.from_stdlib_socket(ours))
        self.station, self.form = "main", "mp3"
        self.listener = SimpleNamespace(icy=False, waiting=False, sent_packets=0)
        self.outlet = self
        self.scope = trio.CancelScope()
        self.talk = None
        self.leaves = False

    async def hold(self):
        if self.leaves:
            self.stream.socket.close()
        await trio.lowlevel.checkpoint()
        return PassedTail()

    def go_on(self):
        """Nothing is written to it in any case."""

    def close(self):
        """The same."""


class Door:
    """Has some connections, and lets go of them."""

    def __init__(self, travellers):
        self.travellers = travellers

    def shut(self):
        """Nobody comes."""

    async def settled(self, *, within_seconds):
        """Nobody asks for anything."""

    async def part(self, travellers, *, within_seconds):
        return 0


TAKES_EVERYTHING = """
import json, os, socket, trio
from auralisd.daemon.handover.estate import Cut, Estate, Plan, Word
from auralisd.daemon.handover.links import VARIABLE
from auralisd.daemon.handover.parcel import receive_parcel, send_parcel

async def take():
    told = json.loads(os.environ[VARIABLE])
    link = trio.SocketStream(trio.socket.from_stdlib_socket(socket.socket(fileno=told["link"])))
    await send_parcel(link, "ready", Word())
    await receive_parcel(link, "plan", Plan)
    await send_parcel(link, "prepared", Word())
    await receive_parcel(link, "cut", Cut)
    estate, sockets = await receive_parcel(link, "estate", Estate)
    assert len(estate.listeners) == len(sockets) == 2
    await send_parcel(link, "adopted", Word())
    await receive_parcel(link, "go", Word)

trio.run(take)
"""


async def test_a_listener_that_leaves_in_the_midst_of_the_passing_is_not_counted_as_passed(log_lines, monkeypatch):
    processes, start = [], trio.lowlevel.open_process

    async def started(*what, **how):
        processes.append(await start(*what, **how))
        return processes[0]

    monkeypatch.setattr(trio.lowlevel, "open_process", started)
    connections = [Connection() for _ in range(3)]
    connections[1].leaves = True
    succession = Succession(
        stations=tuple,
        keeper=SimpleNamespace(let_go=False),
        notifier=SimpleNamespace(main_process=lambda _process: None),
        listening=(),
        stopping=trio.Event(),
        command=lambda: [sys.executable, "-c", TAKES_EVERYTHING],
    )
    succession.door = Door(tuple(connections))
    succession.ask()
    with trio.fail_after(60):
        await succession.run()
        assert await processes[0].wait() == 0
    (told,) = [entry for entry in log_lines if entry["event"] == "handed over"]
    assert (told["passed"], told["closed"]) == (2, 0)
    for connection in connections:
        connection.stream.socket.close()
        connection.theirs.close()


def went_wrong(path):
    """What ffmpeg has to say of a stream, less what it says of every one without a length."""
    command = ["ffmpeg", "-v", "warning", "-i", path, "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return [line for line in said.splitlines() if line and "Estimating duration" not in line]


def seconds_of(path):
    command = ["ffmpeg", "-v", "error", "-i", path, "-f", "s16le", "-ac", "2", "-ar", "48000", "-"]
    return len(subprocess.run(command, capture_output=True, check=True).stdout) / (4 * 48_000)


class Caller:
    """Asks for the health again and again, each time over a new connection, and counts who was refused."""

    def __init__(self, url):
        self.answered, self.failures, self.slowest_seconds = 0, [], 0.0
        self._url, self._leave = url, threading.Event()
        self._thread = threading.Thread(target=self._call, daemon=True)
        self._thread.start()

    def _call(self):
        while not self._leave.wait(0.02):
            began = time.monotonic()
            try:
                with urllib.request.urlopen(self._url + "/healthz", timeout=20) as answer:
                    answer.read()
                    self.answered += 1
            except OSError as error:
                self.failures.append(repr(error))
            self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)

    def leave(self):
        self._leave.set()
        self._thread.join()


@pytest.mark.realtime
def test_players_hear_one_stream_through_a_restart_and_nobody_is_refused(tmp_path):
    with running_daemon() as daemon:
        daemon.wait_rendering()
        ears = {form: Ear(daemon.port, form) for form in (*CONTAINERS, "wav")}
        caller = Caller(daemon.url)
        time.sleep(6)
        before = daemon.get_json("/api/v1/stations")["stations"][0]
        successor, again = hand_over(daemon), None
        try:
            time.sleep(5)
            after = daemon.get_json("/api/v1/stations")["stations"][0]
            caller.leave()
            for ear in ears.values():
                ear.leave()
                assert not ear.closed
            os.kill(successor, signal.SIGUSR2)  # and once more: the process that took over hands over too
            ends_at = time.monotonic() + 120
            while again is None and time.monotonic() < ends_at:
                time.sleep(0.5)
                found = daemon.log_path.read_text()
                if found.count("handed over") == 2:
                    again = last_successor(daemon)
            assert again is not None, daemon.log_path.read_text()
        finally:
            end(again or successor)
        log = daemon.log_path.read_text()
        gaps = {form: round(ear.longest_gap_seconds(), 3) for form, ear in ears.items()}
        print(f"longest gap in seconds: {gaps}; slowest of {caller.answered} answers: {caller.slowest_seconds:.2f} s")
        assert after["epoch"] == before["epoch"]
        assert after["seed"] == before["seed"]
        assert after["listeners"] == len(ears)
        assert not caller.failures
        assert max(gaps.values()) < 1.0, gaps  # as much was sent ahead
        lengths = {}
        for form in CONTAINERS:
            path = tmp_path / f"heard.{form}"
            path.write_bytes(ears[form].body)
            assert went_wrong(path) == []
            lengths[form] = seconds_of(path)
        lengths["wav"] = (len(ears["wav"].body) - 44) / (4 * 44_100)
        positions = (after["position"] - before["position"]) / 44_100
        for form, seconds in lengths.items():
            assert positions + 5 < seconds < positions + 12, (form, seconds)  # the time before, the first burst
        assert "bed on the air" not in log
        assert "is not held" not in log
        assert "Traceback" not in log


class ServiceManager:
    """Takes what the daemon tells systemd."""

    def __init__(self, path):
        self.told = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(0.2)
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        while not self._leave.is_set():
            with suppress(TimeoutError):
                self.told.append(self._socket.recv(4096).decode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._leave.set()
        self._thread.join()
        self._socket.close()


@pytest.mark.realtime
def test_systemd_is_told_which_process_is_the_service_from_then_on_and_that_one_feeds_the_watchdog(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "2000000")
    with ServiceManager(tmp_path / "notify") as manager, running_daemon() as daemon:
        daemon.wait_rendering()
        successor = hand_over(daemon)
        try:
            main = manager.told.index(f"MAINPID={successor}")
            time.sleep(3)
            assert not any(message.startswith("STOPPING") for message in manager.told)
            assert "READY=1" in manager.told[main:]
            assert manager.told[main:].count("WATCHDOG=1") >= 3
        finally:
            end(successor)


@pytest.mark.realtime
def test_websockets_pass_and_one_in_the_midst_of_a_message_resumes_without_a_packet_missing():
    with running_daemon() as daemon, ExitStack() as stack:
        daemon.wait_rendering()
        passing = [stack.enter_context(connect(daemon.port, f"auralis.v1.{form}")) for form in ("pcm16", "opus")]
        first = stack.enter_context(connect(daemon.port, "auralis.v1.pcm16"))
        hearing(3.0, *passing, first)
        first.connection.sendall(b"\x81\x85\0\0\0\0{")  # the rest of it never comes
        asked = threading.Thread(target=daemon.process.send_signal, args=(signal.SIGUSR2,))
        asked.start()
        hearing(120.0, first, beside=passing)
        successor = None
        try:
            assert first.closed
            onward = f"?epoch={first.epoch}&position={first.position + PACKET_FRAMES}"
            second = stack.enter_context(connect(daemon.port, "auralis.v1.pcm16", query=onward))
            hearing(3.0, *passing, second)
            daemon.process.wait(timeout=20)
            successor = last_successor(daemon)
            gaps = [round(listener.longest_gap_seconds, 3) for listener in passing]
            print(f"longest gap of two WebSockets in seconds: {gaps}")
            assert not any(listener.closed for listener in passing)
            assert second.epoch == first.epoch == passing[0].epoch
            assert second.first_sequence == first.sequence + 1
            assert [listener.jumps for listener in (*passing, first, second)] == [0, 0, 0, 0]
            assert passing[0].sequence >= second.sequence - 1
        finally:
            if successor is None and "handed over" in daemon.log_path.read_text():
                successor = last_successor(daemon)
            if successor is not None:
                end(successor)


def hearing(seconds, *listeners, beside=()):
    """Listen for so long, or until all of ``listeners`` are closed."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at and not all(listener.closed for listener in listeners):
        for listener in (*listeners, *beside):
            read(listener, time.monotonic())
        time.sleep(0.005)


WITH_A_SUCCESSOR = """
import sys
import auralisd.daemon.handover.predecessor as predecessor
predecessor.READY_SECONDS = {patience}
command = [sys.executable, "-c", {code!r}, *sys.argv[1:]]
predecessor.Succession.__init__.__kwdefaults__["command"] = lambda: command
from auralisd.cli import main
main()
"""
NOT_READY = "import time; time.sleep(600)"
BROKEN = "raise SystemExit(3)"
DIES_WITH_EVERYTHING = """
import os
from auralisd.daemon.handover.successor import Successor
async def die(self):
    os._exit(9)
Successor.wait_for_go = die
from auralisd.cli import main
main()
"""


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("code", "patience", "reason"),
    [
        (BROKEN, 120, "gone"),
        (NOT_READY, 2, "not ready within 2 s"),
        (DIES_WITH_EVERYTHING, 120, "gone"),
    ],
    ids=["broken", "not ready", "dies with everything"],
)
def test_where_the_successor_fails_the_music_goes_on_and_one_line_says_so(tmp_path, code, patience, reason):
    program = ("-c", WITH_A_SUCCESSOR.format(code=code, patience=patience))
    with running_daemon(program=program) as daemon:
        daemon.wait_rendering()
        ears = {form: Ear(daemon.port, form) for form in CONTAINERS}
        time.sleep(2)
        daemon.process.send_signal(signal.SIGUSR2)
        daemon.wait_for(lambda: "this process goes on" in daemon.log_path.read_text())
        time.sleep(3)
        assert daemon.get_json("/api/v1/stations")["stations"][0]["listeners"] == len(ears)
        for form, ear in ears.items():
            ear.leave()
            assert not ear.closed
            assert ear.longest_gap_seconds() < 1.0
            path = tmp_path / f"heard.{form}"
            path.write_bytes(ear.body)
            assert went_wrong(path) == []
        said = [line for line in daemon.log_path.read_text().splitlines() if "this process goes on" in line]
        assert len(said) == 1
        assert reason in said[0]
        assert "bed on the air" not in daemon.log_path.read_text()
        assert daemon.process.poll() is None
        assert daemon.stop() < 3.5


@pytest.mark.realtime
def test_sigterm_says_goodbye_while_a_successor_is_being_started():
    with running_daemon() as daemon:
        daemon.wait_rendering()
        ear = Ear(daemon.port, "mp3")
        time.sleep(1)
        daemon.process.send_signal(signal.SIGUSR2)
        time.sleep(2)
        assert daemon.stop() < 3.5
        time.sleep(0.5)
        assert ear.closed
        ear.leave()
        log = daemon.log_path.read_text()
        assert "handed over" not in log
        children = subprocess.run(["pgrep", "-f", f"--port {daemon.port}"], capture_output=True, text=True, check=False)
        assert children.stdout == "", "the successor outlived its predecessor"
