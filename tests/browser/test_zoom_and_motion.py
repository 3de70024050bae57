"""The page enlarged, narrowed and stilled; and what it says without being asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from daemon_process import DaemonProcess
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

PLAYING = "html[data-state=playing]"
SOUND_MS = 60_000
SHEETS = ("timer", "music", "mix", "more", "help", "presets", "token")
# A page of 1280 x 800 at 200 %, one of 1280 x 1024 at 400 %, and narrow phones.
SCREENS = {"at 200 %": (640, 400), "at 400 %": (320, 256), "narrow": (320, 640), "phone": (390, 844)}

OUTSIDE = """() => {
  const out = [];
  const pieces = "button:not(.disc), input, a, h1, h2, h3, p, dt, dd, label, legend, .value, .choice span, .disc-face";
  for (const one of document.querySelectorAll(pieces)) {
    if (!one.checkVisibility() || one.closest(".unseen")) continue;
    const box = one.getBoundingClientRect();
    const spills = one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline";
    const outside = box.left < -0.5 || box.right > innerWidth + 0.5;
    if (outside || spills) out.push([one.id || one.textContent, box.left, box.right, one.scrollWidth]);
  }
  if (document.documentElement.scrollWidth > innerWidth) out.push("the page scrolls sideways");
  for (const body of document.querySelectorAll(".sheet-body")) {
    if (body.scrollWidth > body.clientWidth) out.push("a sheet scrolls sideways");
  }
  return out;
}"""

SMALL = """() => [...document.querySelectorAll("button, input, .links a")]
  .filter((one) => one.checkVisibility())
  .map((one) => [one.id || one.textContent, one.offsetWidth, one.offsetHeight])
  .filter(([, width, height]) => width < 44 || height < 44)"""

MOVING = """() => document.getAnimations().filter((one) => one.effect.getComputedTiming().activeDuration > 20).length"""


@pytest.fixture(params=SCREENS)
def narrow_page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = SCREENS[request.param]
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme="dark")
    yield context.new_page()
    context.close()


def open_page(page: Page, daemon: DaemonProcess) -> None:
    page.goto(daemon.url)
    page.wait_for_selector("html[data-player]")
    page.wait_for_selector("#presets:not([hidden])", state="attached")


def open_sheet(page: Page, name: str) -> None:
    """Open it as its button does, whether or not the button is on the screen just now."""
    if name == "help":
        page.keyboard.press("?")
    else:
        opener = {"presets": ".presets .all", "token": "#take-control"}.get(name, f"#open-{name}")
        page.evaluate("(opener) => document.querySelector(opener).click()", opener)
    page.wait_for_selector(f"#sheet-{name}:not([hidden])")


@pytest.mark.parametrize("text", ["100%", "200%"])
def test_nothing_is_cut_off_however_narrow_the_page_and_large_its_text(
    narrow_page: Page, daemon: DaemonProcess, text: str
) -> None:
    page = narrow_page
    open_page(page, daemon)
    page.evaluate("(size) => { document.documentElement.style.fontSize = size; }", text)
    found: dict[str, Any] = {"page": page.evaluate(OUTSIDE)}
    small: dict[str, Any] = {"page": page.evaluate(SMALL)}
    for name in SHEETS:
        open_sheet(page, name)
        found[name], small[name] = page.evaluate(OUTSIDE), page.evaluate(SMALL)
        page.keyboard.press("Escape")
    assert {name: out for name, out in found.items() if out} == {}
    assert {name: out for name, out in small.items() if out} == {}


def test_an_enlarged_page_is_reached_by_scrolling(chromium: Browser, daemon: DaemonProcess) -> None:
    page = chromium.new_page(viewport={"width": 320, "height": 256})
    open_page(page, daemon)
    for name in ("disc", "volume", "open-timer", "open-more"):
        page.locator(f"#{name}").scroll_into_view_if_needed()
        expect(page.locator(f"#{name}")).to_be_in_viewport(ratio=0.99)
    page.click("#open-more")
    expect(page.locator("#sheet-more .close")).to_be_in_viewport(ratio=0.99)
    page.locator("#sheet-more .facts dd").last.scroll_into_view_if_needed()
    expect(page.locator("#sheet-more .facts dd").last).to_be_in_viewport()
    page.close()


COVERED = """(name) => {
  const sheet = document.querySelector(`#sheet-${name}`).getBoundingClientRect();
  const under = (box) => box.bottom > sheet.top && box.right > sheet.left;
  return ["#disc", "#now", "#next"].filter((one) => {
    const piece = document.querySelector(one);
    return piece.checkVisibility() && under(piece.getBoundingClientRect());
  });
}"""


def test_a_sheet_covers_nothing_of_what_sounds_with_text_twice_as_large(
    chromium: Browser, daemon: DaemonProcess
) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    open_page(page, daemon)
    page.evaluate("() => { document.documentElement.style.fontSize = '200%'; }")
    page.click("#disc")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    for name in SHEETS:
        open_sheet(page, name)
        page.wait_for_timeout(350)  # what slides in has arrived
        assert page.evaluate(COVERED, name) == [], name
        expect(page.locator("#next")).to_be_in_viewport()
        page.keyboard.press("Escape")
    page.close()


@pytest.mark.parametrize(("width", "height"), [(844, 390), (640, 400), (568, 320)])
def test_a_phone_on_its_side_keeps_the_disc_in_reach_beside_a_sheet(
    chromium: Browser, daemon: DaemonProcess, width: int, height: int
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": height})
    open_page(page, daemon)
    page.click("#disc")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    for name in SHEETS:
        open_sheet(page, name)
        page.wait_for_timeout(350)
        assert page.evaluate(COVERED, name) == [], name
        assert page.evaluate("() => document.documentElement.scrollHeight") <= height
        page.click("#disc")
        page.wait_for_selector("html:not([data-state=playing])")
        page.click("#disc")
        page.wait_for_selector(PLAYING, timeout=SOUND_MS)
        page.keyboard.press("Escape")
    page.close()


def picture(page: Page) -> bytes:
    return page.locator("#backdrop").evaluate("(canvas) => canvas.toDataURL()").encode()


@pytest.mark.parametrize("by", ["switch", "system"])
def test_all_motion_can_be_stopped(chromium: Browser, daemon: DaemonProcess, by: str) -> None:
    wish: Any = {"reduced_motion": "reduce"} if by == "system" else {}
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, **wish)
    page = context.new_page()
    open_page(page, daemon)
    if by == "switch":
        first = picture(page)
        page.wait_for_timeout(1500)
        assert picture(page) != first
        page.click("#open-more")
        page.get_by_label("Still", exact=True).check(force=True)
        page.keyboard.press("Escape")
        page.reload()  # and it stays so
        page.wait_for_selector("html[data-player]")
    page.click("#disc")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    page.click("#open-music")
    assert page.evaluate(MOVING) == 0
    page.wait_for_timeout(1000)
    first = picture(page)
    page.wait_for_timeout(2000)
    assert picture(page) == first
    context.close()


def test_one_polite_region_speaks_and_only_of_what_changed(page: Page, daemon: DaemonProcess) -> None:
    page.add_init_script(
        "window.told = []; addEventListener('DOMContentLoaded', () => new MutationObserver(() => {"
        "  const text = document.querySelector('#announcer').textContent; if (text) told.push(text);"
        "}).observe(document.querySelector('#announcer'), {childList: true, characterData: true, subtree: true}));"
    )
    open_page(page, daemon)
    regions = "[aria-live], [role=status], [role=alert], [role=log], [role=timer], output"
    assert page.locator(regions).evaluate_all("(all) => all.map((one) => one.id)") == ["announcer"]
    page.click("#disc")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    page.click("#open-music")
    page.locator("#control-intensity").fill("0.61")
    page.wait_for_timeout(15_000)  # chords change, seconds are counted down, the buffer breathes
    page.click("#disc")
    page.wait_for_timeout(1500)
    told = page.evaluate("() => window.told")
    assert told[-1] == "Paused"
    assert [text for text in told if "Playing" in text] == ["Playing"]
    assert len(told) <= 5, told
    assert page.locator(regions).count() == 1
