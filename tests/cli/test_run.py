"""What run says and refuses before the daemon begins."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time

import pytest

from auralisd import daemon
from auralisd.cli import banner
from auralisd.daemon import passed_sockets
from auralisd.settings import Settings


@pytest.fixture
def started(monkeypatch):
    """The settings that reached the daemon, which is not started."""
    seen: list[Settings] = []

    def run_daemon(settings: Settings, *, config_path, passed) -> int:
        seen.append(settings)
        return 0

    monkeypatch.setattr(daemon, "run_daemon", run_daemon)
    return seen


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def test_the_start_names_addresses_file_state_device_and_how_to_stop(command, home, started):
    file, port = home / "mine.toml", free_port()
    file.write_text(f"port = {port}")
    outcome = command("run", "--config", file, "--state-dir", home / "state", "--device", "cpu")
    assert outcome.status == 0
    for expected in (f"http://127.0.0.1:{port}", "/stream.opus", str(file), str(home / "state"), "cpu", "to stop"):
        assert expected in outcome.out
    assert started[0].port == port


def test_flags_that_were_not_given_leave_the_environment_its_say(command, started, monkeypatch):
    monkeypatch.setenv("AURALISD_PORT", "0")
    monkeypatch.setenv("AURALISD_LOG_LEVEL", "debug")
    command("run", "--log-level", "error")
    assert (started[0].port, started[0].log_level) == (0, "error")


def test_a_taken_port_is_one_line_that_names_the_way_out(command, started):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = command("run", "--port", port)
    assert outcome.status == 78
    assert outcome.err.count("\n") == 1
    assert "--port" in outcome.err
    assert str(port) in outcome.err
    assert outcome.out == ""
    assert started == []


def test_sockets_for_another_process_are_one_line_that_names_the_way_out(command, started, monkeypatch):
    monkeypatch.setenv("LISTEN_PID", "1")
    monkeypatch.setenv("LISTEN_FDS", "1")
    outcome = command("run", "--port", 0)
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (78, "", 1)
    assert "LISTEN_PID = '1'" in outcome.err
    assert "unset LISTEN_PID" in outcome.err
    assert "LISTEN_FDS" not in os.environ
    assert started == []


@pytest.fixture
def passed(monkeypatch):
    """Makes a listening socket at an address one that was passed; answers its port."""
    with contextlib.ExitStack() as stack:

        def pass_one(host: str) -> int:
            listening = stack.enter_context(socket.create_server((host, 0)))
            one = passed_sockets.PassedSocket(name="auralisd.socket", listening=listening)
            monkeypatch.setattr(passed_sockets, "take_passed_sockets", lambda environ: (one,))
            return listening.getsockname()[1]

        yield pass_one


def test_the_start_names_the_sockets_that_were_passed_and_not_the_configured_address(command, started, passed):
    port = passed("127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        configured = taken.getsockname()[1]
        outcome = command("run", "--port", configured)
    assert outcome.status == 0
    assert f"auralisd plays at  http://127.0.0.1:{port}\n" in outcome.out
    assert f"127.0.0.1:{port} by auralisd.socket" in outcome.out
    assert str(configured) not in outcome.out
    assert "token" not in outcome.out


def test_a_passed_socket_open_to_others_is_refused_without_a_token_whatever_the_configured_address(
    command, started, passed
):
    passed("0.0.0.0")
    outcome = command("run", "--host", "127.0.0.1")
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (78, "", 1)
    assert "nothing guards the controls" in outcome.err
    assert started == []
    assert command("run", "--lan").status == 0
    assert len(started) == 1


def test_lan_makes_the_token_once_and_hands_it_to_the_daemon(command, home, started):
    for _ in range(2):
        assert command("run", "--lan", "--port", 0).status == 0
    first, second = (settings.token_text for settings in started)
    assert first == second == (home / ".local/state/auralisd/token").read_text().strip()
    assert started[0].bind_host is None


def test_where_listening_takes_a_link_its_key_is_made_once_and_handed_to_the_daemon(
    command, home, started, monkeypatch
):
    monkeypatch.setenv("AURALISD_LISTEN_ACCESS", "signed")
    outcomes = [command("run", "--port", 0) for _ in range(2)]
    first, second = (settings.listen_key_text for settings in started)
    assert first == second == (home / ".local/state/auralisd/listen-key").read_text().strip()
    for outcome in outcomes:
        assert "auralisd token --listen" in outcome.out
        assert first not in outcome.out + outcome.err


def test_where_listening_is_open_no_key_is_made(command, home, started):
    assert command("run", "--port", 0).status == 0
    assert started[0].listen_key is None
    assert not (home / ".local/state/auralisd/listen-key").exists()


def test_a_new_token_is_shown_to_people_and_kept_out_of_logs(monkeypatch, tmp_path):
    settings = Settings(lan=True, state_dir=tmp_path, token="a-new-token")
    assert not any("a-new-token" in line for line in banner.start_lines(settings, new_token="a-new-token"))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert any("a-new-token" in line for line in banner.start_lines(settings, new_token="a-new-token"))


def test_an_open_address_without_a_token_is_refused_with_both_ways_out(command, started):
    outcome = command("run", "--host", "0.0.0.0")
    assert outcome.status == 78
    assert "--lan" in outcome.err
    assert "AURALISD_TOKEN" in outcome.err
    assert started == []


def test_addresses_of_all_interfaces_are_ones_that_others_can_use(tmp_path):
    urls = banner.base_urls(Settings(lan=True, port=8123, state_dir=tmp_path))
    assert urls[-1] == "http://127.0.0.1:8123"
    for url in urls[:-1]:
        host = url.removeprefix("http://").removesuffix(":8123").strip("[]")
        assert not ipaddress.ip_address(host).is_loopback


def test_a_bare_ipv6_address_is_put_in_brackets_and_the_public_address_comes_first(tmp_path):
    settings = Settings(host="::1", port=8123, public_url="https://music.example.org", state_dir=tmp_path)
    assert banner.base_urls(settings) == ["https://music.example.org", "http://[::1]:8123"]


def test_a_stop_during_the_start_is_a_good_end_even_where_exceptions_are_lost(home):
    program = """
        import os, signal
        from auralisd import cli, daemon

        class Stopped:
            def __del__(self):
                os.kill(os.getpid(), signal.{name})

        def run_daemon(settings, *, config_path, passed):
            Stopped()
            return 70

        daemon.run_daemon = run_daemon
        cli.main(["run", "--port", "0"])
    """
    for name in ("SIGTERM", "SIGINT"):
        command = [sys.executable, "-c", textwrap.dedent(program.format(name=name))]
        ended = subprocess.run(command, cwd=home, capture_output=True, timeout=60, check=False)
        assert (ended.returncode, ended.stderr) == (0, b"")


def test_signals_are_handled_as_before_once_the_daemon_has_ended(command, started):
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    assert command("run", "--port", 0).status == 0
    assert len(started) == 1
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_a_fault_of_the_daemon_is_shown_whole(command, monkeypatch):
    monkeypatch.setattr(daemon, "run_daemon", _raising(BaseExceptionGroup("tasks", [ZeroDivisionError("a bug")])))
    outcome = command("run", "--port", 0)
    assert outcome.status == 70
    assert "ZeroDivisionError: a bug" in outcome.err


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("delay_seconds", [0.0, 0.4, 1.2])
def test_sigterm_ends_a_start_under_way_with_0(process, delay_seconds):
    child = process("run", "--port", 0)
    assert child.stdout.readline().startswith("auralisd plays at")
    time.sleep(delay_seconds)
    child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=30) == 0


def _raising(error):
    def run_daemon(settings: Settings, *, config_path, passed) -> int:
        raise error

    return run_daemon
