"""The page on a wall, on a homescreen, on a lock screen and beside a bed."""

from __future__ import annotations

import gzip
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from daemon_process import DaemonProcess
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = pytest.mark.browser

PLAYING = "html[data-state=playing]"
PAUSED = "html[data-state=paused]"
SOUND_MS = 60_000
FIRST_LOAD_BYTES = 70_000
CLIENT = Path(__file__).parents[2] / "client"
TEXTS = {".html", ".js", ".css", ".svg", ".webmanifest"}
LATER = {
    "net/wasm-opus.js",
    "player/element-player.js",
    "player/scheduled-output.js",
    "styles/sheets.css",
    "view/controls.js",
    "view/help-sheet.js",
    "view/mix-sheet.js",
    "view/more-sheet.js",
    "view/music-sheet.js",
    "view/preset-sheet.js",
    "view/small-sheets.js",
    "view/wake-lock.js",
}  # loaded when there is a use for them, the sheets some seconds after all else

AHEAD = "const now = Date.now; window.ahead = 0; Date.now = () => now() + window.ahead;"
HELD_UP = "window.setInterval = () => 0;"
NOTHING_LATER = """const soon = window.setTimeout;
window.setTimeout = (act, ms, ...rest) => (ms >= 3000 ? 0 : soon(act, ms, ...rest));"""
LOCKS = """window.locks = [];
navigator.wakeLock.request = async (kind) => {
  const lock = {kind, released: false, release: async () => { lock.released = true; }};
  locks.push(lock);
  return lock;
};"""


def open_page(page: Page, daemon: DaemonProcess, path: str = "/") -> None:
    page.goto(daemon.url + path)
    page.wait_for_selector("html[data-player]")


def held_locks(page: Page) -> int:
    return int(page.evaluate("() => locks.filter((lock) => !lock.released).length"))


def test_chromium_would_put_it_on_a_homescreen(page: Page, context: BrowserContext, daemon: DaemonProcess) -> None:
    open_page(page, daemon)
    session = context.new_cdp_session(page)
    manifest = session.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert urlsplit(manifest["url"]).path == "/client/app.webmanifest"
    assert '"maskable"' in manifest["data"]
    faults = [error["errorId"] for error in session.send("Page.getInstallabilityErrors")["installabilityErrors"]]
    assert set(faults) <= {"in-incognito"}  # every context of a test is one


def test_the_manifest_and_its_icons_come_with_their_types(page: Page, daemon: DaemonProcess) -> None:
    manifest = page.request.get(f"{daemon.url}/client/app.webmanifest")
    assert manifest.headers["content-type"] == "application/manifest+json"
    icons = [*manifest.json()["icons"], {"src": "/client/icons/apple-180.png", "sizes": "180x180", "type": "image/png"}]
    page.goto(daemon.url)
    for icon in icons:
        assert page.request.get(daemon.url + icon["src"]).headers["content-type"] == icon["type"]
        size = page.evaluate(
            "async (src) => { const image = new Image(); image.src = src; await image.decode();"
            " return [image.naturalWidth, image.naturalHeight]; }",
            icon["src"],
        )
        assert icon["sizes"] in ("any", "{}x{}".format(*size))


def test_the_first_load_is_small(page: Page, daemon: DaemonProcess) -> None:
    asked: set[str] = set()
    page.add_init_script(NOTHING_LATER)
    page.on("request", lambda request: asked.add(urlsplit(request.url).path.removeprefix("/client/").removeprefix("/")))
    open_page(page, daemon)
    page.wait_for_selector("#presets:not([hidden])")
    page.wait_for_timeout(1000)
    assert not asked & LATER
    # What the audio thread loads is told to nobody; so everything that is not for later is counted.
    texts = {str(path.relative_to(CLIENT)): path for path in CLIENT.rglob("*") if path.suffix in TEXTS}
    assert set(texts) >= LATER
    sizes = {name: len(gzip.compress(path.read_bytes(), 6)) for name, path in texts.items() if name not in LATER}
    assert asked - {""} <= {*sizes, "api/v1/presets"}
    assert sum(sizes.values()) <= FIRST_LOAD_BYTES, sizes


def test_a_wall_plays_by_itself_and_shows_the_disc_alone(page: Page, daemon: DaemonProcess) -> None:
    open_page(page, daemon, "/?kiosk=1")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    controls = page.locator("button:visible, input:visible, a:visible")
    assert controls.evaluate_all("(all) => all.map((one) => one.id)") == ["disc"]
    box = page.locator("#disc").bounding_box()
    assert box is not None
    assert box["width"] > 400
    cursors = page.evaluate("() => [...document.querySelectorAll('*')].map((one) => getComputedStyle(one).cursor)")
    assert set(cursors) == {"none"}
    for key in ("t", "?", "3"):
        page.keyboard.press(key)
    page.wait_for_timeout(500)
    assert page.locator(".sheet:visible").count() == 0
    page.keyboard.press("Space")
    page.wait_for_selector(PAUSED)


def test_a_wall_keeps_its_screen_on(context: BrowserContext, daemon: DaemonProcess) -> None:
    context.add_init_script(LOCKS)
    page = context.new_page()
    open_page(page, daemon, "/?kiosk=1")
    page.wait_for_function("() => locks.filter((lock) => !lock.released).length === 1", timeout=SOUND_MS)


def test_a_wall_that_may_not_sound_by_itself_waits_for_a_tap(context: BrowserContext, daemon: DaemonProcess) -> None:
    context.add_init_script("Object.defineProperty(AudioContext.prototype, 'state', {get: () => 'suspended'});")
    page = context.new_page()
    open_page(page, daemon, "/?kiosk=1")
    page.wait_for_timeout(1500)
    expect(page.locator("#disc")).to_have_text("Listen")
    assert page.evaluate("() => document.documentElement.dataset.state") == "idle"


def test_the_screen_is_kept_on_only_when_asked_and_only_while_music_plays(
    context: BrowserContext, daemon: DaemonProcess
) -> None:
    context.add_init_script(LOCKS)
    page = context.new_page()
    open_page(page, daemon)
    page.keyboard.press("Space")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    page.wait_for_timeout(600)
    assert held_locks(page) == 0
    page.click("#open-more")
    page.get_by_label("Stays on").check(force=True)
    page.wait_for_function("() => locks.filter((lock) => !lock.released).length === 1")
    page.evaluate("() => locks[0].release()")  # as the system does when the page is hidden
    page.wait_for_function("() => locks.length === 2")
    page.click("#disc")
    page.wait_for_selector(PAUSED)
    page.wait_for_function("() => locks.every((lock) => lock.released)")
    page.reload()
    page.wait_for_selector("html[data-player]")
    page.keyboard.press("Space")
    page.wait_for_function("() => locks.length === 1")


COMPANIONS = """window.played = []; const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () { played.push(this); return play.call(this); };
window.made = []; const make = URL.createObjectURL;
URL.createObjectURL = (blob) => { made.push(blob); return make.call(URL, blob); };"""


def test_a_silent_element_plays_along_so_that_media_keys_come_to_the_page(
    context: BrowserContext, daemon: DaemonProcess
) -> None:
    context.add_init_script(COMPANIONS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    open_page(page, daemon)
    assert page.evaluate("() => played.length") == 0
    page.click("#disc")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    page.wait_for_function("() => played.length === 1 && !played[0].paused && played[0].currentTime > 0")
    facts = page.evaluate(
        "() => { const {loop, muted, volume, duration} = played[0]; return {loop, muted, volume, duration}; }"
    )
    assert facts == {"loop": True, "muted": False, "volume": 1, "duration": 10}  # what is muted or short gets no keys
    loudest = page.evaluate(
        "async () => { const bytes = await made[0].arrayBuffer();"
        " const {length} = await new OfflineAudioContext(1, 1, 8000).decodeAudioData(bytes.slice(0));"
        " const data = new Uint8Array(bytes, 44); return [length, data.every((sample) => sample === 128)]; }"
    )
    assert loudest == [80_000, True]
    page.click("#disc")
    page.wait_for_selector(PAUSED)
    assert page.evaluate("() => played[0].paused")
    page.click("#disc")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    page.evaluate("() => played[0].pause()")  # as the system does for a call
    page.wait_for_selector(PAUSED)
    assert complaints == []


def test_the_audio_element_needs_no_companion(context: BrowserContext, daemon: DaemonProcess) -> None:
    context.add_init_script(COMPANIONS + "localStorage['auralis.quality'] = 'element';")
    page = context.new_page()
    open_page(page, daemon)
    page.click("#disc")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    assert page.evaluate("() => new Set(played).size") == 1


def test_the_lock_screen_is_told_what_sounds_and_can_stop_it(context: BrowserContext, daemon: DaemonProcess) -> None:
    context.add_init_script(
        "window.handlers = {}; const set = navigator.mediaSession.setActionHandler;"
        "navigator.mediaSession.setActionHandler = (name, act) => {"
        "  handlers[name] = act; set.call(navigator.mediaSession, name, act); };"
        "window.positions = []; const setPosition = navigator.mediaSession.setPositionState;"
        "navigator.mediaSession.setPositionState = (position) => {"
        "  positions.push(position.duration); setPosition.call(navigator.mediaSession, position); };"
    )
    page = context.new_page()
    open_page(page, daemon)
    page.evaluate("() => handlers.play()")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    page.wait_for_function("() => navigator.mediaSession.playbackState === 'playing'")
    told = page.evaluate(
        "() => { const {title, artist, artwork} = navigator.mediaSession.metadata;"
        " return {title, artist, artwork: artwork.map((one) => one.sizes)}; }"
    )
    assert told["title"] == page.locator("#now").inner_text()
    assert told["artist"] == page.locator("#brand").inner_text()
    assert told["artwork"] == ["192x192", "512x512"]
    assert page.evaluate("() => positions.length > 0 && positions.every((one) => one === Infinity)")  # it has no end
    page.evaluate("() => handlers.pause()")
    page.wait_for_selector(PAUSED)
    assert page.evaluate("() => navigator.mediaSession.playbackState") == "paused"
    page.evaluate("() => handlers.play()")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    page.evaluate("() => handlers.stop()")
    page.wait_for_selector(PAUSED)


@pytest.mark.parametrize("quality", ["automatic", "element"])
def test_the_sleep_timer_ends_the_music_although_no_timer_of_the_page_runs(
    context: BrowserContext, daemon: DaemonProcess, quality: str
) -> None:
    context.add_init_script(AHEAD + HELD_UP + f"localStorage['auralis.quality'] = '{quality}';")
    page = context.new_page()
    open_page(page, daemon)
    page.click("#disc")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    page.click("#open-timer")
    page.get_by_label("15 min").check(force=True)
    page.wait_for_timeout(1000)
    assert page.evaluate("() => document.documentElement.dataset.state") == "playing"
    page.evaluate("() => { window.ahead = 16 * 60 * 1000; }")
    page.wait_for_selector(PAUSED, timeout=5000)


def test_the_sleep_timer_goes_on_when_the_player_is_exchanged(context: BrowserContext, daemon: DaemonProcess) -> None:
    context.add_init_script(AHEAD)
    page = context.new_page()
    open_page(page, daemon)
    page.click("#disc")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    page.keyboard.press("t")
    page.get_by_label("15 min").check(force=True)
    page.click("#open-more")
    page.get_by_label("Uncompressed").check(force=True)
    page.wait_for_selector("html[data-player=pcm-worklet][data-state=playing]", timeout=SOUND_MS)
    expect(page.locator("#open-timer")).to_have_text("15 min")
    page.evaluate("() => { window.ahead = 16 * 60 * 1000; }")
    page.wait_for_selector(PAUSED, timeout=5000)


def test_a_sleep_timer_that_ran_out_in_silence_does_not_end_what_is_begun_later(
    context: BrowserContext, daemon: DaemonProcess
) -> None:
    context.add_init_script(AHEAD)
    page = context.new_page()
    open_page(page, daemon)
    page.keyboard.press("t")
    page.get_by_label("15 min").check(force=True)
    page.evaluate("() => { window.ahead = 9 * 60 * 60 * 1000; }")
    expect(page.locator("#open-timer")).to_have_text("Timer")
    page.click("#disc")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)
    page.wait_for_timeout(1000)
    assert page.evaluate("() => document.documentElement.dataset.state") == "playing"
