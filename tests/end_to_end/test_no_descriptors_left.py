"""A real daemon that may open no more files: who listens goes on, and the door opens as soon as there is room."""

import contextlib
import resource
import socket
import sys
import time

import pytest

from tests.live.listeners import connect, hear

pytestmark = [pytest.mark.realtime, pytest.mark.skipif(sys.platform != "linux", reason="limits others' files on Linux")]

SHORT_SECONDS = 5.0
BACK_SECONDS = 2.0
LINES_PER_SECOND = 1


def test_without_descriptors_listeners_go_on_one_line_a_second_says_so_and_the_door_is_back_in_2_seconds(daemon):
    daemon.wait_rendering()
    with connect(daemon.port, "auralis.v1.pcm16") as listener, contextlib.ExitStack() as waiting:
        hear(listener, 3)
        heard, logged = listener.packets, len(daemon.log_path.read_text().splitlines())
        _, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (daemon.descriptors(), hard))
        for _ in range(20):
            waiting.enter_context(socket.create_connection(("127.0.0.1", daemon.port), timeout=5))
        began = time.monotonic()
        hear(listener, SHORT_SECONDS)
        short_seconds = time.monotonic() - began
        lines = daemon.log_path.read_text().splitlines()[logged:]
        assert listener.packets > heard, lines
        assert (listener.jumps, listener.closed) == (0, False), lines
        said = [line for line in lines if "Too many open files" in line or "descriptor" in line or "accept" in line]
        assert 1 <= len(said) <= (short_seconds + 1) * LINES_PER_SECOND
        resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (hard, hard))
        released = time.monotonic()
        assert daemon.get_json("/healthz")
        assert time.monotonic() - released < BACK_SECONDS
        hear(listener, 1)
        assert (listener.jumps, listener.closed) == (0, False)
