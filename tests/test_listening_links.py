"""Signed links: what a token says, and that nobody else can say it."""

from __future__ import annotations

import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralisd.listening_links import LINK_FORMATS, STREAM_FORMATS, Grant, LinkKey, addresses, with_token
from auralisd.transport.forms import HTTP_FORMS

KEY = LinkKey("a-key-of-thirty-two-characters-or-more")
STATIONS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True)
GRANTS = st.builds(
    Grant,
    station=STATIONS,
    expires_at_seconds=st.integers(1, 99_999_999_999),
    format=st.sampled_from([None, *LINK_FORMATS]),
)
UNRESERVED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")


@given(grant=GRANTS)
def test_a_token_is_read_as_it_was_made_and_needs_no_quoting_in_an_address(grant):
    token = KEY.token(grant)
    assert KEY.read(token) == grant
    assert set(token) <= UNRESERVED


@given(grant=GRANTS, at=st.integers(0, 400), other=st.characters())
def test_a_token_with_one_character_changed_is_none(grant, at, other):
    token = KEY.token(grant)
    at %= len(token)
    changed = token[:at] + other + token[at + 1 :]
    assert (KEY.read(changed) is None) == (changed != token)


@given(grant=GRANTS, extra=st.text(min_size=1, max_size=5), front=st.booleans())
def test_a_token_with_anything_beside_it_is_none(grant, extra, front):
    token = KEY.token(grant)
    assert KEY.read(extra + token if front else token + extra) is None


@given(grant=GRANTS, size=st.integers(0, 400))
def test_a_part_of_a_token_is_none(grant, size):
    token = KEY.token(grant)
    assert KEY.read(token[: size % len(token)]) is None


@given(one=GRANTS, other=GRANTS)
def test_the_signature_of_one_grant_is_good_for_no_other(one, other):
    signature = KEY.token(one).rpartition(".")[2]
    claimed = KEY.token(other).rpartition(".")[0]
    assert KEY.read(f"{claimed}.{signature}") == (one if one == other else None)


@given(text=st.one_of(st.text(max_size=300), st.binary(max_size=300).map(lambda some: some.decode("latin-1"))))
def test_whatever_comes_over_the_wire_is_no_token_and_raises_nothing(text):
    assert KEY.read(text) is None


@given(secret=st.text(min_size=32, max_size=64), grant=GRANTS)
def test_another_key_knows_none_of_these_links(secret, grant):
    assert LinkKey(secret).read(KEY.token(grant)) is None


def test_the_last_character_of_a_signature_has_one_spelling():
    token = KEY.token(Grant(station="main", expires_at_seconds=1))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert [last for last in alphabet if KEY.read(token[:-1] + last)] == [token[-1]]


def test_the_secret_itself_signs_nothing_and_shows_nowhere():
    secret = "a-key-of-thirty-two-characters-or-more"
    token = KEY.token(Grant(station="main", expires_at_seconds=1))
    signed, _, signature = token.rpartition(".")
    assert len(signature) == 43  # all 256 bits
    plain = hmac.digest(secret.encode(), signed.encode(), "sha256")
    assert signature != base64.urlsafe_b64encode(plain).rstrip(b"=").decode()
    assert secret not in repr(KEY)


def test_links_that_were_given_out_stay_good_from_version_to_version():
    grant = Grant(station="main", expires_at_seconds=1_764_350_000, format="mp3")
    assert KEY.token(grant) == "l1.main.mp3.1764350000.Ua3dZ1-aPjsonk4C8aQnknbDKzzqglwz9ws25NITRpc"


@pytest.mark.parametrize(
    "grant",
    [
        Grant(station="", expires_at_seconds=1),
        Grant(station="Main", expires_at_seconds=1),
        Grant(station="a.b", expires_at_seconds=1),
        Grant(station="main\n", expires_at_seconds=1),
        Grant(station="main", expires_at_seconds=0),
        Grant(station="main", expires_at_seconds=-5),
        Grant(station="main", expires_at_seconds=10**11),
        Grant(station="main", expires_at_seconds=1, format="ogg"),
        Grant(station="main", expires_at_seconds=1, format="-"),
    ],
)
def test_what_no_token_can_say_is_not_signed(grant):
    with pytest.raises(ValueError, match="no link can be good"):
        KEY.token(grant)


@pytest.mark.parametrize(
    ("narrowed", "station", "form", "covered"),
    [
        (None, "main", "mp3", True),
        (None, "main", None, True),
        (None, "night", "mp3", False),
        ("mp3", "main", "mp3", True),
        ("mp3", "main", "flac", False),
        ("mp3", "main", None, False),
        ("hls", "main", "hls", True),
        ("hls", "main", "opus", False),
    ],
)
def test_a_grant_covers_its_station_and_format_alone(narrowed, station, form, covered):
    assert Grant(station="main", expires_at_seconds=1, format=narrowed).covers(station, form) is covered


def test_every_stream_can_be_the_one_of_a_link():
    assert set(STREAM_FORMATS) == set(HTTP_FORMS)


def test_a_link_for_everything_opens_page_streams_playlists_and_hls():
    grant = Grant(station="night", expires_at_seconds=1)
    found = addresses("http://radio:8000", grant, "T", hls=True)
    assert list(found) == ["page", "opus", "mp3", "flac", "aac", "wav", "m3u", "pls", "hls"]
    assert found["page"] == "http://radio:8000/?station=night&listen=T"
    assert found["mp3"] == "http://radio:8000/stations/night/stream.mp3?listen=T"
    assert found["hls"] == "http://radio:8000/hls/night/index.m3u8?listen=T"
    assert "hls" not in addresses("http://radio:8000", grant, "T", hls=False)


def test_a_link_for_one_format_opens_that_and_its_playlists():
    found = addresses("http://a", Grant(station="main", expires_at_seconds=1, format="flac"), "T", hls=True)
    assert found == {
        "flac": "http://a/stations/main/stream.flac?listen=T",
        "m3u": "http://a/stations/main/listen.m3u?format=flac&listen=T",
        "pls": "http://a/stations/main/listen.pls?format=flac&listen=T",
    }
    hls = Grant(station="main", expires_at_seconds=1, format="hls")
    assert list(addresses("http://a", hls, "T", hls=True)) == ["hls"]


def test_where_listening_takes_no_link_an_address_stays_as_it_is():
    assert with_token("http://a/?b=c", None) == "http://a/?b=c"
