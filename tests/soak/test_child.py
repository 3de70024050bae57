"""The process under judgement, and nothing of what surrounds us in it."""

from __future__ import annotations

import os
import signal
import sys

import pytest
import trio

from auralisd.soak.child import Child, own_environment, running

SLEEPER = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(60)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(60)",
]


class Stub(Child):
    """Another program in the daemon's place."""

    def __init__(self, folder, program):
        super().__init__(folder, seed=7, device=None)
        self.program = program

    def command(self, *, port=None):
        return self.program


@pytest.fixture
def stub(tmp_path):
    return lambda program: Stub(tmp_path, program)


async def is_there(child):
    with trio.fail_after(20):
        while not child.log_path.exists() or child.last_words() != "here":  # noqa: ASYNC110
            await trio.sleep(0.01)


def exists(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_settings_and_sockets_of_others_are_left_out_of_the_environment():
    kept = {"PATH": "/bin", "HOME": "/home/a", "AURALISD_COMPILED_KERNEL": "false", "AURALISD_DEVICE": "cpu"}
    others = {"AURALISD_PORT": "1", "AURALISD_TOKEN": "x", "LISTEN_FDS": "1", "NOTIFY_SOCKET": "/x"}
    assert own_environment(kept | others) == kept


async def test_the_child_is_ended_whatever_happens_beside_it(stub):
    child = stub(SLEEPER)

    async def fail_beside_it():
        async with running(child):
            await is_there(child)
            raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        await fail_beside_it()
    assert not child.is_alive
    assert not exists(child.pid)


async def test_a_child_that_stands_still_is_ended_too(stub):
    child = stub(SLEEPER)
    with trio.CancelScope() as scope:
        async with running(child):
            await is_there(child)
            child.send(signal.SIGSTOP)
            scope.cancel()
            await trio.sleep_forever()
    assert not exists(child.pid)


async def test_a_child_that_hears_no_goodbye_is_killed(stub, monkeypatch):
    monkeypatch.setattr("auralisd.soak.child.GOODBYE_SECONDS", 0.1)
    child = stub(DEAF)
    async with running(child):
        await is_there(child)
    assert not exists(child.pid)


async def test_a_process_that_ends_by_itself_is_counted_and_one_that_is_killed_is_not(stub):
    child = stub(SLEEPER)
    async with running(child):
        with trio.fail_after(20):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(child.kill)
                assert not await child.wait()
            await child.start()
            os.kill(child.pid, signal.SIGKILL)
            assert await child.wait()
    assert (child.number, child.ended_by_itself) == (2, 1)


async def test_what_the_kernel_says_of_it_is_read_from_outside(stub):
    child = stub(SLEEPER)
    async with running(child):
        await is_there(child)
        if child.descriptors() is None:
            pytest.skip("there is no /proc")
        assert child.descriptors() >= 3
        assert child.resident_bytes() > 1_000_000
    assert child.descriptors() is None


def test_the_last_words_of_a_long_log_are_its_last_line(stub):
    child = stub(SLEEPER)
    assert child.last_words() == ""
    child.log_path.write_text("a line\n" * 10_000 + "the last\n")
    assert child.last_words() == "the last"
