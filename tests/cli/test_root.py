"""Root may play for this machine; for others it has to be told to."""

import os
import socket

import pytest

from auralisd import daemon
from auralisd.cli import root
from auralisd.daemon import passed_sockets

IS_ROOT = root.is_root


@pytest.fixture
def as_root(home, monkeypatch):
    """The command is run by root."""
    monkeypatch.setattr(root, "is_root", IS_ROOT)
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)


@pytest.fixture
def started(monkeypatch):
    """The settings that reached the daemon, which is not started."""
    seen = []

    def run_daemon(settings, *, config_path, passed):
        seen.append(settings)
        return 0

    monkeypatch.setattr(daemon, "run_daemon", run_daemon)
    return seen


def test_on_this_machine_alone_root_plays_and_is_told_once_that_it_need_not_be(command, as_root, started):
    outcome = command("run", "--port", 0)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.count("runs as root") == 1
    assert len(started) == 1


@pytest.mark.parametrize("where", [("--lan",), ("--host", "0.0.0.0")])
def test_open_to_others_root_is_refused_in_one_line_with_both_ways_out(command, as_root, started, where, monkeypatch):
    monkeypatch.setenv("AURALISD_TOKEN", "a-token-of-some-length")
    outcome = command("run", "--port", 0, *where)
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (78, "", 1)
    assert "install-service" in outcome.err
    assert "AURALISD_ALLOW_ROOT=true" in outcome.err
    assert started == []


def test_told_to_root_plays_for_others_and_no_word_is_lost_on_it(command, as_root, started, monkeypatch):
    monkeypatch.setenv("AURALISD_ALLOW_ROOT", "true")
    outcome = command("run", "--port", 0, "--lan")
    assert (outcome.status, outcome.err) == (0, "")
    assert "as root" not in outcome.out
    assert len(started) == 1


def test_a_passed_socket_open_to_others_is_what_counts_and_not_the_configured_address(
    command, as_root, started, monkeypatch, tmp_path
):
    monkeypatch.setenv("AURALISD_TOKEN", "a-token-of-some-length")
    with socket.create_server(("0.0.0.0", 0)) as listening:
        one = passed_sockets.PassedSocket(name="auralisd.socket", listening=listening)
        monkeypatch.setattr(passed_sockets, "take_passed_sockets", lambda environ: (one,))
        outcome = command("run", "--host", "127.0.0.1")
    assert (outcome.status, outcome.err.count("\n")) == (78, 1)
    assert "allow_root" in outcome.err
    assert started == []


def test_any_other_account_hears_nothing_of_it(command, home, started):
    assert "as root" not in command("run", "--port", 0).out
    assert command("run", "--port", 0, "--lan").status == 0
    assert [settings.allow_root for settings in started] == [False, False]
