import os
import socket

import pytest

from auralisd.daemon.systemd import Notifier

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="systemd's socket is a Unix one")


@pytest.fixture
def notify_socket(tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        receiver.settimeout(1)
        yield path, receiver


def test_readiness_status_watchdog_and_stopping_arrive_as_datagrams(notify_socket):
    path, receiver = notify_socket
    notifier = Notifier({"NOTIFY_SOCKET": path})
    notifier.ready()
    notifier.status("1 of 1 stations sounding, 3 listening")
    notifier.alive()
    notifier.stopping()
    assert [receiver.recv(200) for _ in range(4)] == [
        b"READY=1",
        b"STATUS=1 of 1 stations sounding, 3 listening",
        b"WATCHDOG=1",
        b"STOPPING=1",
    ]


def test_without_systemd_nothing_is_sent_and_nothing_fails():
    notifier = Notifier({})
    notifier.ready()
    assert notifier.watchdog_seconds is None


def test_a_socket_that_is_gone_costs_a_warning_only(tmp_path, log_lines):
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()
    assert [line["log_level"] for line in log_lines] == ["warning"]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_interval_is_the_one_meant_for_this_process(environ, expected):
    assert Notifier(environ).watchdog_seconds == expected


def test_an_abstract_socket_is_reached():
    name = f"auralisd-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("\0" + name)
        receiver.settimeout(1)
        Notifier({"NOTIFY_SOCKET": "@" + name}).ready()
        assert receiver.recv(100) == b"READY=1"
