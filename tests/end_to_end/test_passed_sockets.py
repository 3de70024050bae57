"""The address is held by somebody else, as systemd does it: nobody is refused between two processes."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.live.listeners import connect, read
from tests.live.running_daemon import PASSING, free_port, running_daemon

ROOT = Path(__file__).parents[2]
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture
def held():
    """The listening socket of whoever starts the daemon."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield listening


def port_of(listening):
    return listening.getsockname()[1]


def answer_of(connection):
    connection.settimeout(30)
    answer = b""
    while data := connection.recv(65536):
        answer += data
    return answer


def hear(listener, packets):
    ends_at = time.monotonic() + 30
    while time.monotonic() < ends_at and listener.packets < packets and not listener.closed:
        read(listener, time.monotonic())
        time.sleep(0.005)
    return listener


def test_whoever_connects_between_a_killed_daemon_and_the_next_one_is_served_and_not_refused(tmp_path, held):
    state_dir, port = tmp_path / "state", port_of(held)
    with running_daemon(state_dir=state_dir, port=port, passed=held) as daemon:
        daemon.wait_for(lambda: daemon.get_json("/healthz"))
        daemon.process.send_signal(signal.SIGKILL)
        daemon.process.wait(timeout=10)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as between,
        connect(port, "auralis.v1.pcm16") as music,
    ):
        between.sendall(HEALTH)
        with running_daemon(state_dir=state_dir, port=port, passed=held) as following:
            assert answer_of(between).startswith(b"HTTP/1.1 200 ")
            assert hear(music, 5).packets >= 5
            assert music.jumps == 0
            following.stop()
            assert following.process.returncode == 0
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        pass  # after a stop in good order somebody may come as well


def test_a_unix_socket_is_served_and_its_path_is_left_where_it_is(tmp_path):
    path = tmp_path / "door"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        config = tmp_path / "config.toml"
        config.write_text('token = "a-token-for-the-test"\n')
        with (
            running_daemon("--config", str(config), state_dir=tmp_path / "state", passed=listening) as daemon,
            socket.socket(socket.AF_UNIX) as client,
        ):
            client.connect(str(path))
            client.sendall(HEALTH)
            assert answer_of(client).startswith(b"HTTP/1.1 200 ")
            daemon.stop()
            assert daemon.process.returncode == 0
            assert f"unix:{path}" in daemon.log_path.read_text()
        assert path.is_socket()


def test_a_socket_of_another_kind_is_one_line_with_the_cure_and_exit_code_78(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(("127.0.0.1", 0))
        handed = str(datagrams.fileno())
        ended = subprocess.run(
            [sys.executable, "-c", PASSING, handed, "-m", "auralisd", "run", "--state-dir", str(tmp_path / "state")],
            pass_fds=(datagrams.fileno(),),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (78, "", 1)
    assert "socket auralisd.socket (descriptor 3)" in ended.stderr
    assert "ListenStream=" in ended.stderr


@pytest.mark.skipif(shutil.which("systemd-socket-activate") is None, reason="systemd-socket-activate is not here")
def test_the_first_client_starts_the_daemon_and_is_served_by_it(tmp_path):
    port = free_port()
    command = ["systemd-socket-activate", f"--listen=127.0.0.1:{port}", "--fdname=auralisd.socket"]
    command += ["--setenv=AURALISD_COMPILED_KERNEL=false", f"--setenv=PYTHONPATH={ROOT}"]
    program = [sys.executable, "-m", "auralisd", "run", "--state-dir", str(tmp_path / "state")]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([*command, *program], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        with first_connection(port) as client:
            client.sendall(HEALTH)
            assert answer_of(client).startswith(b"HTTP/1.1 200 "), (tmp_path / "log").read_text()
        with connect(port, "auralis.v1.pcm16") as music:
            assert hear(music, 3).packets >= 3
    finally:
        process.terminate()
        assert process.wait(timeout=10) == 0
    assert f"http://127.0.0.1:{port}" in (tmp_path / "log").read_text()


def first_connection(port):
    """A connection as soon as somebody listens."""
    ends_at = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5)
        except ConnectionRefusedError:
            if time.monotonic() > ends_at:
                raise
            time.sleep(0.05)
