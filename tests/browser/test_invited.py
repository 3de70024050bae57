"""The page of a station that is for invited listeners: without a link, with one, with one that ran out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from daemon_process import DaemonProcess
from judging import axe_source, violations
from listening import HOME_NETWORK_HOST
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

TOKEN = "of-the-house-4711"
KEY = "a-key-of-thirty-two-characters-or-more"
PLAYING = "html[data-state=playing]"
UNINVITED = "html[data-state=uninvited]"
SOUND_MS = 60_000
SCREENS = {"phone": (390, 844), "desk": (1280, 800)}


@pytest.fixture(scope="module")
def signed_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    """A daemon whose streams take a link."""
    environment = {"AURALISD_LISTEN_ACCESS": "signed", "AURALISD_LISTEN_KEY": KEY, "AURALISD_LOG_LEVEL": "debug"}
    process = DaemonProcess(tmp_path_factory.mktemp("signed"), token=TOKEN, environment=environment)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def address(signed_daemon: DaemonProcess) -> str:
    """Where a guest reaches it: not as the machine's own user, who needs no link."""
    return f"http://{HOME_NETWORK_HOST}:{signed_daemon.port}"


def link(daemon: DaemonProcess, expires_seconds: float) -> str:
    """The token of a link made over REST."""
    made = daemon.change("POST", "/api/v1/stations/main/listening-links", {"expires_seconds": expires_seconds})
    return str(made["token"])


def test_without_a_link_it_says_so_in_plain_words_and_plays_nothing(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector(UNINVITED)
    expect(page.get_by_role("heading")).to_have_text("This station is for invited listeners")
    expect(page.locator("#next")).to_have_text("Open the link you were given, it lets you in")
    expect(page.locator("#disc")).to_be_disabled()
    page.click("#open-more")
    expect(page.locator("#sheet-more .facts")).to_be_visible()
    expect(page.locator("#sheet-more .links")).to_be_hidden()


def test_with_a_link_it_plays_and_the_address_bar_shows_nothing_of_it(
    page: Page, address: str, signed_daemon: DaemonProcess
) -> None:
    token = link(signed_daemon, 600)
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    referrers: list[str] = []
    page.on("request", lambda request: referrers.append(request.headers.get("referer", "")))
    page.goto(f"{address}/?station=main&listen={token}")
    page.wait_for_selector("html[data-player]")
    assert page.url == f"{address}/?station=main"
    page.click("#disc")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    assert sockets
    assert all(parse_qs(urlsplit(url).query)["listen"] == [token] for url in sockets)
    assert set(referrers) == {""}
    page.reload()  # the visit is remembered
    page.wait_for_selector("html[data-player]")
    page.click("#disc")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    page.click("#open-more")
    links = page.locator("#sheet-more .links a")
    expect(links.first).to_be_visible()
    hrefs = links.evaluate_all("all => all.map((one) => one.getAttribute('href'))")
    assert hrefs[0] == f"/stations/main/listen.m3u?listen={token}"
    assert all(href.endswith(f"?listen={token}") for href in hrefs)
    log = signed_daemon.log.read_text()
    assert log
    assert token not in log
    assert token.rpartition(".")[2] not in log


def test_the_audio_element_takes_the_link_along(page: Page, address: str, signed_daemon: DaemonProcess) -> None:
    page.add_init_script("localStorage.setItem('auralis.quality', 'element')")
    page.goto(f"{address}/?listen={link(signed_daemon, 600)}")
    page.wait_for_selector("html[data-player=element]")
    page.click("#disc")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)


@pytest.mark.parametrize("quality", ["automatic", "element"])
def test_a_link_that_runs_out_before_the_music_begins_is_told_of(
    page: Page, address: str, signed_daemon: DaemonProcess, quality: str
) -> None:
    page.add_init_script(f"localStorage.setItem('auralis.quality', '{quality}')")
    page.goto(f"{address}/?listen={link(signed_daemon, 8)}")
    page.wait_for_selector("html[data-player][data-state=idle]")
    page.wait_for_timeout(9_000)
    page.click("#disc")
    page.wait_for_selector(UNINVITED)
    expect(page.locator("#next")).to_contain_text("Your link has run out")


def test_music_that_plays_goes_on_past_the_end_of_its_link_and_does_not_begin_again(
    page: Page, address: str, signed_daemon: DaemonProcess
) -> None:
    page.goto(f"{address}/?listen={link(signed_daemon, 8)}")
    page.wait_for_selector("html[data-player]")
    page.click("#disc")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    page.wait_for_timeout(10_000)
    assert page.locator(PLAYING).count() == 1
    page.reload()
    page.wait_for_selector(UNINVITED)
    expect(page.locator("#next")).to_contain_text("Your link has run out")


def test_whoever_has_the_token_is_let_in_by_it(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector(UNINVITED)
    page.get_by_role("button", name="Control this station").click()
    page.get_by_placeholder("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-state=idle]")
    page.click("#disc")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    page.reload()
    page.wait_for_selector("html[data-state=idle]")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("screen", SCREENS)
def test_being_uninvited_breaks_no_rule(chromium: Browser, address: str, screen: str, theme: Any) -> None:
    width, height = SCREENS[screen]
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
    context.add_init_script(axe_source())
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(UNINVITED)
    assert violations(page) == []
    page.goto(f"{address}/?listen=nonsense")
    page.wait_for_selector(UNINVITED)
    expect(page.locator("#next")).to_contain_text("Your link has run out")
    assert violations(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    context.close()


def test_a_link_of_the_command_line_opens_the_page(page: Page, address: str, signed_daemon: DaemonProcess) -> None:
    command = [sys.executable, "-m", "auralisd", "token", "--listen", "--url", address]
    environment = {**signed_daemon.environment, "PATH": "", "AURALISD_STATE_DIR": str(signed_daemon.state_dir)}
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    (shown,) = [line.split()[1] for line in made.stdout.splitlines() if line.startswith("page ")]
    page.goto(shown)
    page.wait_for_selector("html[data-state=idle]")
    page.click("#disc")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
