"""One test per defect of Hypercorn that the bridge cures; with Quart-Trio as the web app, as in the daemon."""

import contextlib
import json
import time

import pytest
import trio
import trio.testing
from quart import Response, request
from quart_trio import QuartTrio

from auralisd.edge import hypercorn_bridge
from auralisd.edge.hypercorn_bridge import RECEIVE_BYTES, WebBridge, _ReplayedStream
from auralisd.edge.request_head import parse_head
from auralisd.errors import WebAppError


@pytest.fixture
async def web(open_house):
    """A house with a small Quart-Trio app."""
    app = QuartTrio("web")
    app.started = trio.Event()
    app.hung_up = trio.Event()

    @app.get("/hello")
    async def hello():
        return {"hello": request.headers.get("X-Name"), "from": request.remote_addr}

    @app.post("/size")
    async def size():
        return {"bytes": len(await request.get_data())}

    @app.post("/refuse")
    async def refuse():
        return {}, 415

    @app.get("/flood")
    async def flood():
        async def pieces():
            try:
                for _ in range(1000):
                    yield b"x" * 65_536
            finally:
                app.hung_up.set()

        response = Response(pieces())
        response.timeout = None
        return response

    @app.get("/never")
    async def never():
        app.started.set()
        try:
            await trio.sleep_forever()
        finally:
            app.hung_up.set()

    house = await open_house(app=app)
    house.web = app
    return house


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("connection", ["keep-alive", "close"])
async def test_the_connection_closes_when_the_answer_is_complete(web, version, connection):
    """Under Quart-Trio the response's own end used to cancel the task that was to close."""
    answer = await web.get("/hello", version=version, headers=["X-Name: Ada", f"Connection: {connection}"])
    assert answer.headers["connection"] == "close"
    with trio.fail_after(0.5):
        assert b'"Ada"' in await answer.rest()


async def test_an_app_sees_the_whole_body_and_not_what_follows_it(web):
    stream = await web.send(b"POST /size HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n")
    await stream.send_all(b"x" * 9000 + b"\r\nGET /hello HTTP/1.1\r\n")
    answer = await trio_read_all(stream)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"bytes":9000' in answer


async def test_an_answer_before_the_body_has_come_is_not_lost_to_a_reset(web):
    """Closing while Hypercorn still read used to reset the connection, and the answer with it."""
    stream = await web.send(b"POST /refuse HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n")
    answer = await stream.receive_some()
    for _ in range(3):
        await trio.sleep(0.02)
        await stream.send_all(b"x" * 3000)
    await stream.send_eof()
    assert (answer + await trio_read_all(stream)).startswith(b"HTTP/1.1 415 ")
    assert not web.metrics.counts["connection_error_contained", "request"]


async def trio_read_all(stream):
    received = b""
    with trio.fail_after(5):
        while data := await stream.receive_some():
            received += data
    return received


async def test_broken_chunks_end_their_connection_and_not_the_server(web):
    for _ in range(3):
        stream = await web.send(b"POST /size HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n")
        head, _, body = (await trio_read_all(stream)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert json.loads(body)["error"]["code"] == "bad_request"
    answer = await web.get("/hello")
    assert answer.status == 200
    await answer.rest()


CHUNKED = b"POST /size HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_a_body_in_crumbs_is_refused_before_it_has_cost_much(web):
    async def all_of_it():
        with contextlib.suppress(trio.BrokenResourceError):
            await stream.send_all(b"1\r\nx\r\n" * 60_000)

    began = time.thread_time()
    stream = await web.send(CHUNKED)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(all_of_it)
        with trio.fail_after(5):
            head, _, body = (await trio_read_all(stream)).partition(b"\r\n\r\n")
        nursery.cancel_scope.cancel()
    assert time.thread_time() - began < 1.0  # the whole of it costs five times as much
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["error"]["code"] == "bad_request"
    answer = await web.get("/hello")
    assert answer.status == 200
    await answer.rest()


async def test_a_body_in_as_many_pieces_as_a_slow_network_makes_is_taken(web):
    stream = await web.send(CHUNKED)
    for _ in range(130):
        await stream.send_all(b"1f8\r\n" + b"x" * 504 + b"\r\n")
    await stream.send_all(b"0\r\n\r\n")
    assert b'{"bytes":65520}' in (await trio_read_all(stream)).replace(b" ", b"")


async def test_a_reader_who_stalls_is_cut_off_after_a_while(web, monkeypatch):
    monkeypatch.setattr(hypercorn_bridge, "SEND_SECONDS", 0.2)
    answer = await web.get("/flood", receive_buffer_bytes=4096)
    assert answer.status == 200
    with trio.fail_after(3):
        await web.web.hung_up.wait()


async def test_a_reader_who_stalls_does_not_hold_up_the_end(web):
    await web.get("/flood", receive_buffer_bytes=4096)
    web.stopping.set()
    with trio.fail_after(2.5):
        await web.closed.wait()


async def test_a_handler_that_hangs_does_not_hold_up_the_end(web):
    await web.send(b"GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await web.web.started.wait()
    web.stopping.set()
    with trio.fail_after(2.5):
        await web.closed.wait()
    assert web.web.hung_up.is_set()


async def test_a_client_that_leaves_ends_the_handler(web):
    stream = await web.send(b"GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await web.web.started.wait()
    await stream.aclose()
    with trio.fail_after(2):
        await web.web.hung_up.wait()


async def test_bytes_come_in_small_pieces_however_many_there_are():
    """64 KiB of tiny chunks at a time would freeze the loop for hundreds of milliseconds."""
    head = parse_head(b"POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", max_bytes=16_384)
    one, other = trio.testing.memory_stream_pair()
    stream = _ReplayedStream(other, head)
    await one.send_all(b"1\r\nx\r\n" * 10_000)
    pieces = [await stream.receive_some(65_536) for _ in range(5)]
    assert pieces[0] == head.replayed()
    assert {len(piece) for piece in pieces[1:]} == {RECEIVE_BYTES}


async def test_upgrades_and_http_2_do_not_survive_the_replay():
    head = parse_head(
        b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\nKeep-Alive: 5\r\nX-Kept: yes\r\n\r\n",
        max_bytes=16_384,
    )
    assert head.replayed() == b"GET /x HTTP/1.1\r\nhost: h\r\nx-kept: yes\r\nconnection: close\r\n\r\n"


async def test_the_app_is_told_of_its_start_and_its_end(nursery):
    told = []

    async def app(scope, receive, send):
        assert scope["type"] == "lifespan"
        for _ in range(2):
            message = await receive()
            told.append(message["type"])
            await send({"type": f"{message['type']}.complete"})

    async with trio.open_nursery() as inner:
        await inner.start(WebBridge(app).lifespan)
        assert told == ["lifespan.startup"]
        inner.cancel_scope.cancel()
    assert told == ["lifespan.startup", "lifespan.shutdown"]


async def test_an_app_that_never_stops_is_left_behind(autojump_clock):
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await trio.sleep_forever()

    async with trio.open_nursery() as inner:
        await inner.start(WebBridge(app).lifespan)
        inner.cancel_scope.cancel()


async def test_an_app_that_cannot_start_says_why():
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no page"})

    with pytest.RaisesGroup(pytest.RaisesExc(WebAppError, match="no page"), flatten_subgroups=True):
        async with trio.open_nursery() as inner:
            await inner.start(WebBridge(app).lifespan)
