"""What comes out of the page's audio graph, judged sample by sample."""

import time
from collections.abc import Callable, Iterator

import pytest
from daemon_process import DaemonProcess
from listening import (
    HOME_NETWORK_HOST,
    NO_WEBCODECS,
    NO_WORKLET,
    Recording,
    clicks,
    gaps,
    install_tap,
    level_dbfs,
    read_tap,
)
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def sounding(daemon: DaemonProcess) -> Iterator[DaemonProcess]:
    """The daemon with its station on the air: what is judged is the page, not the start."""
    with daemon.open_stream():
        deadline = time.monotonic() + 60
        while daemon.get("/api/v1/stations/main")["state"] != "sounding":
            assert time.monotonic() < deadline, "the station does not sound"
            time.sleep(0.2)
        yield daemon


ANOTHER_CLOCK = """
window.AudioContext = class extends AudioContext {
  constructor(options) {
    super({ ...options, sampleRate: options.sampleRate * %f });
    this.toldRate = options.sampleRate;
  }
  get sampleRate() { return this.toldRate; }
};"""

LISTENED_SECONDS = 32.0
JUDGED_SECONDS = 29.0


def undisturbed(page: Page) -> None:
    """Let the page play, and nothing else happen."""
    page.wait_for_timeout(LISTENED_SECONDS * 1000)


def listen(
    chromium: Browser,
    address: str,
    *,
    quality: str = "automatic",
    worklet: bool = True,
    web_codecs: bool = True,
    clock: float = 1.0,
    meanwhile: Callable[[Page], None] = undisturbed,
) -> tuple[str, Recording]:
    """Open the page at full volume, click Listen, and return the player's kind and 30 s of sound.

    Args:
        worklet: whether the page finds the AudioWorklet; the tap has it where the origin is secure.
        web_codecs: whether the page finds WebCodecs.
        clock: how fast the sound card's clock goes by the page's own: 1.001 is 1,000 ppm too fast.
        meanwhile: what happens while it plays, for `LISTENED_SECONDS`.
    """
    context = chromium.new_context(bypass_csp=True)  # the tap's worklet is a blob
    install_tap(context)
    settings = f"localStorage['auralis.quality'] = '{quality}'; localStorage['auralis.volume'] = '100'"
    context.add_init_script(settings)
    if not worklet:
        context.add_init_script(NO_WORKLET)
    if not web_codecs:
        context.add_init_script(NO_WEBCODECS)
    if clock != 1.0:
        context.add_init_script(ANOTHER_CLOCK % clock)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("html[data-player]")
    page.click("#disc")
    page.wait_for_selector("html[data-state=playing]", timeout=60_000)
    meanwhile(page)
    recording = read_tap(page)
    player = page.evaluate("() => document.documentElement.dataset.player")
    context.close()
    return player, recording


def assert_it_is_whole(recording: Recording, seconds: float = JUDGED_SECONDS) -> None:
    """Fail on a gap, a click, silence, a level out of hand, or less than so many seconds."""
    sound = recording.after_fade_in()
    assert sound.shape[1] >= seconds * recording.rate_hz
    assert gaps(sound, recording.rate_hz) == []
    assert clicks(sound, recording.rate_hz) == []
    assert -45 < level_dbfs(sound) < -10
    # -1 dBTP at the encoder's input; a lossy codec may go a little over it.
    assert abs(sound).max() <= 1.05


def test_thirty_seconds_of_the_page_have_no_gap_and_no_click(chromium: Browser, sounding: DaemonProcess) -> None:
    player, recording = listen(chromium, sounding.url)
    assert player == "opus-worklet"
    assert recording.rate_hz == 48000
    assert_it_is_whole(recording)


def test_uncompressed_sound_has_no_gap_and_no_click_either(chromium: Browser, sounding: DaemonProcess) -> None:
    player, recording = listen(chromium, sounding.url, quality="pcm16")
    assert player == "pcm-worklet"
    assert recording.rate_hz == 44100
    assert_it_is_whole(recording)


def test_the_simple_player_has_no_gap_and_no_click(chromium: Browser, sounding: DaemonProcess) -> None:
    player, recording = listen(chromium, sounding.url, worklet=False)
    assert player == "opus-scheduled"
    assert_it_is_whole(recording)


def test_an_address_of_the_home_network_without_encryption_sounds_just_as_well(
    chromium: Browser, sounding: DaemonProcess
) -> None:
    player, recording = listen(chromium, f"http://{HOME_NETWORK_HOST}:{sounding.port}")
    assert player == "wasm-scheduled"
    assert recording.rate_hz == 48000
    assert_it_is_whole(recording)


def test_a_browser_without_webcodecs_has_no_gap_and_no_click(chromium: Browser, sounding: DaemonProcess) -> None:
    player, recording = listen(chromium, sounding.url, web_codecs=False)
    assert player == "wasm-worklet"
    assert recording.rate_hz == 48000
    assert_it_is_whole(recording)


STALL_SECONDS = 0.3
SECONDS_BETWEEN_STALLS = 3.0


def test_a_server_that_stalls_for_300_ms_every_3_s_leaves_no_gap_and_no_click_in_the_simple_player(
    chromium: Browser, sounding: DaemonProcess
) -> None:
    def stalls(page: Page) -> None:
        for _ in range(int(LISTENED_SECONDS // (SECONDS_BETWEEN_STALLS + STALL_SECONDS)) + 1):
            page.wait_for_timeout(SECONDS_BETWEEN_STALLS * 1000)
            sounding.freeze()
            time.sleep(STALL_SECONDS)
            sounding.thaw()

    _, recording = listen(chromium, sounding.url, worklet=False, meanwhile=stalls)
    assert_it_is_whole(recording)


@pytest.mark.parametrize("clock", [1.002])
def test_a_sound_card_whose_clock_is_off_is_followed_without_a_gap_or_a_click(
    chromium: Browser, sounding: DaemonProcess, clock: float
) -> None:
    details: list[str] = []

    def look_at_the_details(page: Page) -> None:
        undisturbed(page)
        page.get_by_role("button", name="More", exact=True).click()
        details.extend(page.locator("dl.facts dd").all_inner_texts())

    _, recording = listen(chromium, sounding.url, clock=clock, meanwhile=look_at_the_details)
    assert_it_is_whole(recording)
    assert details
    assert "as the server's" not in details


def test_pausing_and_coming_back_at_any_moment_does_not_click(chromium: Browser, sounding: DaemonProcess) -> None:
    for simple in (False, True):
        context = chromium.new_context(bypass_csp=True)
        install_tap(context)
        if simple:
            context.add_init_script(NO_WORKLET)
        page = context.new_page()
        page.goto(sounding.url)
        page.wait_for_selector("html[data-player]")
        page.click("#disc")
        page.wait_for_selector("html[data-state=playing]", timeout=60_000)
        page.wait_for_timeout(2000)
        for paused_ms in (100, 300, 900):
            page.click("#disc")
            page.wait_for_timeout(paused_ms)
            page.click("#disc")
            page.wait_for_selector("html[data-state=playing]", timeout=60_000)
            page.wait_for_timeout(1500)
        recording = read_tap(page)
        context.close()
        assert clicks(recording.after_fade_in(0.0), recording.rate_hz) == []
