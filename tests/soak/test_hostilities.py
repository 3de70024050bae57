"""A fault that ends in another way than promised is told, whatever answers."""

from __future__ import annotations

import functools

import pytest
import trio

from auralisd.errors import PromiseBrokenError
from auralisd.soak import run
from auralisd.soak.asking import MOST_BYTES, ask
from auralisd.soak.hostilities import HOSTILITIES, STORM
from auralisd.soak.plan import FAULTS, Fault
from auralisd.soak.stage import Stage

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


class Somebody:
    """Stands in the daemon's place and answers everybody the same."""

    def __init__(self, port):
        self.port = port
        self.is_alive = True

    def last_words(self):
        return "the last words"


@pytest.fixture
async def answering(nursery):
    async def start(answer, *, patience_seconds=0.05):
        async def serve(stream):
            with trio.move_on_after(5):
                await stream.receive_some()
                with trio.move_on_after(patience_seconds):
                    while await stream.receive_some():
                        pass
                await stream.send_all(answer)

        listeners = await nursery.start(functools.partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        return Somebody(listeners[0].socket.getsockname()[1])

    return start


@pytest.mark.parametrize(
    ("name", "promised"),
    [
        ("body", "413"),
        ("dawdle", "408"),
        ("garbage", "a refusal"),
        ("flood", "429 for the others"),
        ("storm", "all are served"),
        ("halfclose", "listens on"),
    ],
)
async def test_a_server_that_takes_everything_for_fine_breaks_the_promise(answering, name, promised):
    somebody = await answering(FINE)
    with trio.fail_after(30), pytest.raises(PromiseBrokenError) as broken:
        await HOSTILITIES[name](somebody)
    assert promised in str(broken.value)


async def test_a_server_that_does_as_promised_keeps_it(answering):
    somebody = await answering(FINE.replace(b"200 OK", b"413 Too Large"))
    assert await HOSTILITIES["body"](somebody) == "413 to both"
    somebody = await answering(b"HTTP/1.1 200 OK\r\n\r\nOggS")
    assert "all heard" in await HOSTILITIES["storm"](somebody)


async def test_an_answer_is_read_to_its_end_and_none_is_status_0(answering):
    somebody = await answering(FINE)
    reply = await ask(somebody.port, "POST", "/x", {"a": 1})
    assert (reply.status, reply.json(), reply.went_well) == (200, {}, True)
    for answer in (b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n" + bytes(MOST_BYTES + 1)):
        somebody = await answering(answer)
        assert (await ask(somebody.port, "GET", "/x")).status == 0
    somebody = await answering(FINE, patience_seconds=5)
    assert (await ask(somebody.port, "GET", "/x", patience_seconds=0.05)).status == 0


BODY = next(fault for fault in FAULTS if fault.name == "body")


async def outcome_of(monkeypatch, what, *, fault=BODY, alive=True):
    somebody = Somebody(1)
    somebody.is_alive = alive
    monkeypatch.setattr(run, "HOSTILITIES", {fault.name: what})
    return await run._outcome(fault, Stage(child=somebody, rng=None))


async def test_what_came_of_a_fault_is_told(monkeypatch):
    async def fine(child):
        return "as it should"

    assert await outcome_of(monkeypatch, fine) == (False, "as it should")
    assert await outcome_of(monkeypatch, fine, alive=False) == (
        True,
        "it ended: the last words, where this was promised: the daemon goes on",
    )


async def test_a_broken_promise_and_a_refused_connection_are_told_from_within_groups_too(monkeypatch):
    async def broken(child):
        raise ExceptionGroup("in a nursery", [ExceptionGroup("in another", [PromiseBrokenError("413", "200")])])

    async def refused(child):
        raise ConnectionRefusedError("refused")

    assert await outcome_of(monkeypatch, broken) == (True, "200, where this was promised: 413")
    assert await outcome_of(monkeypatch, refused) == (True, "refused")


async def test_a_fault_of_our_own_is_not_taken_for_the_daemons(monkeypatch):
    async def ours(child):
        raise ExceptionGroup("in a nursery", [PromiseBrokenError("413", "200"), ZeroDivisionError()])

    with pytest.raises(ExceptionGroup):
        await outcome_of(monkeypatch, ours)


async def test_a_fault_that_does_not_end_is_broken_off(monkeypatch, autojump_clock):
    async def endless(child):
        await trio.sleep_forever()

    assert await outcome_of(monkeypatch, endless) == (True, f"it was not over within {BODY.most_seconds:.0f} s")
    assert trio.current_time() > 0


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_fault_is_bounded(fault: Fault):
    assert 0 < fault.usual_seconds <= fault.most_seconds <= 150
    assert STORM == 200
