"""The soak as an operator runs it: judged, told, and nothing left of it."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from auralisd.cli import soak as soak_command
from auralisd.soak import run as soak_run
from auralisd.soak.hearing import Share
from auralisd.soak.judging import Level
from auralisd.soak.report import Report


def report(*, held=True, interrupted=False):
    levels = (
        Level(name="underruns outside faults", asked="0", measured="0" if held else "1", value=0.0, held=held),
        Level(name="slope of the memory", asked="< 5 MB/h", measured="too short to judge", value=None, held=None),
    )
    return Report(
        seed=7,
        seconds=600.0,
        interrupted=interrupted,
        levels=levels,
        faults=(),
        outside=Share(),
        inside=Share(),
        listeners=3,
        own_lag_seconds=0.0,
        load=1.5,
        processors=2,
        bed_seconds=0.0,
        last_refusal="",
        samples=(),
    )


@pytest.fixture
def found(monkeypatch):
    """Let a soak have found this report, at once."""

    def put(what):
        async def at_once(wanted, *, show):
            return what

        monkeypatch.setattr(soak_run, "soak", at_once)

    return put


@pytest.mark.parametrize(
    ("what", "status"),
    [(report(), 0), (report(held=False), 1), (report(held=False, interrupted=True), 130)],
)
def test_the_status_says_whether_all_levels_were_held(command, found, what, status):
    found(what)
    outcome = command("soak", "--seed", 7)
    assert outcome.status == status
    assert "too short to judge" in outcome.out


def test_a_level_that_was_not_held_is_shown_with_what_was_asked_and_measured(command, found):
    found(report(held=False))
    shown = command("soak").out
    line = next(line for line in shown.splitlines() if line.startswith("underruns outside faults"))
    assert line.split()[-3:] == ["0", "1", "NO"]
    assert "0 levels held, 1 not, 1 not judged" in shown


def test_the_report_is_written_as_a_file_too(command, found, home):
    found(report(held=False))
    command("soak", "--json", home / "report.json")
    written = json.loads((home / "report.json").read_text())
    assert (written["all_held"], written["seed"], written["levels"][0]["held"]) == (False, 7, False)


@pytest.mark.parametrize("option", ["--json", "--log"])
def test_a_file_that_cannot_be_written_is_told_before_anything_is_done(command, found, home, option):
    found(None)
    outcome = command("soak", option, home / "no" / "such" / "folder")
    assert outcome.status == 64
    assert "cannot be written" in outcome.err


@pytest.mark.parametrize(
    "argv",
    [("--minutes", "0"), ("--minutes", "100000"), ("--fault", "earthquake"), ("--no-faults", "--fault", "kill")],
)
def test_what_cannot_be_asked_is_wrong_usage(command, argv):
    assert command("soak", *argv).status == 64


def test_the_help_tells_the_range_and_every_fault(command):
    shown = " ".join(command("soak", "--help").out.split())
    assert "0.25 to 1440 (10)" in shown
    for fault in soak_command.FAULTS:
        assert fault.name in shown


def test_a_daemon_that_does_not_start_is_one_line_with_its_reason(command, monkeypatch):
    monkeypatch.setenv("AURALISD_COMPILED_KERNEL", "false")
    outcome = command("soak", "--minutes", 0.25, "--device", "gramophone")
    assert outcome.status == 78
    last = outcome.err.splitlines()[-1]
    assert last.startswith("auralisd: the daemon does not start: ")
    assert "gramophone" in last


def test_ctrl_c_ends_it_with_a_report_and_no_daemon_is_left(process):
    child = process("soak", "--minutes", 5)
    daemon = daemon_of(child.pid)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert "underruns outside faults" in out
    assert "interrupted" in out
    assert "Traceback" not in err
    with pytest.raises(ProcessLookupError):
        os.kill(daemon, 0)


def daemon_of(pid, within_seconds=30.0):
    """The daemon that the soak has started, once there is one."""
    ends_at = time.monotonic() + within_seconds
    while time.monotonic() < ends_at:
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(entry.read_text().rpartition(")")[2].split()[1])
                arguments = (entry.parent / "cmdline").read_bytes()
            except OSError:
                continue
            if parent == pid and b"--state-dir" in arguments:
                return int(entry.parent.name)
        time.sleep(0.05)
    raise TimeoutError("the soak has started no daemon")


@pytest.mark.realtime
def test_this_machine_holds_every_level_for_half_a_minute_and_sigkill(process, home, monkeypatch):
    monkeypatch.setenv("AURALISD_COMPILED_KERNEL", "false")  # compiled beside it, it would be judged by its compiler
    path = home / "report.json"
    child = process("soak", "--minutes", 0.6, "--seed", 7, "--json", path, "--log", home / "log")
    out, _ = child.communicate(timeout=240)
    print(out)
    assert child.returncode == 0, out + (home / "log").read_text()[-4000:]
    written = json.loads(path.read_text())
    measured = {level["name"]: level["value"] for level in written["levels"]}
    assert {fault["name"] for fault in written["faults"]} > {"kill"}
    assert measured["music after SIGKILL"] > 0
    assert measured["loop lag p99 in normal service"] > 0
    assert written["listeners"] >= 7 + 7
    assert len({sample["process"] for sample in written["samples"]}) == 2
    assert all(sample["tasks"] for sample in written["samples"])
