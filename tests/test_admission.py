"""Who may listen where listening takes a link: the table, row by row, and what guessing costs."""

from __future__ import annotations

import pytest

from auralisd.access import AccessPolicy, RequestFacts
from auralisd.admission import GUESSES_PER_MINUTE, Admission
from auralisd.errors import RequestRefusedError
from auralisd.listening_links import Grant, LinkKey
from auralisd.observability.metrics import REFUSALS

TOKEN = "a-token-of-some-length"
KEY = LinkKey("a-key-of-thirty-two-characters-or-more")
NETWORK = AccessPolicy(token=TOKEN, bind_is_loopback=False)
AT_HOME = AccessPolicy(token=TOKEN, bind_is_loopback=True)
STRANGER = RequestFacts(host="192.168.1.20:8000")
HOLDER = RequestFacts(host="192.168.1.20:8000", token=TOKEN)
THIEF = RequestFacts(host="192.168.1.20:8000", token="not-" + TOKEN)


class Door:
    """An admission whose clocks stand where a test puts them."""

    def __init__(self, policy=NETWORK, key=KEY):
        self.refusals = []
        self.today_seconds, self.now_seconds = 1_000_000.0, 0.0
        self.admission = Admission(
            policy,
            key=key,
            refused=self.refusals.append,
            unix_seconds=lambda: self.today_seconds,
            monotonic_seconds=lambda: self.now_seconds,
        )

    def knock(self, link=None, *, facts=STRANGER, client="guest", station="main", form="mp3"):
        """The code of the refusal; None when it may listen."""
        try:
            self.admission.check(facts, client=client, station=station, form=form, link=link)
        except RequestRefusedError as error:
            self.error = error
            return error.code
        return None


def link(station="main", *, expires=1_000_060, form=None, key=KEY):
    return key.token(Grant(station=station, expires_at_seconds=expires, format=form))


def test_without_a_key_everybody_may_listen_whatever_he_brings():
    door = Door(key=None)
    for facts in (STRANGER, THIEF):
        for brought in (None, "nonsense", link(expires=1)):
            assert door.knock(brought, facts=facts) is None
    assert door.admission.is_open
    assert door.admission.token(door.admission.grant("main")) is None
    assert door.admission.carried(link(), station="main", form="mp3") is None
    assert door.refusals == []


@pytest.mark.parametrize(
    ("brought", "facts", "code", "reason"),
    [
        (link(), STRANGER, None, None),
        (link(form="mp3"), STRANGER, None, None),
        (link(), THIEF, None, None),  # a good link needs no token
        (None, HOLDER, None, None),
        ("nonsense", HOLDER, None, None),
        (link(expires=1_000_000), HOLDER, None, None),
        (None, STRANGER, "unauthorized", "uninvited"),
        ("", STRANGER, "forbidden", "link_forged"),
        ("nonsense", STRANGER, "forbidden", "link_forged"),
        (link(key=LinkKey("another-key-of-thirty-two-characters")), STRANGER, "forbidden", "link_forged"),
        (link(expires=1_000_000), STRANGER, "forbidden", "link_expired"),
        (link("night"), STRANGER, "forbidden", "link_elsewhere"),
        (link(form="flac"), STRANGER, "forbidden", "link_elsewhere"),
        (None, THIEF, "forbidden", "token_wrong"),
        (link(expires=1_000_000), THIEF, "forbidden", "token_wrong"),
    ],
)
def test_a_request_is_let_in_or_told_why_not(brought, facts, code, reason):
    door = Door()
    assert door.knock(brought, facts=facts) == code
    assert door.refusals == ([] if reason is None else [reason])
    if code is not None:
        assert reason in REFUSALS
        assert door.error.details["field"] == "listen"
        assert "auralisd token --listen" in door.error.details["constraint"]
        told = f"{door.error} {door.error.details} {door.error.headers}"
        assert not brought or brought not in told
    if code == "unauthorized":
        assert door.error.headers == {"WWW-Authenticate": "Bearer"}


def test_a_link_is_good_until_the_second_it_names():
    door = Door()
    assert door.knock(link()) is None
    door.today_seconds = 1_000_059.9
    assert door.knock(link()) is None
    door.today_seconds = 1_000_060.0
    assert door.knock(link()) == "forbidden"
    assert "run out" in str(door.error)


@pytest.mark.parametrize(
    ("policy", "facts", "code"),
    [
        (AT_HOME, RequestFacts(host="127.0.0.1:8000"), None),
        (AT_HOME, RequestFacts(host="127.0.0.1:8000", forwarded=True), "unauthorized"),
        (AT_HOME, RequestFacts(host="127.0.0.1:8000", origin="http://evil.example"), "unauthorized"),
        (AT_HOME, RequestFacts(host="radio.local"), "unauthorized"),
        (AT_HOME, RequestFacts(host=None), "unauthorized"),
        (
            AccessPolicy(token=TOKEN, bind_is_loopback=True, public_url="https://music.example"),
            RequestFacts(host="127.0.0.1:8000"),
            "unauthorized",
        ),
    ],
)
def test_who_may_steer_without_a_token_may_listen_without_a_link_and_nobody_else(policy, facts, code):
    door = Door(policy)
    assert door.knock(facts=facts) == code
    assert door.admission.may_listen(facts, station="main", link=None) is (code is None)


def test_wrong_links_are_told_to_wait_after_a_few_and_a_good_one_never_is():
    door = Door()
    codes = [door.knock(f"guess {number}") for number in range(GUESSES_PER_MINUTE + 2)]
    assert codes == ["forbidden"] * GUESSES_PER_MINUTE + ["rate_limited"] * 2
    assert 1 <= int(door.error.headers["Retry-After"]) <= 12
    assert door.refusals[-1] == "guessing"
    assert door.knock(link()) is None
    assert door.knock("guess", client="somebody else") == "forbidden"
    door.now_seconds += 60 / GUESSES_PER_MINUTE
    assert door.knock("guess") == "forbidden"


def test_whoever_guesses_tokens_is_not_told_when_he_has_it():
    door = Door()
    for number in range(GUESSES_PER_MINUTE):
        assert door.knock(facts=RequestFacts(host="radio", token=f"guess {number}")) == "forbidden"
    assert door.knock(facts=HOLDER) == "rate_limited"
    assert door.knock(link(expires=1), facts=HOLDER) == "rate_limited"
    door.now_seconds += 60
    assert door.knock(facts=HOLDER) is None


def test_whoever_has_the_token_may_come_as_often_as_he_likes():
    door = Door()
    assert [door.knock("stale", facts=HOLDER) for _ in range(50)] == [None] * 50


def test_links_that_ran_out_are_no_guesses():
    door = Door()
    assert [door.knock(link(expires=1)) for _ in range(20)] == ["forbidden"] * 20
    assert set(door.refusals) == {"link_expired"}


def test_a_link_is_carried_on_where_it_is_good_and_nowhere_else():
    admission = Door().admission
    assert admission.carried(link(), station="main", form="hls") == link()
    for brought in (None, 'x"\n#EXTINF', link("night"), link(expires=1), link(form="mp3")):
        assert admission.carried(brought, station="main", form="hls") is None


def test_a_link_made_now_is_good_at_once_for_as_long_as_was_asked():
    door = Door()
    made = door.admission.token(door.admission.grant("main", seconds=90, form="mp3"))
    assert KEY.read(made) == Grant(station="main", expires_at_seconds=1_000_090, format="mp3")
    assert door.knock(made) is None
