"""Written once or twice, started, changed and undone: systemd is told what it needs to know and nothing more."""

from __future__ import annotations

import pytest

from auralisd.cli.service.address import Address
from auralisd.cli.service.carrying_out import install, refuse_without, remove, shown
from auralisd.cli.service.places import SERVICE, SOCKET
from auralisd.cli.service.units import CUDA, SEALED, planned_files
from auralisd.errors import ServiceError
from tests.cli.service.written import RememberingManager, places_below, wishes

BOTH = f"{SOCKET} {SERVICE}"


@pytest.fixture
def places(tmp_path):
    return places_below(tmp_path)


@pytest.fixture
def manager():
    return RememberingManager()


def put(places, manager, *, now=False, **changes) -> str:
    return "\n".join(install(planned_files(wishes(**changes), places), places, manager, now=now))


def files_of(places) -> dict[str, str]:
    return {str(path): path.read_text() for path in places.units.parent.rglob("*") if path.is_file()}


def test_what_is_shown_is_what_is_written(places, manager):
    planned = planned_files(wishes(cuda=True), places)
    text = "\n".join(shown(planned, places))
    assert files_of(places) == {}
    put(places, manager, cuda=True)
    written = files_of(places)
    assert len(written) == len(planned)
    for path, content in written.items():
        assert f"#### {path}: new\n{content}" in text


def test_the_units_are_read_by_systemd_and_started_when_asked(places, manager):
    said = put(places, manager)
    assert manager.told == ["daemon-reload"]
    assert f"sudo systemctl enable --now {BOTH}" in said
    put(places, manager, now=True)
    assert manager.told == ["daemon-reload", "daemon-reload", f"enable --now {BOTH}"]


def test_twice_is_the_same_as_once(places, manager):
    put(places, manager, now=True)
    before, told = files_of(places), list(manager.told)
    said = put(places, manager, now=True)
    assert files_of(places) == before
    assert manager.told[len(told) :] == ["daemon-reload", f"enable --now {BOTH}"]
    assert said.count("is so already") == 3
    assert ": written" not in said


def test_a_service_that_changes_is_shown_and_started_again_while_the_socket_stays(places, manager):
    put(places, manager, now=True)
    manager.told.clear()
    said = put(places, manager, now=True, command=("/opt/new/bin/auralisd", "run"))
    assert "-ExecStart=/opt/auralisd/bin/auralisd run\n+ExecStart=/opt/new/bin/auralisd run\n" in said
    assert manager.told == ["daemon-reload", f"restart {SERVICE}", f"enable --now {BOTH}"]


def test_a_socket_that_changes_is_closed_first(places, manager):
    put(places, manager, now=True)
    manager.told.clear()
    put(places, manager, now=True, address=Address(host=None, port=9000))
    assert manager.told == ["daemon-reload", f"stop {BOTH}", f"enable --now {BOTH}"]


def test_a_change_is_not_forced_on_a_service_that_plays(places, manager):
    put(places, manager, now=True)
    manager.told.clear()
    said = put(places, manager, address=Address(host=None, port=9000))
    assert manager.told == ["daemon-reload"]
    assert f"sudo systemctl start {BOTH}" in said


def test_a_drop_in_that_is_wanted_no_more_goes(places, manager):
    put(places, manager, cuda=True)
    planned = planned_files(wishes(), places)
    assert f"#### {places.drop_ins / CUDA}: taken away" in "\n".join(shown(planned, places))
    manager.told.clear()
    put(places, manager)
    assert [path.name for path in places.drop_ins.iterdir()] == [SEALED]
    assert manager.told == ["daemon-reload"]


def test_a_configuration_that_is_there_stays_as_it_is(places, manager):
    places.config_file.parent.mkdir()
    places.config_file.write_text("port = 8000  # mine\n")
    said = put(places, manager)
    assert places.config_file.read_text() == "port = 8000  # mine\n"
    assert f"{places.config_file}: yours" in said
    assert f"{places.config_file}: yours" in "\n".join(shown(planned_files(wishes(), places), places))


def test_a_unit_of_somebody_else_keeps_everything_from_being_written(places, manager):
    places.units.mkdir()
    (places.units / SOCKET).write_text("[Socket]\n")
    before = files_of(places)
    with pytest.raises(ServiceError, match="not written by this command"):
        put(places, manager, now=True)
    with pytest.raises(ServiceError, match="not written by this command"):
        list(shown(planned_files(wishes(), places), places))
    assert files_of(places) == before
    assert manager.told == []


def test_removing_undoes_what_was_written_and_leaves_the_rest(places, manager):
    for kept in ("state", "cache"):
        (places.units.parent / kept).mkdir()
    put(places, manager, now=True, cuda=True)
    places.drop_ins.joinpath("override.conf").write_text("[Service]\nNice=0\n")
    manager.told.clear()
    said = "\n".join(remove(places, manager))
    assert manager.told == [f"disable --now {BOTH}", "daemon-reload"]
    assert set(files_of(places)) == {str(places.config_file), str(places.drop_ins / "override.conf")}
    assert f"left as they are (configuration, stations and token, compiled code): {places.config_file.parent}" in said
    assert str(places.units.parent / "state") in said


def test_removing_twice_is_the_same_as_once(places, manager):
    put(places, manager, now=True)
    list(remove(places, manager))
    manager.told.clear()
    assert "nothing here was written by this command" in list(remove(places, manager))
    assert manager.told == []


def test_a_service_that_failed_is_forgotten_as_well(places, manager):
    put(places, manager, now=True)
    manager.states[SERVICE] = "failed"
    manager.told.clear()
    list(remove(places, manager))
    assert manager.told[0] == f"reset-failed {SERVICE}"


def test_units_of_somebody_else_are_not_removed(places, manager):
    places.units.mkdir()
    (places.units / SERVICE).write_text("[Service]\n")
    list(remove(places, manager))
    assert (places.units / SERVICE).read_text() == "[Service]\n"
    assert manager.told == []


def test_a_service_that_cannot_be_stopped_is_not_removed(places, manager):
    put(places, manager, now=True)
    manager.refuses = "disable"
    with pytest.raises(ServiceError):
        list(remove(places, manager))
    assert (places.units / SERVICE).exists()


def test_a_machine_without_systemd_and_a_user_without_rights_are_told_what_to_do(manager):
    with pytest.raises(ServiceError, match="sudo auralisd install-service --write"):
        refuse_without(manager, is_root=False, command="auralisd install-service --write")
    refuse_without(manager, is_root=True, command="auralisd install-service --write")
    manager.booted = False
    with pytest.raises(ServiceError, match="systemd: does not run this machine"):
        refuse_without(manager, is_root=True, command="")
