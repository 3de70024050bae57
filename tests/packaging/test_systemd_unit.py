"""The unit is one that systemd takes, and it asks for what the daemon gives."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from auralisd.cli.exit_codes import EXIT_CONFIGURATION, EXIT_USAGE
from auralisd.edge.sockets import BACKLOG
from auralisd.settings import Settings, example_toml

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "systemd" / "auralisd.service"
SOCKET = ROOT / "systemd" / "auralisd.socket"
EXPOSURE_AT_MOST = 1.2  # of 10; a service without any hardening has 9.6

analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None and not os.environ.get("CI"),
    reason="systemd-analyze is not on this machine",
)


def settings_of(name: str, unit: Path = UNIT) -> list[str]:
    return re.findall(rf"(?m)^{name}=(.*)$", unit.read_text())


@analyze
def test_systemd_finds_no_fault_in_the_unit(tmp_path):
    # The program is not in /opt here; everything else is judged as it stands.
    unit = tmp_path / "auralisd.service"
    unit.write_text(UNIT.read_text().replace("/opt/auralisd/bin/auralisd", sys.executable))
    judged = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False, timeout=60
    )
    complaints = [line for line in judged.stderr.splitlines() if "auralisd" in line]
    assert complaints == []
    assert judged.returncode == 0


@analyze
def test_systemd_finds_no_fault_in_the_socket_and_hands_it_to_the_service(tmp_path):
    unit, socket_unit = tmp_path / "auralisd.service", tmp_path / "auralisd.socket"
    unit.write_text(UNIT.read_text().replace("/opt/auralisd/bin/auralisd", sys.executable))
    shutil.copy(SOCKET, socket_unit)
    judged = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", socket_unit, unit],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert [line for line in judged.stderr.splitlines() if "auralisd" in line] == []
    assert judged.returncode == 0
    assert settings_of("Sockets") == [SOCKET.name]


def test_the_socket_is_where_the_daemon_would_listen_with_as_much_room():
    defaults = Settings()
    assert settings_of("ListenStream", SOCKET) == [f"{defaults.host}:{defaults.port}"]
    assert settings_of("Backlog", SOCKET) == [str(BACKLOG)]


@analyze
def test_the_unit_is_exposed_to_little():
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", f"--threshold={round(EXPOSURE_AT_MOST * 10)}", UNIT],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert judged.returncode == 0, judged.stdout[-200:]


def test_a_wrong_configuration_is_not_tried_again():
    (prevented,) = settings_of("RestartPreventExitStatus")
    assert set(prevented.split()) == {str(EXIT_USAGE), str(EXIT_CONFIGURATION)}


def test_one_that_cannot_start_is_given_up_and_one_that_hangs_now_and_then_is_not():
    (interval,), (burst,) = settings_of("StartLimitIntervalSec"), settings_of("StartLimitBurst")
    (pause,), (watchdog,) = settings_of("RestartSec"), settings_of("WatchdogSec")
    start_seconds = 2.0
    assert int(interval) / (float(pause) + start_seconds) > int(burst)
    assert int(interval) / (float(pause) + float(watchdog)) < int(burst)


@analyze
def test_the_drop_in_for_a_gpu_is_one_that_systemd_takes(tmp_path):
    unit, drop_in = tmp_path / "auralisd.service", tmp_path / "auralisd.service.d" / "cuda.conf"
    unit.write_text(UNIT.read_text().replace("/opt/auralisd/bin/auralisd", sys.executable))
    drop_in.parent.mkdir()
    shutil.copy(UNIT.with_name("cuda.conf"), drop_in)
    judged = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False, timeout=60
    )
    assert [line for line in judged.stderr.splitlines() if "auralisd" in line or "cuda" in line] == []
    assert judged.returncode == 0


@analyze
def test_the_service_for_the_loudspeakers_is_one_that_systemd_takes(tmp_path):
    unit = tmp_path / "auralisd-speaker.service"
    unit.write_text(UNIT.with_name("auralisd-speaker.service").read_text().replace("/usr/bin/mpv", sys.executable))
    judged = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False, timeout=60
    )
    assert [line for line in judged.stderr.splitlines() if "auralisd" in line] == []
    assert judged.returncode == 0


def test_the_unit_reloads_by_the_signal_the_daemon_knows():
    assert settings_of("ExecReload") == ["/bin/kill -HUP $MAINPID"]
    assert settings_of("Type") == ["notify"]


def test_the_unit_sets_nothing_that_the_configuration_file_should_decide():
    assert not [line for line in settings_of("Environment") if "AURALISD_" in line]


def test_the_shipped_example_is_the_one_the_program_prints():
    assert (ROOT / "systemd" / "config.toml").read_text() == example_toml()
