"""What an operator does to the process, and what it owes to listeners while that happens."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.live.listeners import connect, hear, next_message
from tests.live.running_daemon import free_port, running_daemon

LINUX_ONLY_NAMES = ("TCP_USER_TIMEOUT", "TCP_NOTSENT_LOWAT", "MSG_NOSIGNAL", "SO_REUSEPORT", "TCP_KEEPIDLE")


@pytest.fixture
def connected():
    """Opens connections that are closed when the test is over."""
    with contextlib.ExitStack() as stack:
        yield lambda port, form: stack.enter_context(connect(port, form))


def test_sound_comes_before_the_synthesiser_is_loaded(daemon, connected):
    listener = hear(connected(daemon.port, "auralis.v1.pcm16"), 10, lambda one: one.packets >= 5)
    assert listener.packets >= 5
    assert listener.jumps == 0


def test_the_page_answers_and_says_that_it_is_warming_up(daemon):
    assert daemon.get_json("/api/v1/status")["status"] in ("warming_up", "idle")
    assert daemon.get_json("/api/v1/stations/main")["id"] == "main"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopping_says_goodbye_and_exits_with_0_within_3_seconds(daemon, number, connected):
    listener = hear(connected(daemon.port, "auralis.v1.pcm16"), 10, lambda one: one.packets >= 3)
    began = time.monotonic()
    daemon.process.send_signal(number)
    hear(listener, 5)
    assert listener.closed
    assert daemon.process.wait(timeout=10) == 0
    assert time.monotonic() - began < 3


def test_a_torch_that_cannot_be_loaded_is_a_line_with_the_cure_a_goodbye_and_exit_code_70(
    tmp_path, monkeypatch, connected
):
    (tmp_path / "torch.py").write_text("import time\ntime.sleep(3)\nraise ImportError('libcudart.so: no such file')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with running_daemon() as daemon:
        daemon.wait_for(lambda: daemon.get_json("/api/v1/status"))
        listener = hear(connected(daemon.port, "auralis.v1.pcm16"), 20)
        assert listener.packets, "the bed"
        assert listener.closed
        assert daemon.process.wait(timeout=10) == 70
        log = daemon.log_path.read_text()
    assert log.count("torch cannot be loaded") == 1
    assert "auralisd doctor" in log
    assert "Traceback" not in log


def test_a_second_daemon_on_the_same_state_is_refused_in_one_line(daemon, tmp_path):
    command = [sys.executable, "-m", "auralisd", "run", "--port", "0", "--state-dir", str(tmp_path / "state")]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 78
    assert second.stdout == ""
    assert f"process {daemon.process.pid}" in second.stderr
    assert second.stderr.count("\n") == 1


def test_stalled_listeners_do_not_hold_up_the_stop(daemon, connected):
    stalled = [connected(daemon.port, form) for form in ("auralis.v1.pcm16", "wav", "auralis.v0.json", "wav")]
    for one in stalled:
        one.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    time.sleep(4)  # nobody reads: sockets and backlogs fill
    assert daemon.stop() < 3
    assert daemon.process.returncode == 0


def test_the_goodbye_is_a_bye_message_and_close_1001(daemon, connected):
    listener = hear(connected(daemon.port, "auralis.v1.state"), 2)
    daemon.process.send_signal(signal.SIGTERM)
    received = bytearray()
    listener.connection.settimeout(5)
    with contextlib.suppress(ConnectionResetError):  # this client never answers the close
        while data := listener.connection.recv(65536):
            received += data
    messages = []
    while (message := next_message(received)) is not None:
        messages.append(message)
    assert json.loads(messages[-2][1])["type"] == "bye"
    opcode, payload = messages[-1]
    assert (opcode, int.from_bytes(payload[:2], "big")) == (8, 1001)


def test_a_taken_port_is_one_line_with_the_cure_and_exit_code_78(daemon, tmp_path):
    command = [sys.executable, "-m", "auralisd", "run", "--port", str(daemon.port), "--state-dir", str(tmp_path / "b")]
    second = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 78
    assert "--port" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_changed_configuration_is_taken_on_sighup_and_a_wrong_one_is_not(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text('log_level = "info"\n')
    with running_daemon("--config", str(config), state_dir=tmp_path / "state") as daemon:
        daemon.wait_for(lambda: daemon.get_json("/healthz"))
        config.write_text('log_level = "debug"\nallowed_hosts = ["music.example.org"]\n')
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for(lambda: "configuration reloaded" in daemon.log_path.read_text(), 30)
        assert status_for_host(daemon.port, "music.example.org") == 200
        config.write_text("no_such_key = 1\n")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for(lambda: "no_such_key" in daemon.log_path.read_text(), 60)
        assert status_for_host(daemon.port, "music.example.org") == 200
        assert status_for_host(daemon.port, "other.example.org") == 421


def status_for_host(port, host):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(f"GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return int(connection.recv(4096).split()[1])


def test_the_piece_goes_on_after_a_restart_with_its_controls(tmp_path):
    state_dir, port = tmp_path / "state", free_port()
    with running_daemon(state_dir=state_dir, port=port) as daemon:
        daemon.wait_for(lambda: daemon.get_json("/healthz"))
        daemon.send_json("PATCH", "/api/v1/stations/main/controls", {"key": "Eb", "space": 0.9})
        time.sleep(1)
        before = daemon.get_json("/api/v1/stations/main")
        daemon.stop()
    with running_daemon(state_dir=state_dir, port=port) as daemon:
        daemon.wait_for(lambda: daemon.get_json("/healthz"))
        after = daemon.get_json("/api/v1/stations/main")
    assert after["seed"] == before["seed"]
    assert after["epoch"] > before["epoch"]
    assert after["position"] >= before["position"]
    assert (after["controls"]["key"], after["controls"]["space"]) == ("Eb", 0.9)


WITH_A_BROKEN_SYNTHESISER = """
import auralisd.daemon.supervisor
from auralisd.cli.program import main

def broken(**arguments):
    raise RuntimeError("broken for the test")

auralisd.daemon.supervisor.new_renderer = broken
main()
"""


def test_a_synthesiser_that_fails_three_times_ends_the_process_in_good_order_for_another_to_begin(tmp_path, connected):
    program, state_dir = ("-c", WITH_A_BROKEN_SYNTHESISER), tmp_path / "state"
    with running_daemon(program=program, state_dir=state_dir) as daemon:
        daemon.wait_for(lambda: daemon.get_json("/healthz"))
        daemon.send_json("PATCH", "/api/v1/stations/main/controls", {"key": "Eb"})
        listener = hear(connected(daemon.port, "auralis.v1.pcm16"), 30)
        assert listener.closed
        assert listener.packets > 10
        assert listener.packets == listener.bed_packets
        assert listener.jumps == 0
        assert daemon.process.wait(timeout=10) == 70
        assert "giving up" in daemon.log_path.read_text()
    with running_daemon(state_dir=state_dir) as daemon:
        daemon.wait_for(lambda: daemon.get_json("/healthz"))
        assert daemon.get_json("/api/v1/stations/main")["controls"]["key"] == "Eb"


def test_systemd_is_told_that_the_service_is_ready_before_torch_is_loaded(tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        receiver.settimeout(20)
        environ = {**os.environ, "NOTIFY_SOCKET": path, "WATCHDOG_USEC": "4000000"}
        command = [sys.executable, "-m", "auralisd", "run", "--port", str(free_port())]
        process = subprocess.Popen(
            [*command, "--state-dir", str(tmp_path / "state")],
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            began = time.monotonic()
            messages = []
            while not {b"READY=1", b"WATCHDOG=1"} <= set(messages) and time.monotonic() - began < 20:
                messages.append(receiver.recv(300))
                if messages[-1] == b"READY=1":
                    assert "libtorch" not in Path(f"/proc/{process.pid}/maps").read_text()
            assert {b"READY=1", b"WATCHDOG=1"} <= set(messages)
        finally:
            process.terminate()
            assert process.wait(timeout=10) == 0


def test_a_machine_without_the_options_of_linux_plays_too(tmp_path, connected):
    removal = f"import socket, trio\nfor name in {LINUX_ONLY_NAMES!r}:\n    vars(socket).pop(name, None)\n"
    removal += "import signal\nvars(signal).pop('SIGHUP', None)\n"
    code = removal + "import sys\nfrom auralisd.cli import main\nsys.argv = ['auralisd', *sys.argv[1:]]\nmain()\n"
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", code, "run", "--port", str(port), "--state-dir", str(tmp_path / "state")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                listener = connected(port, "auralis.v1.pcm16")
                break
            except OSError:
                time.sleep(0.1)
        hear(listener, 10, lambda one: one.packets >= 3)
        assert listener.packets >= 3
    finally:
        process.terminate()
        assert process.wait(timeout=10) == 0
