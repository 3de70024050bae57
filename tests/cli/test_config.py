"""The example configuration is right, and check-config says what run would say."""

from __future__ import annotations

import json
import re
import tomllib

from auralisd.settings import PushSettings, Settings, StationSettings, example_toml, load_settings


def uncommented(text: str) -> str:
    """The example with every setting taken at its word; explanations keep their ``# ``."""
    return re.sub(r"(?m)^#(?! )", "", text)


def test_the_example_changes_nothing_as_it_is():
    assert tomllib.loads(example_toml()) == {}


def test_the_example_names_every_setting_and_its_values_are_taken(home):
    values = tomllib.loads(uncommented(example_toml()))
    assert set(values) == set(Settings.model_fields)
    assert set(values["stations"][0]) == set(StationSettings.model_fields)
    assert set(values["push"][0]) == set(PushSettings.model_fields) - {"password"}  # better kept in its file
    file = home / "config.toml"
    text = uncommented(example_toml())
    for name in ("token", "icecast-password"):
        (home / name).write_text("secret-enough")
        text = text.replace(f"/etc/auralisd/{name}", str(home / name))
    file.write_text(text)
    loaded = load_settings({}, environ={"HOME": str(home)}, config_file=file)
    for name, field in Settings.model_fields.items():
        if field.default is not None and name not in {"stations", "push", "state_dir"}:
            assert getattr(loaded, name) == field.default, name


def test_config_prints_the_example(command):
    assert command("config", "--example").out == example_toml()


def test_config_says_where_it_looks(command, home):
    out = command("config").out
    assert str(home / ".config/auralisd/config.toml") in out
    assert "not there" in out


def test_check_config_shows_what_is_not_by_default(command, home):
    file = home / "config.toml"
    file.write_text("port = 1234\ntitle = 'Attic'")
    outcome = command("check-config", "--config", file)
    assert outcome.status == 0
    assert str(file) in outcome.out
    assert "port = 1234" in outcome.out
    assert "title = 'Attic'" in outcome.out
    assert "log_level" not in outcome.out


def test_check_config_as_json_holds_every_setting_and_hides_the_token(command, monkeypatch):
    monkeypatch.setenv("AURALISD_TOKEN", "very-secret")
    outcome = command("check-config", "--json")
    assert set(json.loads(outcome.out)) == set(Settings.model_fields)
    assert "very-secret" not in outcome.out


def test_check_config_refuses_what_run_would_refuse(command, home):
    file = home / "config.toml"
    file.write_text("prot = 1234")
    outcome = command("check-config", "--config", file)
    assert outcome.status == 78
    assert "did you mean port?" in outcome.err


def test_check_config_notes_what_a_station_would_not_begin_with(command, home):
    file = home / "config.toml"
    file.write_text("preset = 'Slepe'\n[[stations]]\nid = 'attic'\npreset = 'sleep'")
    outcome = command("check-config", "--config", file)
    assert outcome.status == 0
    (doubt,) = outcome.err.splitlines()
    assert "station main: no preset 'Slepe'" in doubt
    assert "Sleep" in doubt


def test_the_token_is_made_once_and_shown_again(command, home):
    first = command("token")
    assert first.status == 0
    assert command("token").out == first.out
    assert (home / ".local/state/auralisd/token").read_text() == first.out


def test_a_configured_token_is_shown_rather_than_made(command, home, monkeypatch):
    monkeypatch.setenv("AURALISD_TOKEN", "configured")
    assert command("token").out == "configured\n"
    assert not (home / ".local").exists()


def test_check_config_hides_the_listen_key(command, monkeypatch):
    monkeypatch.setenv("AURALISD_LISTEN_KEY", "a-key-of-thirty-two-characters-or-more")
    for options in ((), ("--json",)):
        outcome = command("check-config", *options)
        assert outcome.status == 0
        assert "a-key-of-thirty" not in outcome.out + outcome.err


def test_where_nothing_is_set_all_is_by_default_the_state_directory_too(command, home):
    assert command("check-config").out == "No configuration file: fine. All is by default.\n"
    elsewhere = command("check-config", "--state-dir", home / "elsewhere")
    assert elsewhere.out.splitlines()[1:] == [f"  state_dir = '{home / 'elsewhere'}'"]
