"""What the page makes of a bad network and of a page that hangs, judged by the samples at the destination."""

import threading
import time
from collections.abc import Iterator

import pytest
from bad_network import BadNetwork, bad_network
from daemon_process import DaemonProcess
from exactness import daemons_samples, longest_run_seconds, matches, missing_seconds
from listening import clicks
from playwright.sync_api import Browser, Page
from test_sound import LISTENED_SECONDS, assert_it_is_whole, listen

pytestmark = pytest.mark.browser

FADED_SECONDS = 0.35
"""What is faded is not alike: 30 ms before the silence, 150 ms after it, and what is left of a tenth of a second."""


@pytest.fixture(scope="module")
def sounding(daemon: DaemonProcess) -> Iterator[DaemonProcess]:
    """The daemon with its station on the air."""
    with daemon.open_stream():
        deadline = time.monotonic() + 60
        while daemon.get("/api/v1/stations/main")["state"] != "sounding":
            assert time.monotonic() < deadline, "the station does not sound"
            time.sleep(0.2)
        yield daemon


@pytest.fixture
def network(sounding: DaemonProcess) -> Iterator[BadNetwork]:
    """A network between the page and the daemon that behaves at first."""
    with bad_network(sounding.port) as one:
        yield one


def test_packets_of_which_one_in_twenty_comes_150_ms_late_leave_no_gap_and_no_click_in_the_simple_player(
    chromium: Browser, network: BadNetwork
) -> None:
    network.late_share = 0.05
    _, recording = listen(chromium, network.url, worklet=False)
    assert_it_is_whole(recording)


def test_on_a_good_network_uncompressed_sound_is_what_the_daemon_made_to_the_last_bit(
    chromium: Browser, sounding: DaemonProcess
) -> None:
    with daemons_samples(sounding) as made:
        _, recording = listen(chromium, sounding.url, quality="pcm16")
        found = matches(recording, made.bytes)
    assert longest_run_seconds(found) > LISTENED_SECONDS - 4.0


def test_a_page_that_hangs_for_3_s_leaves_the_sound_as_it_was_made_to_the_last_bit(
    chromium: Browser, sounding: DaemonProcess
) -> None:
    def hang(page: Page) -> None:
        page.wait_for_timeout(5000)
        page.evaluate("() => { const until = performance.now() + 3000; while (performance.now() < until); }")
        page.wait_for_timeout(5000)

    with daemons_samples(sounding) as made:
        _, recording = listen(chromium, sounding.url, quality="pcm16", meanwhile=hang)
        found = matches(recording, made.bytes)
    assert longest_run_seconds(found) > 10.0


@pytest.mark.parametrize("seconds", [1.0, 3.0, 5.0])
def test_a_connection_cut_for_some_seconds_loses_no_sample(
    chromium: Browser, network: BadNetwork, sounding: DaemonProcess, seconds: float
) -> None:
    def cut(page: Page) -> None:
        page.wait_for_timeout(4000)
        threading.Thread(target=network.cut, args=(seconds,), daemon=True).start()
        page.wait_for_timeout(1000 * seconds + 3500)  # what was missed is left out 4 s after it is all there

    with daemons_samples(sounding) as made:
        _, recording = listen(chromium, network.url, quality="pcm16", meanwhile=cut)
        missing = missing_seconds(recording, made.bytes)
    assert clicks(recording.after_fade_in(), recording.rate_hz) == []
    assert missing < FADED_SECONDS
