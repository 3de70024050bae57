"""Precedence of the sources, and every refusal by name."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from auralisd.errors import SettingsError
from auralisd.settings import (
    RELOADABLE,
    Settings,
    create_listen_key,
    create_token,
    load_settings,
    read_token_file,
    reloaded,
    with_token,
)
from auralisd.settings import files as settings_files

in_one_directory = hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings_files, "SYSTEM_CONFIG_FILE", tmp_path / "etc" / "config.toml")
    return tmp_path


def load(home: Path, *, flags: Mapping[str, object] | None = None, toml: str | None = None, **environ: str) -> Settings:
    config_file = None
    if toml is not None:
        config_file = home / "given.toml"
        config_file.write_text(toml, encoding="utf-8")
    return load_settings(flags or {}, environ={"HOME": str(home), **environ}, config_file=config_file)


TARGET = "\n[[push]]\nurl = '{}'\nmount = '{}'\npassword = 'x'"


def toml_value(value: object) -> str:
    return repr(value).lower() if isinstance(value, bool) else repr(value)


SOME_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "port": st.integers(0, 65535),
    "lan": st.booleans(),
    "title": st.text("abc xyz", min_size=1, max_size=20).filter(str.strip),
    "max_listeners": st.integers(1, 10_000),
    "seed": st.integers(0, 2**53 - 1),
    "log_level": st.sampled_from(["debug", "info", "warning", "error"]),
}
one_setting = st.sampled_from(sorted(SOME_VALUES)).flatmap(
    lambda name: st.tuples(st.just(name), *(st.none() | SOME_VALUES[name] for _ in range(3)))
)


@in_one_directory
@given(one_setting)
def test_flags_win_over_the_environment_over_the_file_over_the_default(home: Path, case: Any) -> None:
    name, flag, variable, in_file = case
    loaded = load(
        home,
        flags={} if flag is None else {name: flag},
        toml="" if in_file is None else f"{name} = {toml_value(in_file)}",
        **({} if variable is None else {f"AURALISD_{name.upper()}": str(variable)}),
    )
    candidates = [flag, variable, in_file, Settings.model_fields[name].default]
    assert getattr(loaded, name) == next((v for v in candidates if v is not None), None)


@in_one_directory
@given(st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12))
def test_a_key_of_the_file_that_is_no_setting_is_refused_by_name(home: Path, key: str) -> None:
    if key in Settings.model_fields:
        return
    with pytest.raises(SettingsError) as refused:
        load(home, toml=f"{key} = 1")
    assert refused.value.key == f"{key} in {home / 'given.toml'}"


@in_one_directory
@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", min_size=1, max_size=12))
def test_a_variable_that_is_no_setting_is_refused_by_name(home: Path, name: str) -> None:
    if name.lower() in {*Settings.model_fields, "config"}:
        return
    with pytest.raises(SettingsError) as refused:
        load(home, **{f"AURALISD_{name}": "1"})
    assert refused.value.key == f"AURALISD_{name}"


@pytest.mark.parametrize(
    ("toml", "environ", "nearest"),
    [
        ("prot = 1", {}, "port"),
        ("max_listener = 1", {}, "max_listeners"),
        ("", {"AURALISD_LOGLEVEL": "info"}, "AURALISD_LOG_LEVEL"),
        ("[[stations]]\nid = 'sleep'\ntilte = 'Sleep'", {}, "title"),
        ("[[push]]\nurl = 'http://a'\nmuont = '/a.mp3'", {}, "mount"),
    ],
)
def test_a_misspelling_is_answered_with_the_nearest_name(
    home: Path, toml: str, environ: dict[str, str], nearest: str
) -> None:
    with pytest.raises(SettingsError, match=f"did you mean {nearest}"):
        load(home, toml=toml, **environ)


@pytest.mark.parametrize(
    ("flags", "environ", "toml", "key"),
    [
        ({"port": 65536}, {}, None, "--port"),
        ({"log_level": "loud"}, {}, None, "--log-level"),
        ({}, {"AURALISD_PORT": "music"}, None, "AURALISD_PORT"),
        ({}, {"AURALISD_STATIONS": "music"}, None, "AURALISD_STATIONS"),
        ({}, {"AURALISD_TRUSTED_PROXIES": "10.0.0.0/8, nowhere"}, None, "AURALISD_TRUSTED_PROXIES"),
        ({}, {}, "max_listeners = 0", "max_listeners in"),
        ({}, {}, "seed = -1", "seed in"),
        ({}, {}, "public_url = 'music.example.org'", "public_url in"),
        ({}, {}, "public_url = 'https://example.org/music'", "public_url in"),
        ({}, {}, "allowed_hosts = ['https://example.org']", "allowed_hosts in"),
        ({}, {}, "[[stations]]\nid = 'No Spaces'", "stations[0].id in"),
        ({}, {}, "[[stations]]\nid = 'sleep'\ncontrols = {bpm = 300}", "stations[0].controls in"),
        ({}, {}, "default_station = 'nowhere'", "given.toml"),
        ({}, {}, "[[stations]]\nid = 'a'\n[[stations]]\nid = 'a'", "given.toml"),
        ({}, {}, "port = ", "given.toml"),
        ({}, {}, "hls = ['Not An Id']", "hls in"),
        ({}, {"AURALISD_HLS_FORMATS": "aac,mp3"}, None, "AURALISD_HLS_FORMATS"),
        ({}, {}, "hls_formats = []", "hls_formats in"),
        ({}, {"AURALISD_PUSH": "music"}, None, "AURALISD_PUSH"),
        ({}, {}, TARGET.format("ftp://radio", "/a.mp3"), "push[0].url in"),
        ({}, {}, TARGET.format("http://radio/admin", "/a.mp3"), "push[0].url in"),
        ({}, {}, TARGET.format("http://radio:99999", "/a.mp3"), "push[0].url in"),
        ({}, {}, TARGET.format("http://radio", "a.mp3"), "push[0].mount in"),
        ({}, {}, TARGET.format("http://radio", "/a.mp3?x=1"), "push[0].mount in"),
        ({}, {}, TARGET.format("http://radio", "/a.mp3") + "\nformat = 'flac'", "push[0].format in"),
        ({}, {}, TARGET.format("http://radio", "/a.mp3") + "\npassword_file = 'x'", "push[0] in"),
        ({}, {}, TARGET.format("http://radio", "/a.mp3") * 2, "given.toml"),
    ],
)
def test_what_is_out_of_range_is_refused_under_the_name_its_source_gives_it(
    home: Path, flags: dict[str, object], environ: dict[str, str], toml: str | None, key: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        load(home, flags=flags, toml=toml, **environ)
    assert key in refused.value.key


def test_a_file_that_was_named_has_to_be_there(home: Path) -> None:
    missing = home / "missing.toml"
    with pytest.raises(SettingsError, match=r"--config.*no such file"):
        load_settings({}, environ={"HOME": str(home)}, config_file=missing)
    with pytest.raises(SettingsError, match=r"AURALISD_CONFIG.*no such file"):
        load(home, AURALISD_CONFIG=str(missing))


def test_a_file_is_looked_for_in_the_users_configuration_first_and_in_etc_last(home: Path) -> None:
    own, moved, system = home / ".config/auralisd", home / "xdg/auralisd", home / "etc"
    for directory, port in ((own, 1001), (moved, 1002), (system, 1003)):
        directory.mkdir(parents=True)
        (directory / "config.toml").write_text(f"port = {port}")
    assert load(home).port == 1001
    assert load(home, XDG_CONFIG_HOME=str(home / "xdg")).port == 1002
    assert load(home, XDG_CONFIG_HOME="relative").port == 1001
    assert load(home, AURALISD_CONFIG=str(system / "config.toml")).port == 1003
    (own / "config.toml").unlink()
    assert load(home).port == 1003
    (system / "config.toml").unlink()
    assert load(home).port == 8000


def test_the_state_directory_is_the_flags_or_systemds_or_the_users(home: Path) -> None:
    assert load(home).state_dir == home / ".local/state/auralisd"
    assert load(home, XDG_STATE_HOME=str(home / "state")).state_dir == home / "state/auralisd"
    by_systemd = {"STATE_DIRECTORY": f"{home}/var:{home}/other", "XDG_STATE_HOME": str(home / "state")}
    assert load(home, **by_systemd).state_dir == home / "var"
    assert load(home, AURALISD_STATE_DIR=str(home / "mine"), **by_systemd).state_dir == home / "mine"
    assert load(home, flags={"state_dir": home / "flag"}, **by_systemd).state_dir == home / "flag"


def test_lists_come_separated_by_commas_in_the_environment(home: Path) -> None:
    loaded = load(home, AURALISD_ALLOWED_HOSTS="Music.example.org, radio.example.org,")
    assert loaded.allowed_hosts == ("music.example.org", "radio.example.org")
    assert load(home, toml="allowed_hosts = ['a.example']").allowed_hosts == ("a.example",)


def test_an_empty_variable_counts_as_absent(home: Path) -> None:
    assert load(home, toml="port = 1234", AURALISD_PORT="", AURALISD_TOKEN="").port == 1234


def test_an_address_open_to_others_is_refused_without_a_token_and_both_ways_out_are_named(home: Path) -> None:
    for host in ("0.0.0.0", "::", "", "192.168.1.5", "music.example.org"):
        with pytest.raises(SettingsError) as refused:
            load(home, flags={"host": host})
        assert "--lan" in str(refused.value)
        assert "AURALISD_TOKEN" in str(refused.value)
        assert load(home, flags={"host": host}, AURALISD_TOKEN="s3cret").token_text == "s3cret"
    for host in ("127.0.0.1", "127.0.0.2", "::1", "localhost"):
        assert load(home, flags={"host": host}).binds_loopback


def test_lan_listens_on_all_addresses_unless_one_is_named(home: Path) -> None:
    assert load(home, flags={"lan": True}).bind_host is None
    assert not load(home, flags={"lan": True}).binds_loopback
    assert load(home, flags={"lan": True, "host": "192.168.1.5"}).bind_host == "192.168.1.5"


def test_the_token_comes_from_the_environment_the_file_named_the_credentials_or_the_state(home: Path) -> None:
    credentials, state, named = home / "credentials", home / "state", home / "named"
    for path, text in ((credentials / "token", "from-systemd\n"), (state / "token", "kept"), (named, "named\nnotes")):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    environ = {"AURALISD_STATE_DIR": str(state)}
    assert load(home, **environ).token_text == "kept"
    environ["CREDENTIALS_DIRECTORY"] = str(credentials)
    assert load(home, **environ).token_text == "from-systemd"
    environ["AURALISD_TOKEN_FILE"] = str(named)
    assert load(home, **environ).token_text == "named"
    environ["AURALISD_TOKEN"] = "given"
    assert load(home, **environ).token_text == "given"
    named.write_text("")
    del environ["AURALISD_TOKEN"]
    with pytest.raises(SettingsError, match="empty"):
        load(home, **environ)


def test_a_token_is_never_shown(home: Path) -> None:
    assert "s3cret" not in repr(load(home, AURALISD_TOKEN="s3cret"))
    with pytest.raises(SettingsError) as refused:
        load(home, AURALISD_TOKEN="s3cret with spaces")
    assert "s3cret" not in str(refused.value)
    assert refused.value.value is None


def test_hls_is_written_in_the_state_directory_or_where_the_settings_say(home: Path) -> None:
    loaded = load(home, flags={"state_dir": home / "state"}, AURALISD_HLS="main, night,main")
    assert loaded.hls == ("main", "night")
    assert loaded.hls_folder("night") == home / "state/hls/night"
    assert load(home, toml="hls_dir = '/srv/hls'").hls_folder("main") == Path("/srv/hls/main")
    assert load(home).hls == ()


def test_a_push_targets_password_comes_from_its_file_and_is_never_shown(home: Path) -> None:
    (home / "secret").write_text("s3cret\n")
    target = f"[[push]]\nurl = 'https://Radio.example.org'\nmount = '/a.mp3'\npassword_file = '{home}/secret'"
    loaded = load(home, toml=target)
    (push,) = loaded.push
    assert push.password is not None
    assert push.password.get_secret_value() == "s3cret"
    assert (push.host, push.port, push.tls, push.label) == ("radio.example.org", 443, True, "a.mp3")
    assert "s3cret" not in repr(loaded)
    assert "s3cret" not in loaded.model_dump_json()
    (home / "secret").unlink()
    with pytest.raises(SettingsError, match=r"password_file.*the password cannot be read"):
        load(home, toml=target)


@pytest.mark.parametrize(
    "toml",
    [
        "[[push]]\nurl = 'http://source:s3cret@radio:8000'\nmount = '/a.mp3'",
        "[[push]]\nurl = 'http://source:s3cret@radio:port'\nmount = '/a.mp3'",
        "[[push]]\nurl = 'http://radio:8000'\nmount = '/a.mp3'\npassword = 's3cret'\npassword_file = 'x'",
        "[[push]]\nurl = 'http://radio:8000'\npassword = 's3cret'",
        "[[push]]\nurl = 'http://radio:8000'\nmount = '/a.mp3'\npassword = ['s3cret']",
        "[push]\nurl = 'http://radio:8000'\nmount = '/a.mp3'\npassword = 's3cret'",
    ],
)
def test_no_refusal_of_a_push_target_shows_a_password(home: Path, toml: str) -> None:
    with pytest.raises(SettingsError, match="push") as refused:
        load(home, toml=toml)
    assert "s3cret" not in str(refused.value)
    as_json = '[{"url": "http://source:s3cret@radio", "mount": "/a.mp3"}]'
    for variable in (as_json, as_json[:-1]):
        with pytest.raises(SettingsError, match="AURALISD_PUSH") as refused:
            load(home, AURALISD_PUSH=variable)
        assert "s3cret" not in str(refused.value)


def test_a_new_token_is_readable_by_its_owner_alone_and_stays_the_same(tmp_path: Path) -> None:
    state = tmp_path / "deep" / "state"
    token = create_token(state)
    assert create_token(state) == token == read_token_file(state / "token")
    assert len(token) >= 20
    if os.name == "posix":
        assert stat.S_IMODE((state / "token").stat().st_mode) == 0o600
        assert stat.S_IMODE(state.stat().st_mode) == 0o700


LISTEN_KEY = "a-key-of-thirty-two-characters-or-more"


def test_listening_takes_no_link_unless_the_settings_say_so(home: Path) -> None:
    assert load(home).listen_access == "open"
    assert load(home, AURALISD_LISTEN_ACCESS="Signed").listen_access == "signed"
    with pytest.raises(SettingsError, match="AURALISD_LISTEN_ACCESS"):
        load(home, AURALISD_LISTEN_ACCESS="closed")


def test_the_listen_key_comes_from_where_the_token_comes_from(home: Path) -> None:
    def kept(place: Path, name: str) -> str:
        place.mkdir(exist_ok=True)
        (place / "listen-key").write_text(f"{LISTEN_KEY}-{name}\n")
        return f"{LISTEN_KEY}-{name}"

    state = home / "state"
    flags = {"state_dir": state}
    assert load(home, flags=flags).listen_key_text is None
    assert load(home, flags=flags, toml="").listen_key_text is None
    in_state = kept(state, "state")
    assert load(home, flags=flags).listen_key_text == in_state
    credential = kept(home / "credentials", "credential")
    given: dict[str, str] = {"CREDENTIALS_DIRECTORY": str(home / "credentials")}
    assert load(home, flags=flags, **given).listen_key_text == credential
    named = kept(home / "named", "file")
    toml = f"listen_key_file = '{home}/named/listen-key'"
    assert load(home, flags=flags, toml=toml, **given).listen_key_text == named
    assert load(home, flags=flags, toml=toml, AURALISD_LISTEN_KEY=LISTEN_KEY, **given).listen_key_text == LISTEN_KEY


def test_a_listen_key_that_could_be_found_by_trying_is_refused_and_not_shown(home: Path) -> None:
    (home / "short").write_text("s3cret\n")
    (home / "auralisd").mkdir()
    (home / "auralisd" / "listen-key").write_text("s3cret\n")
    for how in (
        {"AURALISD_LISTEN_KEY": "s3cret"},
        {"toml": "listen_key = 's3cret'"},
        {"toml": "listen_key = ['s3cret']"},
        {"toml": f"listen_key_file = '{home}/short'"},
        {"flags": {"state_dir": home / "auralisd"}},
    ):
        with pytest.raises(SettingsError, match=r"(?i)listen_key") as refused:
            load(home, **how)
        assert "s3cret" not in str(refused.value)
    with pytest.raises(SettingsError, match=r"listen_key_file.*32 characters"):
        create_listen_key(home / "auralisd")


def test_links_are_not_signed_with_the_token(home: Path) -> None:
    with pytest.raises(SettingsError, match=r"listen_key: another secret than the token") as refused:
        load(home, AURALISD_TOKEN=LISTEN_KEY, AURALISD_LISTEN_KEY=LISTEN_KEY)
    assert LISTEN_KEY not in str(refused.value)


def test_a_new_listen_key_is_readable_by_its_owner_alone_and_stays_the_same(tmp_path: Path) -> None:
    key = create_listen_key(tmp_path / "state")
    assert create_listen_key(tmp_path / "state") == key
    assert len(key) >= 43  # 256 bits
    assert key != create_token(tmp_path / "state")
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "state" / "listen-key").stat().st_mode) == 0o600


def test_another_listen_key_and_another_access_wait_for_a_restart(home: Path) -> None:
    current = load(home, toml="listen_access = 'open'")
    (home / "given.toml").write_text(f"listen_access = 'signed'\nlisten_key = '{LISTEN_KEY}'")
    assert reloaded(current).needs_restart == ("listen_access", "listen_key")


def test_the_listen_key_is_shown_nowhere(home: Path) -> None:
    loaded = load(home, AURALISD_LISTEN_KEY=LISTEN_KEY)
    for shown in (repr(loaded), str(loaded), loaded.model_dump_json()):
        assert LISTEN_KEY not in shown


def test_reloading_takes_what_may_change_and_names_what_waits(home: Path) -> None:
    before = "max_listeners = 10\nport = 1000\nlog_level = 'info'"
    current = load(home, toml=before, flags={"log_level": "warning"})
    (home / "given.toml").write_text("max_listeners = 20\nport = 2000\nlog_level = 'debug'")
    result = reloaded(current)
    assert result.changed == ("max_listeners",)  # the flag still holds log_level
    assert result.needs_restart == ("port",)
    taken = result.settings
    assert (taken.max_listeners, taken.port, taken.log_level) == (20, 1000, "warning")
    again = reloaded(taken)
    assert (again.changed, again.needs_restart) == ((), ("port",))


def test_reloading_what_cannot_be_taken_changes_nothing(home: Path) -> None:
    current = load(home, toml="max_listeners = 10")
    (home / "given.toml").write_text("max_listeners = 20\nprot = 1")
    with pytest.raises(SettingsError, match="prot"):
        reloaded(current)
    assert current.max_listeners == 10


def test_a_token_made_at_the_start_survives_a_reload(home: Path) -> None:
    current = load(home, flags={"lan": True}, toml="")
    current = with_token(current, create_token(current.state_dir))
    assert reloaded(current).needs_restart == ()


def test_every_reloadable_name_is_a_setting() -> None:
    assert set(Settings.model_fields) >= RELOADABLE


def test_settings_made_by_hand_look_at_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURALISD_PORT", "1234")
    assert Settings().port == 8000
