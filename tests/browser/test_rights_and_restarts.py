"""What the page does without the right to change things, and when its server goes away."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from daemon_process import DaemonProcess
from listening import HOME_NETWORK_HOST
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

TOKEN = "of-the-house-4711"
PLAYING = "html[data-state=playing]"
SOUND_MS = 60_000


@pytest.fixture
def guarded_daemon(tmp_path: Path) -> Iterator[DaemonProcess]:
    """A daemon with a token, which a page that comes by a name of the home network has to show."""
    process = DaemonProcess(tmp_path, token=TOKEN)
    process.start()
    yield process
    process.stop()


def test_without_the_right_it_is_a_listeners_page_until_the_token_is_given(
    page: Page, guarded_daemon: DaemonProcess
) -> None:
    page.goto(f"http://{HOME_NETWORK_HOST}:{guarded_daemon.port}")
    take = page.get_by_role("button", name="Control this station")
    expect(take).to_be_visible()
    expect(page.locator("#presets")).to_be_hidden()
    page.get_by_role("button", name="Music").click()
    expect(page.locator("#sheet-music .facts")).to_contain_text("beats a minute")
    expect(page.locator("#sheet-music input:visible")).to_have_count(0)

    take.click()
    page.get_by_placeholder("Token").fill("a guess")
    page.keyboard.press("Enter")
    expect(page.locator("#token-problem")).not_to_be_empty()
    page.get_by_placeholder("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.locator("#presets")).to_be_visible()
    page.get_by_role("button", name="Bright", exact=True).click()
    expect(page.get_by_role("button", name="Bright", exact=True)).to_have_attribute("aria-pressed", "true")

    page.reload()  # remembered, and shown again on the stream's own connection
    expect(page.locator("#presets")).to_be_visible()
    page.click("#disc")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    expect(page.locator("#presets")).to_be_visible()


def test_a_restart_of_the_server_is_survived(page: Page, tmp_path: Path) -> None:
    daemon = DaemonProcess(tmp_path)
    daemon.start()
    try:
        page.goto(daemon.url)
        page.wait_for_selector("html[data-player]")
        page.click("#disc")
        page.wait_for_selector(PLAYING, timeout=SOUND_MS)
        daemon.stop()
        page.wait_for_selector("html[data-state=stopped]", timeout=5000)
        expect(page.locator("#next")).to_contain_text("trying again")
        daemon.start()
        page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    finally:
        daemon.stop()


def test_a_crash_of_the_server_is_survived(page: Page, tmp_path: Path) -> None:
    daemon = DaemonProcess(tmp_path)
    daemon.start()
    try:
        page.goto(daemon.url)
        page.wait_for_selector("html[data-player]")
        page.click("#disc")
        page.wait_for_selector(PLAYING, timeout=SOUND_MS)
        daemon.kill()
        page.wait_for_selector("html[data-state=reconnecting]", timeout=5000)
        expect(page.locator("#next")).to_have_text("Reconnecting, your place is kept")
        daemon.start()
        page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    finally:
        daemon.stop()
