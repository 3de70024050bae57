"""The source's side of Icecast's protocol, against a real server and against servers that are none."""

from __future__ import annotations

import errno
import shutil
import socket
import ssl
import subprocess
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest
import trio

from auralisd.errors import PushError
from auralisd.transport.codecs import open_encoder
from auralisd.transport.icecast import (
    IcecastMount,
    opened_source,
    send_all_within,
    send_title,
    wait_gone,
)
from auralisd.units import PACKET_FRAMES, SAMPLE_RATE_HZ
from tests.live.icecast import PASSWORD, icecast, needs_icecast, self_made_certificate

SILENCE = bytes(100 * 4 * PACKET_FRAMES)  # ten seconds


def mount_on(port: int, **changes) -> IcecastMount:
    given = {"mount": "/test.mp3", "format": "mp3", "user": "source", "password": PASSWORD} | changes
    return IcecastMount(host="127.0.0.1", port=port, **given)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    unicode = "<mount><mount-name>/titled.mp3</mount-name><charset>UTF-8</charset></mount>"
    with icecast(tmp_path_factory.mktemp("icecast"), more=unicode) as running:
        yield running


async def sources(server):
    return await trio.to_thread.run_sync(server.sources)


@needs_icecast
@pytest.mark.parametrize("form", ["mp3", "aac", "opus"])
async def test_a_server_takes_each_format_as_what_it_is(server, two_tones, form):
    mount = mount_on(server.port, mount=f"/plays.{form}", format=form)
    async with opened_source(mount, title="Tönt\r\nX-Evil: 1") as stream:
        async with playing(stream, form, two_tones(10 * SAMPLE_RATE_HZ).tobytes()):
            await until(server, mount, lambda known: known)
            heard = await trio.to_thread.run_sync(heard_by_ffmpeg, f"{server.url}{mount.mount}")
            known = (await sources(server))[mount.mount]
        strongest_hz = np.argmax(np.abs(np.fft.rfft(heard[-SAMPLE_RATE_HZ:], axis=0)), axis=0)
        assert list(strongest_hz) == [440, 660]
        assert known["server_type"] == {"mp3": "audio/mpeg", "aac": "audio/aac", "opus": "audio/ogg"}[form]
        assert known["genre"] == "Ambient"
        assert known["public"] == "0"
        assert "X-Evil" in known["server_name"]  # one line, and no header of its own


@asynccontextmanager
async def playing(stream, form, pcm16):
    """Send ``pcm16`` as ``form`` in real time, beside the test, with a head start of three seconds."""

    async def send() -> None:
        encoder = open_encoder(form, "Test")
        await send_all_within(stream, encoder.header, seconds=5)
        for number, at in enumerate(range(0, len(pcm16), 4 * PACKET_FRAMES)):
            await send_all_within(stream, encoder.encode(pcm16[at : at + 4 * PACKET_FRAMES]).stream, seconds=5)
            await trio.sleep(0.1 if number > 30 else 0)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        yield
        nursery.cancel_scope.cancel()


def heard_by_ffmpeg(url):
    """Two seconds of ``url`` as ffmpeg decodes them."""
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        url,
        "-t",
        "2",
        "-f",
        "s16le",
        "-ac",
        "2",
        "-ar",
        str(SAMPLE_RATE_HZ),
        "-",
    ]
    done = subprocess.run(command, capture_output=True, check=True, timeout=20)
    return np.frombuffer(done.stdout, dtype="<i2").reshape(-1, 2)


@needs_icecast
async def test_titles_arrive_as_they_are_written(server):
    mount = mount_on(server.port, mount="/titled.mp3")
    async with opened_source(mount, title="Test") as stream, playing(stream, "mp3", SILENCE):
        await until(server, mount, lambda known: known)
        await send_title(mount, "Nacht – D dörian & 100%")
        assert await trio.to_thread.run_sync(server.title_seen_by_players, mount.mount) == "Nacht – D dörian & 100%"


async def until(server, mount, holds):
    """Return when it holds of what the server knows of the mount."""
    with trio.fail_after(5):
        while not holds((await sources(server)).get(mount.mount, {})):  # noqa: ASYNC110 - another process cannot set an event
            await trio.sleep(0.05)


@needs_icecast
async def test_each_refusal_has_its_cause_and_no_password_in_it(server):
    async def refused(mount: IcecastMount) -> PushError:
        with pytest.raises(PushError) as refusal:
            async with opened_source(mount, title="Test"):
                pass
        return refusal.value

    wrong = mount_on(server.port, password="quite-another-password")
    assert (await refused(wrong)).cause == "refused"
    with pytest.raises(PushError) as title_refused:
        await send_title(wrong, "Test")
    assert title_refused.value.cause == "refused"
    with pytest.raises(PushError) as no_such_mount:
        await send_title(mount_on(server.port, mount="/nobody.mp3"), "Test")
    assert no_such_mount.value.cause == "rejected"
    async with opened_source(mount_on(server.port), title="Test"):
        taken = await refused(mount_on(server.port))
    assert taken.cause == "taken"
    for shown in (str(taken), repr(taken), repr(wrong), str(title_refused.value)):
        assert PASSWORD not in shown
        assert "quite-another-password" not in shown


@needs_icecast
async def test_a_server_that_ends_is_noticed_at_once(tmp_path):
    with icecast(tmp_path) as server:
        async with opened_source(mount_on(server.port), title="Test") as stream:
            await trio.to_thread.run_sync(server.kill)
            with trio.fail_after(1):
                gone = await wait_gone(stream)
        assert gone.cause in ("lost", "unreachable")
        with pytest.raises(PushError, match="refused") as unreachable:
            async with opened_source(mount_on(server.port), title="Test"):
                pass
        assert unreachable.value.cause == "unreachable"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl program")
@needs_icecast
async def test_an_encrypted_server_has_to_be_who_it_says(tmp_path):
    with self_made_certificate() as certificate, icecast(tmp_path, certificate=certificate) as server:
        trusting = mount_on(server.port, tls=ssl.create_default_context(cafile=certificate))
        async with opened_source(trusting, title="Test") as stream, playing(stream, "mp3", SILENCE):
            await until(server, trusting, lambda known: known)
            heard = await trio.to_thread.run_sync(heard_by_ffmpeg, f"{server.url}{trusting.mount}")
        assert len(heard) > SAMPLE_RATE_HZ
        with pytest.raises(PushError, match="no encrypted connection: self-signed") as stranger:
            async with opened_source(mount_on(server.port, tls=ssl.create_default_context()), title="Test"):
                pass
        assert stranger.value.cause == "unreachable"


class NoNetwork(trio.abc.SocketFactory, trio.abc.HostnameResolver):
    """What a service finds that may have no sockets but those of AF_UNIX."""

    def socket(self, *_args):
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    async def getaddrinfo(self, *_args):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    async def getnameinfo(self, *_args):
        raise NotImplementedError


@pytest.mark.parametrize("host", ["radio.example.org", "127.0.0.1"])
async def test_a_service_without_a_network_says_how_it_gets_one(host):
    trio.socket.set_custom_socket_factory(NoNetwork())
    trio.socket.set_custom_hostname_resolver(NoNetwork())
    with pytest.raises(PushError, match="install-service --write") as sealed:
        async with opened_source(replace(mount_on(8000), host=host), title="Test"):
            pass
    assert sealed.value.cause == "unreachable"


async def test_a_name_that_nobody_knows_is_not_taken_for_a_service_without_a_network():
    trio.socket.set_custom_hostname_resolver(NoNetwork())
    with pytest.raises(PushError, match="its name is not known"):
        async with opened_source(replace(mount_on(8000), host="radio.example.org"), title="Test"):
            pass


async def answered(answer: bytes | None) -> PushError:
    """What comes of a server that takes a request and gives ``answer``; None for nothing at all."""

    async def serve(stream: trio.SocketStream) -> None:
        await stream.receive_some(4096)
        if answer is None:
            await trio.sleep_forever()
        await stream.send_all(answer)

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        port = listener.socket.getsockname()[1]
        with pytest.raises(PushError) as refusal:
            async with opened_source(mount_on(port), title="Test"):
                pass
        nursery.cancel_scope.cancel()
    return refusal.value


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"ICY 200 OK\r\n\r\n", "rejected"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "lost"),
        (b"", "lost"),
        (b"HTTP/1.1 500 No\r\n\r\n", "rejected"),
        (b"HTTP/1.1 100 Con", "lost"),
        (b"x" * 100_000, "rejected"),
    ],
)
async def test_whatever_a_server_answers_is_one_kind_of_error(answer, cause):
    assert (await answered(answer)).cause == cause


async def test_a_server_that_takes_a_connection_and_says_nothing_hangs(autojump_clock):
    assert (await answered(None)).cause == "hung"


@pytest.mark.parametrize("head", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_what_comes_after_the_servers_yes_is_sound(head):
    received = bytearray()

    async def serve(stream: trio.SocketStream) -> None:
        request = await stream.receive_some(4096)
        assert request.startswith(b"PUT /test.mp3 HTTP/1.1\r\n")
        assert b"Expect: 100-continue\r\n" in request
        assert not {b"Transfer-Encoding", b"Content-Length"} & {line.split(b":")[0] for line in request.splitlines()}
        await stream.send_all(head)
        async for data in stream:
            received.extend(data)
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        async with opened_source(mount_on(listener.socket.getsockname()[1]), title="Test") as stream:
            await send_all_within(stream, b"sound", seconds=5)
        await trio.sleep_forever()
    assert received == b"sound"


async def test_a_server_that_takes_nothing_is_given_up():
    async def serve(stream: trio.SocketStream) -> None:
        await stream.receive_some(4096)
        await stream.send_all(b"HTTP/1.1 100 Continue\r\n\r\n")
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        async with opened_source(mount_on(listener.socket.getsockname()[1]), title="Test") as stream:
            with pytest.raises(PushError, match="taken nothing") as hung:
                await send_all_within(stream, bytes(50_000_000), seconds=0.2)
        nursery.cancel_scope.cancel()
    assert hung.value.cause == "hung"
