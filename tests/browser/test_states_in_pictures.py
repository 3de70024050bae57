"""Every state of the page, kept as a picture: in $AURALIS_SCREENSHOTS, else in a temporary folder."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from daemon_process import DaemonProcess
from listening import HOME_NETWORK_HOST
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

SCREENS = {"phone": (390, 844), "desk": (1280, 800)}
SHEETS = {"timer": "Sleep timer", "music": "Music", "mix": "Mix", "more": "More"}
SOUND_MS = 60_000


@pytest.fixture(scope="session")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder the pictures go to."""
    chosen = os.environ.get("AURALIS_SCREENSHOTS")
    folder = Path(chosen) if chosen else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Studio:
    """Takes pictures of one page in one size and theme."""

    def __init__(self, page: Page, album: Path, name: str) -> None:
        self.page = page
        self._album = album
        self._name = name

    def take(self, title: str) -> None:
        """Keep a picture, and fail when it shows one colour only or scrolls sideways."""
        self.page.wait_for_timeout(500)
        path = self._album / f"{self._name}-{title}.png"
        picture = self.page.screenshot(path=path)
        assert len(picture) > 20_000, f"{path} is empty"
        size = self.page.viewport_size
        assert size is not None
        assert self.page.evaluate("() => document.documentElement.scrollWidth") <= size["width"]

    def open(self, url: str) -> None:
        """Open the page and let it find out what it may do."""
        self.page.goto(url)
        self.page.wait_for_selector("html[data-player]")
        self.page.wait_for_selector("#presets:not([hidden]), #take-control:not([hidden])")

    def wait(self, state: str, timeout_ms: float = SOUND_MS) -> None:
        """Wait for a state of the page."""
        self.page.wait_for_selector(f"html[data-state={state}]", timeout=timeout_ms)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("screen", SCREENS)
def test_every_state_is_drawn(chromium: Browser, daemon: DaemonProcess, album: Path, screen: str, theme: Any) -> None:
    width, height = SCREENS[screen]
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
    page = context.new_page()
    studio = Studio(page, album, f"{screen}-{theme}")
    studio.open(daemon.url)
    studio.take("first-visit")
    page.click("#disc")
    studio.wait("playing")
    page.wait_for_timeout(4000)
    studio.take("playing")
    for name, label in SHEETS.items():
        page.locator("#actions").get_by_role("button", name=label).click()
        studio.take(f"sheet-{name}")
        page.keyboard.press("Escape")
    page.get_by_role("button", name="All presets").click()
    studio.take("sheet-presets")
    page.keyboard.press("Escape")
    page.click("#disc")
    studio.wait("paused")
    studio.take("paused")
    context.close()


@pytest.fixture(scope="module")
def small_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    """A daemon with room for one listener."""
    process = DaemonProcess(tmp_path_factory.mktemp("small"), token="picture-book", max_listeners=1)
    process.start()
    yield process
    process.stop()


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("screen", SCREENS)
def test_every_trouble_is_drawn(
    chromium: Browser, small_daemon: DaemonProcess, album: Path, screen: str, theme: Any
) -> None:
    width, height = SCREENS[screen]
    size: Any = {"width": width, "height": height}
    url = f"http://{HOME_NETWORK_HOST}:{small_daemon.port}"
    context = chromium.new_context(viewport=size, color_scheme=theme)
    studio = Studio(context.new_page(), album, f"{screen}-{theme}")
    with small_daemon.open_stream():
        studio.open(url)
        studio.take("locked")
        studio.page.get_by_role("button", name="Music").click()
        studio.take("locked-music")
        studio.page.keyboard.press("Escape")
        studio.page.get_by_role("button", name="Control this station").click()
        studio.take("token")
        studio.page.keyboard.press("Escape")
        studio.page.click("#disc")
        studio.wait("full")
        studio.take("full")
    studio.open(url)
    small_daemon.freeze()
    studio.page.click("#disc")
    studio.wait("connecting")
    studio.take("connecting")
    small_daemon.thaw()
    studio.wait("playing")
    studio.take("home-network")
    context.close()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_browser_that_can_play_nothing_is_told_so(
    chromium: Browser, daemon: DaemonProcess, album: Path, theme: Any
) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme=theme)
    context.add_init_script("delete window.AudioContext; HTMLMediaElement.prototype.canPlayType = () => '';")
    page = context.new_page()
    studio = Studio(page, album, f"phone-{theme}")
    page.goto(daemon.url)
    studio.wait("unsupported", 5000)
    studio.take("unsupported")
    assert page.locator("#disc").is_disabled()
    context.close()


@pytest.fixture(scope="module")
def signed_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    """A daemon for invited listeners."""
    environment = {"AURALISD_LISTEN_ACCESS": "signed"}
    process = DaemonProcess(tmp_path_factory.mktemp("signed"), token="picture-book", environment=environment)
    process.start()
    yield process
    process.stop()


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("screen", SCREENS)
def test_whoever_is_not_invited_is_told_so(
    chromium: Browser, signed_daemon: DaemonProcess, album: Path, screen: str, theme: Any
) -> None:
    width, height = SCREENS[screen]
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
    studio = Studio(context.new_page(), album, f"{screen}-{theme}")
    for title, query in {
        "uninvited": "",
        "uninvited-again": "?listen=of-yesterday",
        "uninvited-wall": "?kiosk=1",
    }.items():
        studio.page.goto(f"http://{HOME_NETWORK_HOST}:{signed_daemon.port}/{query}")
        studio.wait("uninvited", 5000)
        studio.take(title)
    context.close()
