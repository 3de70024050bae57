"""Who cannot see, point or bear motion can use the page: every state judged by axe-core, and by what it cannot see."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from daemon_process import DaemonProcess
from judging import axe_source, violations
from listening import HOME_NETWORK_HOST
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

WIDTHS = {390: 844, 1280: 800}
LOOKS = {
    "dark": {"color_scheme": "dark"},
    "light": {"color_scheme": "light"},
    "forced": {"color_scheme": "light", "forced_colors": "active"},
}
THEMES = ("dark", "light")
SHEETS = ("timer", "music", "mix", "more")
PLAYING = "html[data-state=playing]"
SOUND_MS = 60_000
SOUND_CARD_THAT_NEVER_OPENS = "AudioContext.prototype.resume = function () { return this.suspend(); };"


@pytest.fixture(scope="module")
def axe() -> str:
    return axe_source()


@pytest.fixture(scope="module")
def small_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    """A daemon with a token and room for one listener."""
    process = DaemonProcess(tmp_path_factory.mktemp("small"), token="of-the-house-4711", max_listeners=1)
    process.start()
    yield process
    process.stop()


class Judge:
    """Judges one page in one width and look, and keeps what it finds under the name of the state."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: dict[str, list[str]] = {}
        self.judged = 0

    def open(self, url: str) -> None:
        self.page.goto(url)
        self.page.wait_for_selector("html[data-player]")
        self.page.wait_for_selector("#presets:not([hidden]), #take-control:not([hidden])", state="attached")

    def judge(self, state: str) -> None:
        self.judged += 1
        if broken := violations(self.page):
            self.found[state] = broken


@contextmanager
def judging(chromium: Browser, axe: str, width: int, look: str, *, script: str = "") -> Iterator[Judge]:
    """A fresh page of that width and look; fails at the end when any state broke a rule."""
    options: Any = {"viewport": {"width": width, "height": WIDTHS[width]}, **LOOKS[look]}
    context = chromium.new_context(**options)
    context.add_init_script(axe)
    if script:
        context.add_init_script(script)
    judge = Judge(context.new_page())
    yield judge
    context.close()
    assert judge.judged
    assert judge.found == {}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_state_of_the_page_breaks_a_rule(
    chromium: Browser, daemon: DaemonProcess, axe: str, width: int, look: str
) -> None:
    with judging(chromium, axe, width, look) as judge:
        page = judge.page
        judge.open(daemon.url)
        judge.judge("first visit")
        page.click("#disc")
        page.wait_for_selector(PLAYING, timeout=SOUND_MS)
        judge.judge("playing")
        for name in SHEETS:
            page.click(f"#open-{name}")
            judge.judge(f"sheet {name}")
            page.keyboard.press("Escape")
        page.get_by_role("button", name="All presets").click()
        judge.judge("sheet presets")
        page.keyboard.press("?")
        page.wait_for_selector("#sheet-help:not([hidden])")
        judge.judge("sheet help")
        page.keyboard.press("Escape")
        page.keyboard.press("m")
        expect(page.locator("#volume-value")).to_have_text("Muted")
        judge.judge("muted")
        with daemon.open_stream():
            page.wait_for_function("() => document.querySelector('#presence').textContent.startsWith('2 ')")
            page.click("#open-fresh")
            expect(page.get_by_role("alertdialog")).to_be_visible()
            judge.judge("a question")
            page.keyboard.press("Escape")
        page.click("#disc")
        page.wait_for_selector("html[data-state=paused]")
        judge.judge("paused")


@pytest.mark.parametrize("look", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_trouble_of_the_page_breaks_a_rule(
    chromium: Browser, small_daemon: DaemonProcess, axe: str, width: int, look: str
) -> None:
    with judging(chromium, axe, width, look) as judge:
        page = judge.page
        with small_daemon.open_stream():
            judge.open(f"http://{HOME_NETWORK_HOST}:{small_daemon.port}")
            judge.judge("locked")
            for name in ("music", "mix"):
                page.click(f"#open-{name}")
                judge.judge(f"locked sheet {name}")
                page.keyboard.press("Escape")
            page.click("#take-control")
            judge.judge("token")
            page.get_by_placeholder("Token").fill("a guess")
            page.keyboard.press("Enter")
            expect(page.locator("#token-problem")).not_to_be_empty()
            judge.judge("a token that is refused")
            page.keyboard.press("Escape")
            page.click("#disc")
            page.wait_for_selector("html[data-state=full]", timeout=SOUND_MS)
            judge.judge("full")


@pytest.mark.parametrize("look", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_that_cannot_play_and_a_wall_break_no_rule_either(
    chromium: Browser, daemon: DaemonProcess, axe: str, width: int, look: str
) -> None:
    deaf = "delete window.AudioContext; HTMLMediaElement.prototype.canPlayType = () => '';"
    with judging(chromium, axe, width, look, script=deaf) as judge:
        judge.page.goto(daemon.url)
        judge.page.wait_for_selector("html[data-state=unsupported]")
        judge.judge("unsupported")
    with judging(chromium, axe, width, look) as judge:
        judge.open(f"{daemon.url}/?kiosk=1")
        judge.page.wait_for_selector(PLAYING, timeout=SOUND_MS)
        judge.judge("wall")
        judge.page.click("#disc")
        judge.page.wait_for_selector("html[data-state=paused]")
        judge.judge("wall, paused")


class Rounds:
    """Judges a state that lasts, in both themes and widths."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: dict[str, list[str]] = {}

    def wait(self, state: str) -> None:
        self.page.wait_for_selector(f"html[data-state={state}]", timeout=SOUND_MS)

    def listen(self, url: str) -> None:
        self.page.goto(url)
        self.page.wait_for_selector("html[data-player]")
        self.page.click("#disc")

    def judge(self, state: str) -> None:
        for width, height in WIDTHS.items():
            for look in THEMES:
                self.judge_once(state, width, height, look)

    def judge_once(self, state: str, width: int, height: int, look: Any) -> None:
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme=look)
        self.wait(state)
        if broken := violations(self.page):
            self.found[f"{state}, {look}, {width}"] = broken
        assert self.page.evaluate("() => document.documentElement.dataset.state") == state


@contextmanager
def rounds(chromium: Browser, axe: str, *, script: str = "") -> Iterator[Rounds]:
    """A fresh page to be judged state by state; fails at the end when any broke a rule."""
    context = chromium.new_context()
    context.add_init_script(axe)
    if script:
        context.add_init_script(script)
    judge = Rounds(context.new_page())
    yield judge
    context.close()
    assert judge.found == {}


@contextmanager
def mute_server(port: int) -> Iterator[None]:
    """Somebody takes connections on that port and never answers."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        yield


def test_no_state_before_the_music_breaks_a_rule(chromium: Browser, axe: str, tmp_path: Path) -> None:
    daemon = DaemonProcess(tmp_path)
    daemon.start()
    try:
        with rounds(chromium, axe, script=SOUND_CARD_THAT_NEVER_OPENS) as judge:
            judge.listen(daemon.url)
            judge.wait("warming-up")
            daemon.freeze()  # or it would soon be warm
            judge.judge("warming-up")
            daemon.thaw()
            judge.wait("connecting")
            judge.judge("connecting")
    finally:
        daemon.thaw()
        daemon.stop()


def test_no_state_in_which_the_music_is_lost_breaks_a_rule(chromium: Browser, axe: str, tmp_path: Path) -> None:
    daemon = DaemonProcess(tmp_path)
    daemon.start()
    try:
        with rounds(chromium, axe) as judge:
            judge.listen(daemon.url)
            judge.wait("playing")
            expect(judge.page.locator("#next")).not_to_contain_text("warming up", timeout=SOUND_MS)
            for width, height in WIDTHS.items():
                for look in THEMES:
                    judge.wait("playing")
                    daemon.freeze()
                    judge.judge_once("rebuffering", width, height, look)
                    daemon.thaw()
            judge.wait("playing")
            daemon.kill()
            judge.judge("reconnecting")
            daemon.start()
            judge.wait("playing")
            daemon.stop()
            with mute_server(daemon.port):
                judge.judge("stopped")
    finally:
        daemon.stop()
