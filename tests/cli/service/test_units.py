"""The units that are written are those that come with the program, with this machine's program and address in them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest

from auralisd.cli.service.address import Address
from auralisd.cli.service.places import SERVICE, SOCKET
from auralisd.cli.service.units import CUDA, MARK, NOTIFY_RELOAD, SEALED, configuration, planned_files
from auralisd.settings import PushSettings, Settings, example_toml
from tests.cli.service.written import OPT, places_below, wishes, without_comments

EXPOSURE_AT_MOST = 0.3  # of 10; the address families, system calls and files that remain are named in the guide

analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None and not os.environ.get("CI"),
    reason="systemd-analyze is not on this machine",
)


@pytest.fixture
def planned(tmp_path):
    """Files by name, for wishes."""

    def plan(**changes):
        return {one.path.name: one for one in planned_files(wishes(**changes), places_below(tmp_path))}

    return plan


def with_push() -> Settings:
    target = PushSettings(url="http://radio.example.org:8000", mount="/a.mp3", format="mp3", password="x")
    return Settings(state_dir="/var/lib/auralisd", push=(target,))


def test_the_service_starts_the_program_that_wrote_it(planned):
    content = planned(command=("/srv/music/bin/python", "-m", "auralisd", "run"))[SERVICE].content
    assert re.findall(r"(?m)^ExecStart=(.*)$", content) == ["/srv/music/bin/python -m auralisd run"]
    assert "/opt/auralisd" not in content


def test_the_socket_listens_where_it_is_asked_to(planned):
    content = planned(address=Address(host=None, port=9000))[SOCKET].content
    assert re.findall(r"(?m)^ListenStream=(.*)$", content) == ["9000"]
    assert "FreeBind" not in content


def test_an_address_of_the_machine_is_held_before_the_network_has_it(planned):
    content = planned(address=Address(host="192.168.1.5", port=8000))[SOCKET].content
    assert without_comments(content).count("ListenStream=192.168.1.5:8000\nFreeBind=yes\n") == 1


def test_every_unit_says_who_wrote_it_and_keeps_its_reasons(planned):
    units = [one.content for one in planned(cuda=True, systemd_version=255).values() if not one.once]
    assert len(units) == 5
    assert all(content.startswith(MARK) for content in units)
    assert not any("sudo cp" in content or "sudo install" in content for content in units)
    assert "# Fed only while the loop turns" in units[0]


def test_a_daemon_that_sends_nothing_anywhere_has_no_network_of_its_own(planned):
    assert "PrivateNetwork=yes" in planned()[SEALED].content


def test_a_daemon_that_sends_to_an_icecast_server_has_a_network(planned):
    assert SEALED not in planned(settings=with_push())


def test_devices_of_nvidia_are_for_those_who_ask(planned):
    assert CUDA not in planned()
    assert "DeviceAllow=char-nvidia" in planned(cuda=True)[CUDA].content


@pytest.mark.parametrize(("version", "wanted"), [(None, False), (252, False), (253, True), (257, True)])
def test_a_reload_is_waited_for_where_systemd_can(planned, version, wanted):
    assert (NOTIFY_RELOAD in planned(systemd_version=version)) is wanted


@pytest.mark.parametrize("name", ["token", "listen-key"])
def test_a_secret_beside_the_configuration_is_handed_over(planned, tmp_path, name):
    assert not re.findall(r"(?m)^LoadCredential=", planned()[SERVICE].content)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / name).write_text("a-secret-of-my-own\n")
    found = re.findall(r"(?m)^LoadCredential=(.*)$", planned()[SERVICE].content)
    assert found == [f"{name}:{tmp_path / 'etc' / name}"]


def test_a_first_configuration_explains_everything_and_sets_what_was_asked_for(planned):
    assert planned()["config.toml"].content == example_toml()
    assert tomllib.loads(configuration(lan=True, port=9000)) == {"lan": True, "port": 9000}
    assert len(configuration(lan=True, port=9000).splitlines()) == len(example_toml().splitlines())


def written_for_systemd(planned, tmp_path, **changes):
    """The units in a folder, with a program that is there: everything else is judged as it stands."""
    for one in planned(command=(sys.executable, "run"), **changes).values():
        if not one.once:
            one.path.parent.mkdir(parents=True, exist_ok=True)
            one.path.write_text(one.content)
    return tmp_path / "units"


@analyze
@pytest.mark.parametrize("address", [Address(host=None, port=8000), Address(host="192.168.1.5", port=80)])
def test_systemd_finds_no_fault_in_what_is_written(planned, tmp_path, address):
    units = written_for_systemd(planned, tmp_path, address=address, cuda=True)
    judged = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", units / SOCKET, units / SERVICE],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert [line for line in judged.stderr.splitlines() if str(units) in line or "auralisd" in line] == []
    assert judged.returncode == 0


@analyze
def test_what_is_written_is_exposed_to_next_to_nothing(planned, tmp_path):
    units = written_for_systemd(planned, tmp_path)
    judged = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=yes",
            f"--threshold={round(EXPOSURE_AT_MOST * 10)}",
            units / SERVICE,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert judged.returncode == 0, judged.stdout[-200:]


def test_the_program_is_in_opt_where_nothing_else_is_said(planned):
    assert f"ExecStart={' '.join(OPT)}\n" in planned()[SERVICE].content
