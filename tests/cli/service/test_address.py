"""Flags, the configuration and what was chosen before agree on one address, or are told apart."""

from __future__ import annotations

import os

import pytest

from auralisd.cli.service.address import Address, choose_address, service_settings
from auralisd.errors import ServiceError, SettingsError
from tests.cli.service.written import nothing_of_this_machine, places_below


@pytest.fixture
def chosen(home, monkeypatch):
    """The address for a configuration, flags and what is installed."""
    nothing_of_this_machine(monkeypatch, home)
    places = places_below(home)

    def choose(text=None, *, port=None, lan=False, installed=None):
        if text is not None:
            places.config_file.parent.mkdir(exist_ok=True)
            places.config_file.write_text(text)
        return choose_address(service_settings(places), places, port=port, lan=lan, installed=installed)

    return choose


@pytest.mark.parametrize(
    ("host", "streams"),
    [
        (None, ("8000",)),
        ("127.0.0.1", ("127.0.0.1:8000",)),
        ("::1", ("[::1]:8000",)),
        ("localhost", ("127.0.0.1:8000", "[::1]:8000")),
        ("192.168.1.5", ("192.168.1.5:8000",)),
    ],
)
def test_an_address_is_written_as_systemd_reads_it_and_read_back(host, streams):
    address = Address(host=host, port=8000)
    assert address.streams == streams
    text = "[Socket]\n" + "".join(f"ListenStream={stream}\n" for stream in streams)
    assert Address.of_unit(text) == (address if host != "localhost" else Address(host="127.0.0.1", port=8000))


def test_a_unit_without_an_address_has_none():
    assert Address.of_unit("[Socket]\nListenStream=\nListenStream=/run/auralisd.sock\n") is None


def test_a_name_is_no_address_for_a_socket_unit():
    with pytest.raises(ServiceError, match=r"radio\.example\.org.*the address itself"):
        _ = Address(host="radio.example.org", port=8000).streams


def test_without_anything_it_is_where_the_daemon_would_listen(chosen):
    assert chosen() == Address(host="127.0.0.1", port=8000)


def test_the_house_and_a_port_can_be_asked_for(chosen):
    assert chosen(port=9000, lan=True) == Address(host=None, port=9000)


def test_the_configuration_decides_what_it_names(chosen):
    assert chosen("port = 9000\nlan = true\n") == Address(host=None, port=9000)
    assert chosen('host = "::1"\n') == Address(host="::1", port=8000)


def test_a_token_lets_the_house_in(chosen, home):
    (home / "etc").mkdir()
    (home / "etc" / "token").write_text("a-token-of-my-own\n")
    assert chosen('title = "Attic"\n', lan=True) == Address(host=None, port=8000)


def test_what_was_chosen_before_stays_until_the_configuration_names_something_else(chosen):
    before = Address(host="127.0.0.1", port=9000)
    assert chosen('title = "Attic"\n', installed=before) == before
    assert chosen('title = "Attic"\n', installed=before, port=9001).port == 9001
    assert chosen("port = 9002\n", installed=before) == Address(host="127.0.0.1", port=9002)


def test_a_flag_that_repeats_the_configuration_is_taken(chosen):
    assert chosen("port = 9000\nlan = true\n", port=9000, lan=True) == Address(host=None, port=9000)


@pytest.mark.parametrize(
    ("text", "flags", "said"),
    [
        ("port = 9000\n", {"port": 9001}, "port = 9000"),
        ("lan = false\n", {"lan": True}, "lan = false"),
        ('host = "127.0.0.1"\n', {"lan": True}, "host = '127.0.0.1'"),
    ],
)
def test_a_flag_that_contradicts_the_configuration_is_refused_with_its_line(chosen, text, flags, said):
    with pytest.raises(ServiceError, match="never written over") as refused:
        chosen(text, **flags)
    assert said in str(refused.value)


def test_the_house_is_not_let_in_where_nothing_guards_the_controls(chosen):
    with pytest.raises(ServiceError, match=r"nothing guards the controls.*lan = true"):
        chosen('title = "Attic"\n', lan=True)
    with pytest.raises(ServiceError, match="nothing guards the controls"):
        chosen('title = "Attic"\n', installed=Address(host=None, port=8000))


def test_any_free_port_is_none_for_a_service(chosen):
    with pytest.raises(ServiceError, match="port = 0"):
        chosen("port = 0\n")


def test_a_configuration_that_the_daemon_would_refuse_is_refused(chosen):
    with pytest.raises(SettingsError, match="did you mean port"):
        chosen("prot = 1\n")


def test_the_settings_of_whoever_installs_it_are_not_the_services(chosen, home, monkeypatch):
    monkeypatch.setenv("AURALISD_PORT", "9000")
    (home / ".config" / "auralisd").mkdir(parents=True)
    (home / ".config" / "auralisd" / "config.toml").write_text("port = 9001\n")
    assert chosen() == Address(host="127.0.0.1", port=8000)


def test_a_configuration_that_is_not_for_everybody_to_read_wants_sudo(chosen, monkeypatch):
    def not_yours(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("auralisd.cli.service.address.load_settings", not_yours)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ServiceError, match="sudo"):
        chosen()
