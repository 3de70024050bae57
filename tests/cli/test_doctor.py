"""Each examination finds what it is for, and names a cure for it."""

from __future__ import annotations

import json
import os
import socket
import sys

import pytest
from pydantic import SecretStr

from auralisd.cli import examinations
from auralisd.cli.examinations import Finding
from auralisd.cli.output_examinations import hls_directory, push_target
from auralisd.settings import PushSettings, Settings
from tests.live.icecast import PASSWORD, icecast, needs_icecast


def of(findings, name: str) -> Finding:
    return next(finding for finding in findings if finding.name == name)


def examined(home, *, quick=True, config_file=None, **flags):
    return list(examinations.examine(flags, environ={"HOME": str(home)}, config_file=config_file, quick=quick))


def test_whatever_is_not_fine_comes_with_its_cure(home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        findings = examined(home, port=taken.getsockname()[1], max_connections=2**30)
    assert {f.name for f in findings if f.state != "fine"} >= {"port"}
    assert all(finding.cure for finding in findings if finding.state != "fine")


def test_a_taken_port_is_a_problem(home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        finding = of(examined(home, port=taken.getsockname()[1]), "port")
    assert finding.state == "problem"
    assert "--port" in finding.cure
    assert of(examined(home, port=0), "port").state == "fine"


def test_an_address_of_another_machine_is_a_problem(home):
    settings = Settings(host="192.0.2.1", port=0, token="secret-enough", state_dir=home)
    assert "--host" in examinations.port(settings).cure


def test_a_configuration_that_would_be_refused_is_a_problem_and_the_rest_is_still_looked_at(home):
    file = home / "config.toml"
    file.write_text("prot = 1")
    findings = examined(home, config_file=file)
    assert of(findings, "configuration").state == "problem"
    assert of(findings, "codecs").state == "fine"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_state_directory_without_leave_to_write_is_a_problem(tmp_path):
    tmp_path.chmod(0o500)
    try:
        assert examinations.state_directory(tmp_path / "state").state == "problem"
    finally:
        tmp_path.chmod(0o700)


def test_a_file_in_the_place_of_the_state_directory_is_a_problem(tmp_path):
    file = tmp_path / "state"
    file.write_text("")
    assert examinations.state_directory(file).state == "problem"
    assert examinations.state_directory(tmp_path / "new" / "state").state == "fine"


def test_too_few_descriptors_for_the_connections_are_a_warning():
    resource = pytest.importorskip("resource")
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        pytest.skip("open files are not limited here")
    finding = examinations.descriptors(soft)
    assert finding.state == "warning"
    assert f"LimitNOFILE={soft + examinations.DESCRIPTORS_BESIDE_CONNECTIONS}" in finding.cure
    assert examinations.descriptors(1).state == "fine"


@pytest.mark.parametrize(("source", "state"), [("tsc\n", "fine"), ("hpet\n", "warning"), (None, "fine")])
def test_a_slow_clock_is_a_warning(tmp_path, source, state):
    file = tmp_path / "current_clocksource"
    if source is not None:
        file.write_text(source)
    assert examinations.clock_source(file).state == state


@pytest.mark.parametrize(("room_bytes", "state"), [(400_000_000, "warning"), (8_000_000_000, "fine"), (None, "fine")])
def test_little_memory_is_a_warning(room_bytes, state):
    assert examinations.memory(room_bytes).state == state


def test_a_token_that_can_be_guessed_is_a_warning(home):
    assert examinations.reach(Settings(lan=True, token="abc", state_dir=home)).state == "warning"
    assert examinations.reach(Settings(lan=True, token="a-long-enough-one", state_dir=home)).state == "fine"
    assert "only" in examinations.reach(Settings(state_dir=home)).found


def test_an_encoder_that_is_missing_is_a_warning(monkeypatch):
    monkeypatch.setattr(examinations, "ENCODERS", {"opus": "libopus", "tape": "no-such-encoder"})
    finding = examinations.codecs()
    assert finding.state == "warning"
    assert "tape" in finding.found


@pytest.mark.parametrize(("speed", "state"), [(0.5, "problem"), (2.0, "warning"), (20.0, "fine")])
def test_the_speed_is_judged_by_what_one_station_needs(monkeypatch, speed, state):
    monkeypatch.setattr(examinations, "measured_x_real_time", lambda device, **_: speed)
    assert of(examinations.device_and_speed("cpu"), "speed").state == state


def test_a_device_that_is_not_there_is_a_problem():
    finding = of(examinations.device_and_speed("cuda:99"), "device")
    assert finding.state == "problem"
    assert "cpu" in finding.found


def test_a_torch_that_cannot_be_loaded_is_a_problem_with_its_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "auralisd.synthesis.device", None)
    (finding,) = examinations.synthesiser(Settings())
    assert (finding.name, finding.state) == ("device", "problem")
    assert "torch cannot be loaded" in finding.found
    assert "reinstall" in finding.cure


def test_the_doctor_exits_by_what_it_found(command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ill = command("doctor", "--quick", "--port", port)
        assert ill.status == 78
        assert "take another one with --port" in ill.out
    well = command("doctor", "--quick", "--port", 0, "--json")
    assert well.status == 0
    assert {finding["state"] for finding in json.loads(well.out)["findings"]} <= {"fine", "warning"}


@needs_icecast
def test_each_icecast_server_is_asked_whether_it_takes_the_password(home):
    with icecast(home / "icecast") as server:
        given = {"url": server.url, "mount": "/a.mp3", "password": SecretStr(PASSWORD)}
        fine = push_target(PushSettings(**given))
        refusing = push_target(PushSettings(**given | {"password": SecretStr("quite-another-password")}))
    gone = push_target(PushSettings(**given))
    assert [one.state for one in (fine, refusing, gone)] == ["fine", "warning", "warning"]
    assert refusing.found.endswith("refuses the user or the password")
    assert gone.found.endswith("Connection refused")
    for one in (fine, refusing, gone):
        assert one.name == "push a.mp3"
        assert PASSWORD not in repr(one)
        assert "quite-another" not in repr(one)


def test_the_folder_of_hls_has_to_be_one_that_can_be_written(home):
    assert hls_directory(home / "deep" / "hls").state == "fine"
    (home / "file").write_text("")
    beside = hls_directory(home / "file" / "hls")
    assert (beside.name, beside.state) == ("hls", "warning")
    assert "hls_dir" in beside.cure


def test_what_is_sent_to_nobody_is_not_examined(home):
    assert not [finding for finding in examined(home, port=0) if finding.name.startswith(("push", "hls"))]


def test_a_port_that_is_none_is_refused_before_another_one_is_looked_at(command):
    outcome = command("doctor", "--quick", "--port", "99999")
    assert outcome.status == 64
    assert "65535" in outcome.err
    assert outcome.out == ""
