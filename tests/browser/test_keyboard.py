"""The page by keyboard alone: a walk over every control, and the single keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from daemon_process import DaemonProcess
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

pytestmark = pytest.mark.browser

PLAYING = "html[data-state=playing]"
PAUSED = "html[data-state=paused]"
SOUND_MS = 60_000
STEPS_MAX = 60

FOCUSED = """() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const drawn = element.closest(".choice, .switch") ?? element;
  const box = drawn.getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return {
    name: element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent,
    kind: element.type ?? element.tagName.toLowerCase(),
    inside: box.left >= 0 && box.right <= innerWidth && box.top >= 0 && box.bottom <= innerHeight,
    seen: top !== null && drawn.contains(top),
    clip: {x: box.x - 12, y: box.y - 12, width: box.width + 24, height: box.height + 24},
  };
}"""


@pytest.fixture
def still_page(chromium: Browser) -> Iterator[Page]:
    """A page on which nothing moves, so that a picture changes with the focus only."""
    context = chromium.new_context(
        viewport={"width": 1280, "height": 800}, color_scheme="dark", reduced_motion="reduce"
    )
    yield context.new_page()
    context.close()


def open_page(page: Page, daemon: DaemonProcess, path: str = "/") -> None:
    page.goto(daemon.url + path)
    page.wait_for_selector("html[data-player]")
    page.wait_for_selector("#presets:not([hidden])", state="attached")


def state(page: Page) -> str:
    return str(page.evaluate("() => document.documentElement.dataset.state"))


def clipped(page: Page, focused: dict[str, Any]) -> bytes:
    clip = focused["clip"]
    left, top = max(0, clip["x"]), max(0, clip["y"])
    width = min(clip["x"] + clip["width"], 1280) - left
    height = min(clip["y"] + clip["height"], 800) - top
    return page.screenshot(clip={"x": left, "y": top, "width": width, "height": height})


def test_escape_takes_back_a_sheet_that_is_still_on_its_way(still_page: Page, daemon: DaemonProcess) -> None:
    held: list[Route] = []
    still_page.route("**/mix-sheet.js", lambda route: held.append(route))
    open_page(still_page, daemon)
    with still_page.expect_request("**/mix-sheet.js"):
        still_page.click("#open-mix")
    still_page.keyboard.press("Escape")
    for route in held:
        route.continue_()
    still_page.wait_for_selector("#sheet-mix", state="attached")
    still_page.wait_for_timeout(100)
    assert still_page.locator("#sheet-mix").is_hidden()
    still_page.click("#open-mix")
    expect(still_page.locator("#sheet-mix")).to_be_visible()


def walk(page: Page) -> list[str]:
    """Tab on until the page is left; fail where the focus cannot be seen. Returns the names that were met."""
    names: list[str] = []
    for _ in range(STEPS_MAX):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None:
            return names
        page.wait_for_timeout(30)
        with_focus = clipped(page, focused)
        page.evaluate("() => document.activeElement.blur()")
        page.wait_for_timeout(30)
        without = clipped(page, focused)
        assert focused["inside"], focused
        assert focused["seen"], focused
        assert with_focus != without, f"no sign of the focus on {focused}"
        names.append(focused["name"].strip())
    raise AssertionError(f"the focus is caught: {names}")


def test_every_control_is_met_in_the_order_it_is_read_and_the_focus_is_seen(
    still_page: Page, daemon: DaemonProcess
) -> None:
    open_page(still_page, daemon)
    presets = still_page.locator("#presets .chip").all_inner_texts()[:-1]
    names = walk(still_page)
    assert len(presets) == 4
    assert names == ["Listen", *presets, "All presets", "Volume", "Sleep timer", "New piece", "Music", "Mix", "More"]


@pytest.mark.parametrize(
    ("sheet", "among"),
    [
        ("timer", ["Off"]),
        ("music", ["C", "Tempo", "Night"]),
        ("mix", ["Drone", "Drone gain", "Whole mix"]),
        ("more", ["Automatic", "Moving", "May sleep", "Keyboard shortcuts", "Playlist", "AAC"]),
    ],
)
def test_a_sheet_takes_the_focus_lets_it_go_on_and_gives_it_back(
    still_page: Page, daemon: DaemonProcess, sheet: str, among: list[str]
) -> None:
    page = still_page
    open_page(page, daemon)
    page.focus(f"#open-{sheet}")
    page.keyboard.press("Enter")
    expect(page.locator(f"#sheet-{sheet}")).to_be_focused()
    page.wait_for_timeout(300)
    names = walk(page)
    assert names[0].startswith("Close")
    if sheet == "music":
        names = ["C" if len(name) <= 2 else name for name in names]  # of one choice only the chosen one is met
    assert set(among) <= set(names)
    page.keyboard.press("Escape")
    expect(page.locator(f"#open-{sheet}")).to_be_focused()
    expect(page.locator(f"#open-{sheet}")).to_have_attribute("aria-expanded", "false")


def test_music_is_begun_steered_and_ended_without_a_pointer(page: Page, daemon: DaemonProcess) -> None:
    open_page(page, daemon)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # on a control it is the control's
    expect(page.get_by_role("button", name="Meditation", exact=True)).to_have_attribute("aria-pressed", "true")
    assert state(page) == "playing"
    page.focus("#volume")
    before = int(page.locator("#volume").input_value())
    page.keyboard.press("ArrowRight")
    expect(page.locator("#volume")).to_have_value(str(before + 1))
    page.focus("#open-music")
    page.keyboard.press("Enter")
    expect(page.locator("#sheet-music")).to_be_focused()  # it may have to be fetched first
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#sheet-music .choices legend").first).to_have_text(re.compile(r"^Key(sent|in \d+ s)$"))
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+Tab")
    page.focus("#disc")
    page.keyboard.press("Enter")
    page.wait_for_selector(PAUSED)


def test_space_and_arrows_act_while_no_control_has_the_focus(page: Page, daemon: DaemonProcess) -> None:
    open_page(page, daemon)
    page.keyboard.press("Space")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    for key, percent in (("ArrowLeft", 65), ("ArrowDown", 60), ("ArrowRight", 65), ("ArrowUp", 70)):
        page.keyboard.press(key)
        expect(page.locator("#volume-value")).to_have_text(f"{percent} %")
    page.keyboard.press("Space")
    page.wait_for_selector(PAUSED)
    page.focus("#open-timer")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#volume-value")).to_have_text("70 %")
    page.keyboard.press("Space")
    expect(page.locator("#sheet-timer")).to_be_visible()
    assert state(page) == "paused"


def test_single_keys_mute_choose_presets_and_open_what_they_name(page: Page, daemon: DaemonProcess) -> None:
    open_page(page, daemon)
    page.keyboard.press("m")
    expect(page.locator("#volume-value")).to_have_text("Muted")
    expect(page.locator("#announcer")).to_have_text("Muted")
    page.keyboard.press("m")
    expect(page.locator("#volume-value")).to_have_text("70 %")
    page.keyboard.press("5")
    expect(page.get_by_role("button", name="Still", exact=True)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("t")
    expect(page.locator("#sheet-timer")).to_be_visible()
    page.keyboard.press("t")
    expect(page.locator("#sheet-timer")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.locator("#sheet-help")).to_contain_text("5Still")
    page.keyboard.press("Control+m")
    expect(page.locator("#volume-value")).to_have_text("70 %")


def test_muting_is_silence_in_the_graph_and_the_slider_ends_it(context: BrowserContext, daemon: DaemonProcess) -> None:
    context.add_init_script(
        "const made = AudioContext.prototype.createGain; window.gains = [];"
        "AudioContext.prototype.createGain = function () {"
        "  const gain = made.call(this); gains.push(gain); return gain; };"
    )
    page = context.new_page()
    open_page(page, daemon)
    page.keyboard.press("Space")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    page.wait_for_function("() => Math.abs(window.gains.at(-1).gain.value - 0.49) < 0.001")
    page.keyboard.press("m")
    page.wait_for_function("() => window.gains.at(-1).gain.value === 0")
    page.locator("#volume").fill("50")
    page.wait_for_function("() => Math.abs(window.gains.at(-1).gain.value - 0.25) < 0.001")
    expect(page.locator("#volume-value")).to_have_text("50 %")


def test_the_single_keys_can_be_switched_off_and_stay_off(page: Page, daemon: DaemonProcess) -> None:
    open_page(page, daemon)
    page.keyboard.press("?")
    page.locator("#sheet-help").get_by_label("Off", exact=True).check(force=True)
    page.keyboard.press("Escape")
    page.reload()
    page.wait_for_selector("html[data-player]")
    for key in ("m", "t", "?", "Space", "ArrowLeft", "3"):
        page.keyboard.press(key)
    page.wait_for_timeout(500)
    expect(page.locator("#volume-value")).to_have_text("70 %")
    expect(page.locator(".sheet:visible")).to_have_count(0)
    assert state(page) == "idle"
    page.click("#open-more")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.locator("#sheet-help").get_by_label("On", exact=True).check(force=True)
    page.keyboard.press("m")
    expect(page.locator("#volume-value")).to_have_text("Muted")


def test_a_token_can_hold_any_letter_while_the_single_keys_are_on(page: Page, daemon: DaemonProcess) -> None:
    open_page(page, daemon)
    page.evaluate("() => { document.querySelector('#take-control').hidden = false; }")
    page.evaluate("() => document.querySelector('#take-control').click()")
    page.get_by_placeholder("Token").press_sequentially("mt1? m")
    expect(page.get_by_placeholder("Token")).to_have_value("mt1? m")
    expect(page.locator("#volume-value")).to_have_text("70 %")
