"""What happens to the whole process, done to somebody who stands in its place, in virtual time."""

from __future__ import annotations

import signal
from types import SimpleNamespace

import pytest
import trio

from auralisd.errors import PromiseBrokenError
from auralisd.soak import process_faults
from auralisd.soak.hearing import Hearing, Packet
from auralisd.soak.process_faults import hand_over, keep_busy, stand_still
from auralisd.soak.windows import Windows

HANDED_OVER = "handed over [auralisd] closed=0 held=0.137 passed=5 process=4321 seconds=15.6"


class Somebody:
    """Hears signals, and says in its log what it is told to."""

    def __init__(self, answer=""):
        self.answer = answer
        self.said = "ready\n"
        self.heard = []
        self.calls = []

    def send(self, number):
        self.heard.append(number)
        if number == signal.SIGUSR2:
            self.said += self.answer + "\n"

    def log_bytes(self):
        return len(self.said)

    def said_since(self, offset):
        return self.said[offset:]

    def expect_heir(self):
        self.calls.append("expect")

    def keep(self):
        self.calls.append("keep")

    async def adopt(self, pid):
        self.calls.append(f"adopt {pid}")


class Company:
    def __init__(self):
        self.calls = []

    async def hush(self):
        self.calls.append("hush")

    def gather(self):
        self.calls.append("gather")


def stage_of(child):
    async def quiet():
        return "a reading"

    hearing = Hearing(windows=Windows())
    return SimpleNamespace(child=child, hearing=hearing, company=Company(), quiet=quiet, quiet_before="of before")


async def plays(hearing):
    for sequence in range(10_000):
        hearing.newest = Packet(at_seconds=0.0, sequence=sequence, position=0, epoch=1, bed=False)
        await trio.sleep(0.1)


async def test_a_process_that_sounds_again_after_a_standstill_keeps_its_promise(autojump_clock, nursery):
    stage = stage_of(Somebody())
    nursery.start_soon(plays, stage.hearing)
    assert "sound again" in await stand_still(stage)
    assert stage.child.heard == [signal.SIGSTOP, signal.SIGCONT]


async def test_a_process_that_stays_silent_after_a_standstill_breaks_it(autojump_clock):
    with pytest.raises(PromiseBrokenError, match="there was none"):
        await stand_still(stage_of(Somebody()))


async def test_a_process_does_not_stand_still_for_ever_when_the_fault_is_broken_off(autojump_clock):
    stage = stage_of(Somebody())
    with trio.move_on_after(0.5):
        await stand_still(stage)
    assert stage.child.heard == [signal.SIGSTOP, signal.SIGCONT]


async def test_listeners_who_are_sent_away_in_a_standstill_are_told_of(autojump_clock, nursery):
    stage = stage_of(Somebody())
    nursery.start_soon(plays, stage.hearing)

    async def lose():
        await trio.sleep(1)
        stage.hearing.inside.lost += 2

    nursery.start_soon(lose)
    with pytest.raises(PromiseBrokenError, match="2 were"):
        await stand_still(stage)


async def test_the_process_that_goes_on_is_adopted_and_the_company_asked_back(autojump_clock, nursery):
    stage = stage_of(Somebody(HANDED_OVER))
    nursery.start_soon(plays, stage.hearing)
    assert await hand_over(stage) == "no player was sent away, nothing was written for 0.137 s"
    assert stage.child.calls == ["expect", "adopt 4321", "keep"]
    assert stage.company.calls == ["hush", "gather"]
    assert stage.quiet_before == "a reading"


async def test_a_hand_over_that_does_not_come_about_is_told_with_its_reason(autojump_clock):
    stage = stage_of(Somebody("no successor, this process goes on reason='it was late'"))
    with pytest.raises(PromiseBrokenError, match="it was late"):
        await hand_over(stage)
    assert stage.child.calls == ["expect", "keep"]
    assert stage.company.calls == ["hush", "gather"]


async def test_players_who_are_sent_away_by_a_hand_over_are_told_of(autojump_clock, nursery):
    stage = stage_of(Somebody(HANDED_OVER))
    nursery.start_soon(plays, stage.hearing)

    async def lose():
        await trio.sleep(0.01)
        stage.hearing.players_lost += 1

    nursery.start_soon(lose)
    with pytest.raises(PromiseBrokenError, match="1 were"):
        await hand_over(stage)


async def test_whoever_kept_the_processors_busy_is_ended(monkeypatch):
    monkeypatch.setattr(process_faults, "BUSY_SECONDS", 0.2)
    monkeypatch.setattr(process_faults.os, "cpu_count", lambda: 2)
    with trio.fail_after(20):
        assert await keep_busy(stage_of(Somebody())) == "2 programs, nobody was sent away"
