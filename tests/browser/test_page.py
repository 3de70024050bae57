"""The page at work on a real daemon: states, controls, rights, restarts."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from daemon_process import DaemonProcess
from listening import HOME_NETWORK_HOST
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = pytest.mark.browser

PLAYING = "html[data-state=playing]"
SOUND_MS = 60_000


def open_page(page: Page, daemon: DaemonProcess) -> None:
    page.goto(daemon.url)
    page.wait_for_selector("html[data-player]")


def start_listening(page: Page, daemon: DaemonProcess) -> None:
    open_page(page, daemon)
    page.click("#disc")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)


def station(daemon: DaemonProcess) -> dict[str, object]:
    return daemon.get("/api/v1/stations/main")


def wait_until(page: Page, holds: Callable[[], bool], seconds: float = 8.0) -> None:
    """Fail unless it holds within the time."""
    for _ in range(int(seconds * 10)):
        if holds():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come true in time")


def test_nothing_streams_before_the_tap(page: Page, daemon: DaemonProcess) -> None:
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(urlsplit(request.url).path))
    open_page(page, daemon)
    page.wait_for_timeout(1500)
    assert page.evaluate("() => document.documentElement.dataset.state") == "idle"
    assert not [path for path in requests if path.startswith("/stream")]
    assert station(daemon)["listeners"] == 0
    expect(page.locator("#disc")).to_have_text("Listen")
    assert len(sockets) == 1


def test_listening_and_pausing_by_mouse_and_keyboard(page: Page, daemon: DaemonProcess) -> None:
    start_listening(page, daemon)
    assert station(daemon)["listeners"] == 1
    expect(page.locator("#now")).to_have_text(re.compile(r"^[A-G][♯♭]? \w+"))
    page.keyboard.press("Space")
    page.wait_for_selector("html[data-state=paused]")
    wait_until(page, lambda: station(daemon)["listeners"] == 0)
    page.focus("#disc")
    page.keyboard.press("Enter")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)


def test_a_control_moved_on_the_page_reaches_the_server_and_says_when_it_is_heard(
    page: Page, daemon: DaemonProcess
) -> None:
    start_listening(page, daemon)
    page.get_by_role("button", name="Music").click()
    page.locator("#control-intensity").fill("0.83")
    value = page.locator('[data-path="intensity"] .value')
    expect(value).to_have_text(re.compile(r"^(sent|in \d+ s)$"))
    wait_until(page, lambda: station(daemon)["controls"]["intensity"] == pytest.approx(0.83))  # type: ignore[index]
    expect(value).to_have_text("83", timeout=8000)


def test_a_change_made_elsewhere_moves_the_page(page: Page, daemon: DaemonProcess) -> None:
    start_listening(page, daemon)
    page.get_by_role("button", name="Music").click()
    daemon.change("PATCH", "/api/v1/stations/main/controls", {"tempo_bpm": 77, "key": "Eb", "mode": "lydian"})
    expect(page.locator("#control-tempo_bpm")).to_have_value("77")
    expect(page.get_by_label("E♭", exact=True)).to_be_checked()
    expect(page.get_by_label("Lydian", exact=True)).to_be_checked()


def test_a_layer_is_switched_off_and_on_again(page: Page, daemon: DaemonProcess) -> None:
    start_listening(page, daemon)
    page.get_by_role("button", name="Mix").click()
    switch = page.get_by_role("switch", name="Bells")
    before = switch.is_checked()
    switch.click()
    wait_until(page, lambda: (station(daemon)["controls"]["layers"]["bells"] == "off") == before)  # type: ignore[index]
    switch.click()
    wait_until(page, lambda: (station(daemon)["controls"]["layers"]["bells"] != "off") == before)  # type: ignore[index]


def test_a_preset_is_chosen_with_one_tap(page: Page, daemon: DaemonProcess) -> None:
    open_page(page, daemon)
    page.get_by_role("button", name="Sleep", exact=True).click()
    expect(page.get_by_role("button", name="Sleep", exact=True)).to_have_attribute("aria-pressed", "true")
    wait_until(page, lambda: station(daemon)["preset"] == "Sleep")


def test_every_preset_is_one_step_away_and_the_row_shows_the_chosen_one(page: Page, daemon: DaemonProcess) -> None:
    open_page(page, daemon)
    expect(page.locator("#presets .chip")).to_have_count(5)
    page.get_by_role("button", name="All presets").click()
    expect(page.locator("#sheet-presets .character")).to_have_count(10)
    page.locator("#sheet-presets").get_by_role("button", name="Still").click()
    wait_until(page, lambda: station(daemon)["preset"] == "Still")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Still", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#presets .chip")).to_have_count(5)


def test_a_new_piece_plays_on_in_a_new_epoch(page: Page, daemon: DaemonProcess) -> None:
    start_listening(page, daemon)
    before = station(daemon)
    page.get_by_role("button", name="New piece").click()
    wait_until(page, lambda: station(daemon)["epoch"] != before["epoch"])
    assert station(daemon)["seed"] != before["seed"]
    page.wait_for_timeout(3000)
    page.wait_for_selector(PLAYING)


def test_volume_is_in_percent_and_remembered(page: Page, daemon: DaemonProcess) -> None:
    open_page(page, daemon)
    page.locator("#volume").fill("35")
    expect(page.locator("#volume-value")).to_have_text("35 %")
    page.reload()
    expect(page.locator("#volume-value")).to_have_text("35 %")


def test_the_sleep_timer_counts_on_the_page(page: Page, daemon: DaemonProcess) -> None:
    start_listening(page, daemon)
    page.get_by_role("button", name="Sleep timer").click()
    page.get_by_label("30 min").check(force=True)
    expect(page.locator("#actions")).to_contain_text("30 min")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sleep timer, 30 minutes left")).to_be_focused()


def test_stopping_after_a_quarter_of_an_hour_survives_a_page_that_slept(
    context: BrowserContext, daemon: DaemonProcess
) -> None:
    page = context.new_page()
    page.add_init_script("const now = Date.now; window.ahead = 0; Date.now = () => now() + window.ahead;")
    start_listening(page, daemon)
    page.get_by_role("button", name="Sleep timer").click()
    page.get_by_label("15 min").check(force=True)
    page.evaluate("() => { window.ahead = 16 * 60 * 1000; }")
    page.wait_for_selector("html[data-state=paused]", timeout=3000)


def test_the_console_stays_clean_and_nothing_leaves_for_another_host(
    context: BrowserContext, daemon: DaemonProcess
) -> None:
    for host in ("127.0.0.1", HOME_NETWORK_HOST):
        page = context.new_page()
        troubles: list[str] = []
        hosts: set[str | None] = set()
        page.on("console", lambda message, into=troubles: into.append(message.text))
        page.on("pageerror", lambda error, into=troubles: into.append(str(error)))
        page.on("requestfailed", lambda request, into=troubles: into.append(request.url))
        page.on("request", lambda request, into=hosts: into.add(urlsplit(request.url).hostname))
        page.on("websocket", lambda socket, into=hosts: into.add(urlsplit(socket.url).hostname))
        page.goto(f"http://{host}:{daemon.port}")
        page.wait_for_selector("html[data-player]")
        page.click("#disc")
        page.wait_for_selector(PLAYING, timeout=SOUND_MS)
        for name in ("Music", "Mix", "More", "Sleep timer"):
            page.locator("#actions").get_by_role("button", name=name).click()
            page.wait_for_timeout(300)
        page.wait_for_timeout(2000)
        assert troubles == []
        assert hosts <= {host, None}  # None: the grain, a data URL
        page.close()


def test_every_target_is_large_enough_for_a_finger(context: BrowserContext, daemon: DaemonProcess) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, daemon)
    page.wait_for_selector(".presets .chip")
    for opener in (None, "Sleep timer", "Music", "Mix", "More"):
        page.keyboard.press("Escape")
        if opener is not None:
            page.locator("#actions").get_by_role("button", name=opener).click()
            expect(page.locator(".sheet:not([hidden])")).to_be_visible()
        assert_no_small_targets(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="All presets").click()
    expect(page.locator(".sheet:not([hidden])")).to_be_visible()
    assert_no_small_targets(page)


def assert_no_small_targets(page: Page) -> None:
    boxes = page.evaluate(
        """() => [...document.querySelectorAll("button, input, .links a")]
            .filter((element) => element.offsetParent !== null)
            .map((element) => [element.id || element.textContent, element.offsetWidth, element.offsetHeight])"""
    )
    assert boxes
    assert [box for box in boxes if box[1] < 44 or box[2] < 44] == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
