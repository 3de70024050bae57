"""The process under judgement, and nothing of what surrounds us in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

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
        assert not child.is_missed
        await child.kill()
        assert not child.is_missed
        await child.start()
        os.kill(child.pid, signal.SIGKILL)
        await missed(child)
        await child.replace()
        assert not child.is_missed
    assert (child.number, child.ended_by_itself) == (3, 1)


async def missed(child):
    with trio.fail_after(20):
        while not child.is_missed:  # noqa: ASYNC110
            await trio.sleep(0.01)


def grandchild_of(tmp_path, child):
    """A process that is not ours, as a successor is: its parent has ended."""
    program = [sys.executable, "-c", "import time; time.sleep(60)", str(child.state_dir)]
    silent = "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL"
    starter = f"import subprocess; print(subprocess.Popen({program!r}, {silent}).pid)"
    started = subprocess.run([sys.executable, "-c", starter], capture_output=True, text=True, check=True)
    return int(started.stdout)


needs_pidfd = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="this system has no pidfd")


@needs_pidfd
async def test_a_process_that_went_on_is_adopted_and_ended_like_our_own(stub, tmp_path):
    child = stub(SLEEPER)
    async with running(child):
        heir = grandchild_of(tmp_path, child)
        child.expect_heir()
        os.kill(child.pid, signal.SIGKILL)
        assert not child.is_missed
        await child.adopt(heir)
        assert (child.pid, child.number, child.is_alive) == (heir, 2, True)
    assert not runs(heir)
    assert child.ended_by_itself == 0


@needs_pidfd
async def test_an_adopted_process_that_ends_by_itself_is_missed(stub, tmp_path):
    child = stub(SLEEPER)
    async with running(child):
        heir = grandchild_of(tmp_path, child)
        await child.kill()
        await child.adopt(heir)
        os.kill(heir, signal.SIGKILL)
        await missed(child)


@needs_pidfd
async def test_one_that_went_on_and_was_not_adopted_yet_is_ended_too_and_a_strangers_process_is_not(stub, tmp_path):
    child = stub(SLEEPER)
    heir = grandchild_of(tmp_path, child)
    for said_to_go_on in (heir, os.getpid()):
        async with running(child):
            await is_there(child)
            child.log_path.write_text("")
            child.expect_heir()
            child.log_path.write_text(f"handed over [auralisd] closed=0 passed=5 process={said_to_go_on}\nhere\n")
    assert not runs(heir)


def runs(pid):
    """Whether it is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


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
