"""``auralisd token --listen``: links to listen, in every form a player may want."""

from __future__ import annotations

import json
import time

import pytest

from auralisd.listening_links import LinkKey

SIGNED = "listen_access = 'signed'\nhls = ['main']\n"


@pytest.fixture
def signed(home):
    file = home / "signed.toml"
    file.write_text(SIGNED)
    return file


def made_by(outcome):
    """The addresses that were printed, by what they are."""
    assert outcome.status == 0, outcome.err
    return dict(line.split() for line in outcome.out.splitlines())


def test_a_link_to_listen_is_made_with_the_key_that_the_daemon_will_use(command, home, signed):
    outcome = command("token", "--listen", "--config", signed, "--url", "http://radio:8000/")
    shown = made_by(outcome)
    assert list(shown) == ["page", "opus", "mp3", "flac", "aac", "wav", "m3u", "pls", "hls"]
    address, _, token = shown["mp3"].partition("?listen=")
    assert address == "http://radio:8000/stations/main/stream.mp3"
    kept = (home / ".local/state/auralisd/listen-key").read_text().strip()
    grant = LinkKey(kept).read(token)
    assert (grant.station, grant.format) == ("main", None)
    assert abs(grant.expires_at_seconds - time.time() - 86_400) < 60
    assert outcome.err.startswith("good until ")
    assert kept not in outcome.out + outcome.err
    assert not (home / ".local/state/auralisd/token").exists()


@pytest.mark.parametrize(("expires", "seconds"), [("90", 90), ("30m", 1800), ("24h", 86_400), ("7D", 604_800)])
def test_a_link_holds_as_long_as_was_asked(command, signed, expires, seconds):
    made = json.loads(command("token", "--listen", "--config", signed, "--expires", expires, "--json").out)
    assert abs(made["expires_at"] / 1000 - time.time() - seconds) < 60
    assert (made["station"], made["format"]) == ("main", None)
    assert made["addresses"]["page"].endswith(f"/?station=main&listen={made['token']}")


def test_a_link_may_be_for_one_station_and_one_format(command, signed):
    made = command(
        "token", "--listen", "--config", signed, "--station", "night", "--format", "flac", "--url", "https://a"
    )
    shown = made_by(made)
    assert list(shown) == ["flac", "m3u", "pls"]
    assert shown["flac"].startswith("https://a/stations/night/stream.flac?listen=l1.night.flac.")


def test_a_link_says_where_guests_reach_the_daemon_or_that_they_do_not(command, signed):
    outcome = command("token", "--listen", "--config", signed)
    assert made_by(outcome)["wav"].startswith("http://127.0.0.1:8000/")
    assert "--url" in outcome.err
    signed.write_text(SIGNED + "public_url = 'https://music.example'")
    outcome = command("token", "--listen", "--config", signed)
    assert made_by(outcome)["wav"].startswith("https://music.example/")
    assert "--url" not in outcome.err


def test_where_listening_is_open_the_addresses_are_shown_as_they_are_and_why(command, home):
    outcome = command("token", "--listen", "--url", "http://radio")
    assert made_by(outcome)["mp3"] == "http://radio/stations/main/stream.mp3"
    assert "takes no link" in outcome.err
    assert json.loads(command("token", "--listen", "--json").out)["token"] is None
    assert not (home / ".local").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--station", "main"), "go with --listen"),
        (("--json",), "go with --listen"),
        (("--listen", "--expires", "0"), "24h or 7d"),
        (("--listen", "--expires", "soon"), "24h or 7d"),
        (("--listen", "--expires", "4000d"), "ten years"),
        (("--listen", "--station", "../night"), "an id is meant"),
        (("--listen", "--format", "ogg"), "ogg"),
        (("--listen", "--format", "hls"), "not written as HLS"),
        (("--listen", "--url", "radio:8000"), "http://host:port"),
        (("--listen", "--url", "http://radio/music"), "without a path"),
        (("--listen", "--url", "ftp://radio"), "http://host:port"),
    ],
)
def test_what_makes_no_link_is_wrong_usage_and_says_what_is_meant(command, options, words):
    outcome = command("token", *options)
    assert (outcome.status, outcome.out) == (64, "")
    assert words in outcome.err


def test_a_free_port_has_no_address_to_make_a_link_of(command, signed, monkeypatch):
    monkeypatch.setenv("AURALISD_PORT", "0")
    assert command("token", "--listen", "--config", signed).status == 64
    assert command("token", "--listen", "--config", signed, "--url", "http://radio:1234").status == 0
