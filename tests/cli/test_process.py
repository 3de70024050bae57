"""The command as a process: what a shell or systemd sees of it."""

from __future__ import annotations

import socket

import pytest

from auralisd import __version__


@pytest.mark.parametrize(
    ("argv", "status"),
    [(("--version",), 0), (("dance",), 64), (("run", "--port", "music"), 64), (("check-config", "--config", "no"), 78)],
)
def test_the_exit_status_reaches_the_shell(process, argv, status):
    child = process(*argv)
    out, err = child.communicate(timeout=60)
    assert child.returncode == status
    assert "Traceback" not in err
    if status == 0:
        assert out == f"auralisd {__version__}\n"


def test_a_taken_port_ends_a_real_start_with_one_line(process, home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        child = process("run", "--port", taken.getsockname()[1])
        out, err = child.communicate(timeout=60)
    assert child.returncode == 78
    assert out == ""
    assert err.count("\n") == 1
    assert "--port" in err
    assert not (home / ".local").exists()


def test_a_variable_that_nobody_knows_is_refused_by_name(process, monkeypatch):
    monkeypatch.setenv("AURALISD_PROT", "1")
    child = process()
    _, err = child.communicate(timeout=60)
    assert child.returncode == 78
    assert "AURALISD_PROT" in err
    assert "AURALISD_PORT" in err
