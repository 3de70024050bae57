"""A real daemon behind Caddy and nginx, each with the very file of the documents, over TLS."""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import os
import statistics
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from xml.etree import ElementTree

import pytest

from tests.live.hostile.witness import Witness, descriptors
from tests.live.listeners import Listener, next_message, take_audio
from tests.live.proxies import NAME, PROXIES, need, proxy
from tests.live.running_daemon import running_daemon

pytestmark = pytest.mark.realtime

TOKEN = "a-token-of-some-length"
PACKET_SECONDS = 0.1
PACKET_BYTES = {"mp3": 2_400, "opus": 1_600, "wav": 17_640}
LUMP_SECONDS = 0.35
"""From one arrival to the next: a packet, and the quarter of a second that a player has in its buffer."""
FIRST_BYTE_SECONDS = 1.0
STALLED_SECONDS = 13.0
"""Longer than a listener of PCM may take nothing."""
AT_ONCE, FEW = 8, 6
OLD_PROTOCOLS = {("ssl", "2"), ("ssl", "3"), ("tls", "1.0"), ("tls", "1.1")}


def settings(folder, *, trusted=("127.0.0.1",), hls=("main",)):
    """The options of a daemon that is shown under the public name."""
    (folder / "token").write_text(TOKEN + "\n")
    (folder / "config.toml").write_text(
        f"""
        seed = 7
        public_url = "https://{NAME}"
        trusted_proxies = {json.dumps(trusted)}
        token_file = "{folder}/token"
        hls = {json.dumps(hls)}
        """
    )
    return ("--config", str(folder / "config.toml"))


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    folder = tmp_path_factory.mktemp("daemon")
    with running_daemon(*settings(folder), state_dir=folder / "state") as started:
        started.wait_rendering()
        yield started


@pytest.fixture(scope="module", params=PROXIES)
def front(request, daemon, tmp_path_factory):
    """Each of the proxies in front of it."""
    with proxy(request.param, tmp_path_factory.mktemp(request.param), daemon_port=daemon.port) as started:
        yield started


def asked(front, path, *options):
    """Status, headers (names in lower case) and body of what curl gets."""
    done = subprocess.run(front.curl(path, "--include", "--http1.1", *options), capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    first, *lines = head.decode().splitlines()
    return int(first.split()[1]), {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}, body


def test_the_page_comes_over_tls_as_the_daemon_sent_it(front, daemon):
    status, headers, body = asked(front, "/")
    direct = http.client.HTTPConnection("127.0.0.1", daemon.port)
    direct.request("GET", "/", headers={"Host": NAME})
    assert status == 200
    assert body == direct.getresponse().read()
    assert "default-src" in headers["content-security-policy"]
    assert headers["cross-origin-opener-policy"] == "same-origin"  # only where browsers trust the origin
    assert headers["strict-transport-security"] == "max-age=31536000"
    direct.close()


def test_whoever_comes_without_tls_is_sent_to_it(front):
    plain = http.client.HTTPConnection("127.0.0.1", front.plain_port)
    plain.request("GET", "/api/v1/status", headers={"Host": NAME})
    answer = plain.getresponse()
    assert answer.status in (301, 308)
    assert answer.headers["location"] == f"https://{NAME}/api/v1/status"
    plain.close()


def test_whoever_has_the_token_may_steer_and_nobody_else(front, daemon):
    change = ("--request", "PATCH", "--json", '{"brightness": 0.6}')
    bearer = ("--header", f"Authorization: Bearer {TOKEN}")
    path = "/api/v1/stations/main/controls"
    assert asked(front, path, *change)[0] == 401
    assert asked(front, path, *change, "--header", "Authorization: Bearer another")[0] == 403
    assert asked(front, path, *change, *bearer, "--header", "Origin: https://evil.example")[0] == 403
    status, _, body = asked(front, path, *change, *bearer, "--header", f"Origin: https://{NAME}")
    assert (status, json.loads(body)["controls"]["brightness"]) == (200, 0.6)
    assert asked(front, path, *change, *bearer, "--data", "x" * 100_000)[0] == 413


def test_another_name_is_not_answered(front):
    _, _, body = asked(front, "/api/v1/status", "--header", "Host: evil.example")
    assert b"stations" not in body


def test_streams_come_packet_by_packet_and_not_in_lumps(front):
    came = arrivals_of_all_streams(front)
    if not all(each.is_prompt() for each in came.values()):  # what the proxy has done, it does again
        came = arrivals_of_all_streams(front)
    for (form, version), each in came.items():
        print(f"{front.kind} {form} {version}: {each}")
        assert each.is_prompt()
        assert each.usual_gap_seconds == pytest.approx(PACKET_SECONDS, rel=0.2)
        assert each.usual_bytes == pytest.approx(PACKET_BYTES[form], rel=0.5)


def arrivals_of_all_streams(front):
    """How each form comes in each version of HTTP, all at the same time."""
    streams = list(itertools.product(PACKET_BYTES, ["http1.1", "http2"]))
    commands = [front.curl(f"/stream.{form}?burst=0", f"--{version}") for form, version in streams]
    with ThreadPoolExecutor(len(streams)) as pool:
        return dict(zip(streams, pool.map(arrivals, commands), strict=True))


@dataclass(frozen=True)
class Arrivals:
    """How a stream came."""

    first_byte_seconds: float
    usual_gap_seconds: float
    longest_gap_seconds: float
    usual_bytes: float

    def is_prompt(self):
        return self.first_byte_seconds < FIRST_BYTE_SECONDS and self.longest_gap_seconds < LUMP_SECONDS


def arrivals(command):
    """How what ``command`` writes comes within eight seconds."""
    came, began = [], time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as curl:
        while time.monotonic() < began + 8:
            data = os.read(curl.stdout.fileno(), 262_144)
            assert data
            came.append((time.monotonic() - began, len(data)))
        curl.terminate()
    steps = steps_of(came)[5:]  # past the head of the stream
    gaps = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(steps)]
    return Arrivals(
        first_byte_seconds=round(came[0][0], 3),
        usual_gap_seconds=round(statistics.median(gaps), 3),
        longest_gap_seconds=round(max(gaps), 3),
        usual_bytes=statistics.median(size for _, size in steps),
    )


def steps_of(arrivals, together_seconds=0.03):
    """Arrivals with so little between them are one: pairs of its beginning in seconds and its bytes."""
    steps = []
    for at, size in arrivals:
        if steps and at - steps[-1][1] < together_seconds:
            steps[-1] = (steps[-1][0], at, steps[-1][2] + size)
        else:
            steps.append((at, at, size))
    return [(began, size) for began, _, size in steps]


def test_a_stream_in_lumps_would_be_seen():
    lumps = [(second + 0.001 * part, 4096) for second in range(4) for part in range(4)]
    assert steps_of(lumps) == [(second, 16_384) for second in range(4)]


def websocket(front, *headers):
    """The connection on which a WebSocket was asked for, and the head of the answer."""
    connection = front.connect()
    lines = ["GET /ws/stream HTTP/1.1", f"Host: {NAME}", "Upgrade: websocket", "Connection: Upgrade", *headers]
    lines += [f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}", "Sec-WebSocket-Version: 13"]
    connection.sendall("\r\n".join([*lines, "Sec-WebSocket-Protocol: auralis.v1.pcm16", "", ""]).encode())
    received = bytearray()
    while b"\r\n\r\n" not in received:
        data = connection.recv(65_536)
        assert data, bytes(received)
        received += data
    head, _, rest = bytes(received).partition(b"\r\n\r\n")
    return connection, head, rest


def test_sound_comes_over_a_websocket_without_a_gap(front):
    gap_seconds = longest_gap_over_a_websocket(front)
    if gap_seconds >= LUMP_SECONDS:  # what the proxy has done, it does again
        gap_seconds = longest_gap_over_a_websocket(front)
    assert gap_seconds < LUMP_SECONDS


def longest_gap_over_a_websocket(front):
    """Within eight seconds of which no packet is missing."""
    connection, head, rest = websocket(front, f"Origin: https://{NAME}")
    assert head.startswith(b"HTTP/1.1 101 ")
    listener = Listener(form="auralis.v1.pcm16", connection=connection, connected_at=time.monotonic(), websocket=True)
    take_audio(listener, rest, time.monotonic())
    ends_at, arrived = time.monotonic() + 8, []
    while time.monotonic() < ends_at:
        before = listener.packets
        take_audio(listener, connection.recv(262_144), time.monotonic())
        if listener.packets > before:
            arrived.append(time.monotonic())
    connection.close()
    assert listener.packets > 70
    assert listener.jumps == 0
    return max(later - earlier for earlier, later in itertools.pairwise(arrived[5:]))


def test_a_websocket_of_another_page_is_refused(front):
    connection, head, _ = websocket(front, "Origin: https://evil.example")
    connection.close()
    assert head.startswith(b"HTTP/1.1 403 ")


def test_a_websocket_steers_with_the_token_alone(front):
    connection, _, rest = websocket(front)
    received = bytearray(rest)
    texts = []
    for message in ({"type": "control", "controls": {"space": 0.3}}, {"type": "authorize", "token": TOKEN}):
        connection.sendall(masked(json.dumps(message).encode()))
    ends_at = time.monotonic() + 3
    while time.monotonic() < ends_at and not any(text["type"] == "authorized" for text in texts):
        received += connection.recv(262_144)
        while (message := next_message(received)) is not None:
            if message[0] == 1:
                texts.append(json.loads(message[1]))
    connection.close()
    kinds = [text["type"] for text in texts]
    assert next(text for text in texts if text["type"] == "hello")["limits"]["may_control"] is False
    assert "error" in kinds
    assert "authorized" in kinds


def masked(payload):
    """A text frame of a client; a mask of zeros is a mask."""
    return bytes([0x81, 0x80 | len(payload)]) + bytes(4) + payload


def test_hls_is_handed_through(front):
    ends_at = time.monotonic() + 20
    while (found := asked(front, "/hls/main/aac.m3u8"))[0] != 200:
        assert time.monotonic() < ends_at
        time.sleep(0.5)
    status, headers, playlist = found
    assert headers["content-type"].startswith("application/vnd.apple.mpegurl")
    segment = next(line for line in playlist.decode().splitlines() if line.endswith(".m4s"))
    status, headers, body = asked(front, f"/hls/main/{segment}")
    assert (status, headers["content-type"]) == (200, "audio/mp4")
    assert len(body) > 10_000
    assert "immutable" in headers["cache-control"]


def changed(connection, forwarded_for=None):
    """The status of a change."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    if forwarded_for is not None:
        headers["X-Forwarded-For"] = forwarded_for
    connection.request("PATCH", "/api/v1/stations/main/controls", b'{"space": 0.5}', headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


@contextmanager
def through(front, source):
    """A connection to the proxy from ``source``."""
    connection = http.client.HTTPConnection(NAME)
    connection.sock = front.connect(source=source)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def straight(daemon, source):
    """A connection past the proxy from ``source``."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, source_address=(source, 0))
    try:
        yield connection
    finally:
        connection.close()


def beside_one_who_changes_too_much(connecting, *others):
    """The statuses of a few changes of each of ``others``, while one whom ``connecting`` reaches makes too many.

    That one says of every change that it comes from somewhere else, and is told 429 before the others begin.
    """
    told, ended = threading.Event(), threading.Event()

    def change_too_much(first):
        number = first
        while not ended.is_set():
            with connecting() as connection:
                if changed(connection, f"203.0.113.{number % 256}") == 429:
                    told.set()
            number += AT_ONCE

    with ThreadPoolExecutor(AT_ONCE) as pool:
        floods = [pool.submit(change_too_much, first) for first in range(AT_ONCE)]
        try:
            assert told.wait(20), "one client, whatever it says of itself, may change things ten times a second"
            return [[changed_once(other) for _ in range(FEW)] for other in others]
        finally:
            ended.set()
            for flood in floods:
                flood.result()


def changed_once(connecting):
    with connecting() as connection:
        return changed(connection)


def test_whom_the_proxy_names_is_counted_and_whom_the_client_names_is_not(front, daemon):
    many, another = partial(through, front, "127.0.0.2"), partial(through, front, "127.0.0.3")
    assert beside_one_who_changes_too_much(many, another) == [[200] * FEW]


def test_who_is_no_configured_hop_names_nobody(front, daemon):
    many, another = partial(straight, daemon, "127.0.0.9"), partial(through, front, "127.0.0.4")
    assert beside_one_who_changes_too_much(many, another) == [[200] * FEW]


def test_behind_a_proxy_that_is_not_configured_all_clients_are_one(tmp_path):
    with running_daemon(*settings(tmp_path, trusted=(), hls=()), state_dir=tmp_path / "state") as daemon:
        daemon.wait_rendering()
        for kind in PROXIES:
            with proxy(kind, tmp_path / kind, daemon_port=daemon.port) as front:
                many, another = partial(through, front, "127.0.0.2"), partial(through, front, "127.0.0.3")
                [statuses] = beside_one_who_changes_too_much(many, another)
                assert 429 in statuses, kind


def test_a_stalled_listener_behind_the_proxy_harms_nobody(front, daemon):
    gap_seconds = longest_gap_beside_stalled_listeners(front, daemon)
    if gap_seconds >= LUMP_SECONDS:  # what they have done, they do again
        gap_seconds = longest_gap_beside_stalled_listeners(front, daemon)
    print(f"{front.kind}: longest gap beside stalled listeners {gap_seconds:.3f} s")
    assert gap_seconds < LUMP_SECONDS


def longest_gap_beside_stalled_listeners(front, daemon):
    """In what is heard through the proxy and beside it; that nothing was lost, and nothing is left, is seen to."""
    open_before = descriptors(daemon)
    with ExitStack() as stalled, Witness(daemon.port) as witness:
        time.sleep(2)
        began = time.monotonic()
        for path in ("/stream.wav", "/stream.flac", "/stream.mp3") * 3:
            connection = stalled.enter_context(front.connect(receive_buffer_bytes=2304))
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        connection, _, rest = websocket(front)
        stalled.enter_context(connection)
        listener = Listener(form="auralis.v1.pcm16", connection=connection, connected_at=began, websocket=True)
        take_audio(listener, rest, began)
        arrived = []
        while time.monotonic() < began + STALLED_SECONDS:
            take_audio(listener, connection.recv(262_144), time.monotonic())
            arrived.append(time.monotonic())
        packets = witness.packets_since(began)
    assert listener.jumps == 0
    assert witness.lost == []
    assert {later.sequence - earlier.sequence for earlier, later in itertools.pairwise(packets)} == {1}
    daemon.wait_for(lambda: descriptors(daemon) <= open_before, time.monotonic() - daemon.started_at + 5)
    beside = [packet.arrived_at for packet in packets]
    return max(later - earlier for heard in (arrived[5:], beside) for earlier, later in itertools.pairwise(heard))


def test_a_listener_who_leaves_the_proxy_leaves_the_daemon(front, daemon):
    time.sleep(1)
    open_before = descriptors(daemon)
    connections = [front.connect() for _ in range(5)]
    for connection in connections:
        connection.sendall(f"GET /stream.mp3 HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        assert connection.recv(65_536)
    daemon.wait_for(lambda: descriptors(daemon) >= open_before + 5, time.monotonic() - daemon.started_at + 5)
    for connection in connections:
        connection.close()
    daemon.wait_for(lambda: descriptors(daemon) <= open_before, time.monotonic() - daemon.started_at + 5)


def test_sslscan_finds_no_old_protocol_and_no_weak_cipher(front, tmp_path):
    need("sslscan", "sslscan")
    report = tmp_path / "report.xml"
    scan = ["sslscan", f"--xml={report}", f"--sni-name={NAME}", f"127.0.0.1:{front.port}"]
    subprocess.run(scan, check=True, capture_output=True, timeout=60)
    found = ElementTree.parse(report)
    protocols = {
        (each.attrib["type"], each.attrib["version"]): each.attrib["enabled"] for each in found.iter("protocol")
    }
    assert protocols.keys() >= OLD_PROTOCOLS
    assert {protocols[each] for each in OLD_PROTOCOLS} == {"0"}
    assert protocols["tls", "1.2"] == protocols["tls", "1.3"] == "1"
    ciphers = [each.attrib for each in found.iter("cipher")]
    print(f"{front.kind}: {', '.join(each['cipher'] for each in ciphers)}")
    assert ciphers
    assert {each["strength"] for each in ciphers} <= {"strong", "acceptable"}
    assert min(int(each["bits"]) for each in ciphers) >= 128
    assert {each.attrib["vulnerable"] for each in found.iter("heartbleed")} == {"0"}
    assert {each.attrib["supported"] for each in found.iter("compression")} <= {"0"}
