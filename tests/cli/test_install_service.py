"""The command prints, writes and removes; what keeps it from that is said with its cure."""

from __future__ import annotations

import os
import re

import pytest

from auralisd.cli.exit_codes import EXIT_CONFIGURATION, EXIT_OK, EXIT_USAGE
from auralisd.cli.service import installation, systemctl
from auralisd.cli.service.installation import Installation
from tests.cli.service.written import RememberingManager, nothing_of_this_machine


@pytest.fixture
def machine(home, monkeypatch) -> RememberingManager:
    """A machine with systemd, root before it, and the program in /opt."""
    manager = RememberingManager()
    nothing_of_this_machine(monkeypatch, home)
    monkeypatch.setattr(systemctl, "Systemctl", lambda: manager)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    in_opt = Installation(command=("/opt/auralisd/bin/auralisd",), parts=())
    monkeypatch.setattr(installation, "this_installation", lambda: in_opt)
    return manager


def test_without_options_it_prints_every_file_and_writes_none(command, machine, home):
    outcome = command("install-service")
    assert outcome.status == EXIT_OK
    headings = re.findall(r"(?m)^#### (.*): new$", outcome.out)
    assert headings == [
        f"{home}/units/auralisd.service",
        f"{home}/units/auralisd.socket",
        f"{home}/units/auralisd.service.d/10-sealed.conf",
        f"{home}/etc/config.toml",
    ]
    assert "ExecStart=/opt/auralisd/bin/auralisd run\n" in outcome.out
    assert "sudo /opt/auralisd/bin/auralisd install-service --write --now" in outcome.err
    assert list(home.iterdir()) == []
    assert machine.told == []


def test_it_is_written_started_found_as_it_is_and_removed(command, machine, home):
    written = command("install-service", "--write", "--now")
    assert written.status == EXIT_OK
    assert "listen at http://127.0.0.1:8000" in written.out
    again = command("install-service", "--write", "--now")
    assert again.status == EXIT_OK
    assert ": written" not in again.out
    removed = command("install-service", "--remove")
    assert removed.status == EXIT_OK
    assert [path.name for path in home.rglob("*") if path.is_file()] == ["config.toml"]


def test_the_house_and_the_port_are_in_the_socket_and_in_the_first_configuration(command, machine, home):
    outcome = command("install-service", "--write", "--now", "--lan", "--port", "9000")
    assert outcome.status == EXIT_OK
    assert "ListenStream=9000\n" in (home / "units" / "auralisd.socket").read_text()
    configuration = (home / "etc" / "config.toml").read_text()
    assert "\nlan = true\n" in configuration
    assert "\nport = 9000\n" in configuration
    assert "sudo /opt/auralisd/bin/auralisd token --state-dir" in outcome.out
    again = command("install-service", "--write")
    assert again.status == EXIT_OK
    assert ": written" not in again.out


def test_what_was_chosen_once_need_not_be_said_again(command, machine, home):
    (home / "etc").mkdir()
    (home / "etc" / "config.toml").write_text("")
    command("install-service", "--write", "--cuda", "--port", "9000")
    assert ": written" not in command("install-service", "--write").out
    assert (home / "units" / "auralisd.service.d" / "10-cuda.conf").exists()
    command("install-service", "--write", "--no-cuda")
    assert not (home / "units" / "auralisd.service.d" / "10-cuda.conf").exists()


def test_a_reload_is_waited_for_where_systemd_can(command, machine):
    machine.known_version = 257
    assert "10-notify-reload.conf: new" in command("install-service").out


def test_whoever_is_not_root_is_told_the_command_with_sudo(command, machine, home, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    outcome = command("install-service", "--write", "--lan")
    assert outcome.status == EXIT_CONFIGURATION
    assert "sudo /opt/auralisd/bin/auralisd install-service --write --lan" in outcome.err
    outcome = command("install-service", "--remove")
    assert outcome.status == EXIT_CONFIGURATION
    assert "sudo /opt/auralisd/bin/auralisd install-service --remove" in outcome.err
    assert list(home.iterdir()) == []
    assert command("install-service").status == EXIT_OK


def test_a_program_that_the_service_could_not_see_is_refused_with_the_way_to_opt(command, machine, home, monkeypatch):
    in_home = Installation(command=("/home/me/.venv/bin/auralisd",), parts=())
    for hidden in ("/home/me/.venv", "/tmp/venv"):
        monkeypatch.setattr(
            installation,
            "this_installation",
            lambda hidden=hidden: Installation(command=in_home.command, parts=(installation.Path(hidden),)),
        )
        for argv in ((), ("--write", "--now")):
            outcome = command("install-service", *argv)
            assert outcome.status == EXIT_CONFIGURATION
            assert outcome.out == ""
            assert hidden in outcome.err
            assert "sudo python3 -m venv /opt/auralisd\n" in outcome.err
            assert "sudo /opt/auralisd/bin/auralisd install-service --write" in outcome.err.splitlines()[-1]
    assert list(home.iterdir()) == []


def test_a_machine_without_systemd_is_told_so_and_the_units_can_still_be_seen(command, machine):
    machine.booted, machine.known_version = False, None
    outcome = command("install-service", "--write")
    assert outcome.status == EXIT_CONFIGURATION
    assert "systemd: does not run this machine" in outcome.err
    assert command("install-service").status == EXIT_OK


def test_a_configuration_that_would_be_refused_is_refused_before_anything_is_written(command, machine, home):
    (home / "etc").mkdir()
    (home / "etc" / "config.toml").write_text("prot = 1\n")
    outcome = command("install-service", "--write")
    assert outcome.status == EXIT_CONFIGURATION
    assert "did you mean port?" in outcome.err
    assert not (home / "units").exists()


def test_what_the_service_may_not_do_is_noted_and_no_reason_to_stop(command, machine, home):
    (home / "etc").mkdir()
    (home / "etc" / "config.toml").write_text('device = "cuda"\n')
    outcome = command("install-service", "--write")
    assert outcome.status == EXIT_OK
    assert "note: device = 'cuda'" in outcome.err
    assert "note:" not in command("install-service", "--write", "--cuda").err


@pytest.mark.parametrize(
    "argv",
    [("--now",), ("--remove", "--write"), ("--remove", "--port", "9000"), ("--remove", "--no-cuda"), ("--port", "0")],
)
def test_options_that_make_no_sense_together_are_wrong_usage(command, machine, argv):
    assert command("install-service", *argv).status == EXIT_USAGE
    assert machine.told == []
