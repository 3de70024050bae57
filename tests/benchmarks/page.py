"""How quick the page is: click to first sound, and control to ear.

Run it alone on the machine: ``python -m tests.benchmarks.page [--runs N] [--settled-minutes M]``. It starts a daemon
and a headless Chromium of its own, taps what reaches the destination of the audio graph, and prints medians; it
asserts nothing. A daemon that kept nobody waiting for ten minutes works less far ahead: ``--settled-minutes 11`` waits.
"""

import argparse
import math
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parent.parent / "browser"))

from daemon_process import DaemonProcess
from listening import (
    NO_WORKLET,
    Recording,
    daemon_and_browser,
    install_tap,
    read_tap,
)

WINDOW_SECONDS = 0.01
QUIET_DB = -24.0
GLIDE_SECONDS = (0.5, 1.0, 1.5, 2.0)
CHANGE_JS = """async (level) => {
  const atMs = performance.now();
  const response = await fetch("/api/v1/stations/main/controls", {
    method: "PATCH",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ level_db: level }),
  });
  const { seconds_from_now } = (await response.json()).applied_at.level_db;
  return { atMs, answeredMs: performance.now() - atMs, onTheAirMs: performance.now() - atMs + 1000 * seconds_from_now };
}"""
CONTROL_BOUNDS_MS = {"balanced": 550, "responsive": 350}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="of each measurement")
    parser.add_argument("--settled-minutes", type=float, default=0.0, help="of playing before controls are turned")
    options = parser.parse_args()
    runs = options.runs
    with daemon_and_browser() as (daemon, browser):
        print(f"Chromium {browser.version}, {runs} runs each; times in ms")
        measure_first_sound(browser, daemon, runs)
        with daemon.open_stream():
            time.sleep(60 * options.settled_minutes)
            for patience in CONTROL_BOUNDS_MS:
                measure_control_to_ear(browser, daemon, runs, patience)


def measure_first_sound(browser: Browser, daemon: DaemonProcess, runs: int) -> None:
    """Print click to first sound: the station sounding, by the simple player too, and sleeping."""
    with daemon.open_stream():
        show("click to first sound, station sounding", [click(browser, daemon.url) for _ in range(runs)])
        show("  the same through the simple player", [click(browser, daemon.url, worklet=False) for _ in range(runs)])
    asleep = []
    for _ in range(max(1, runs // 3)):
        wait_until_asleep(browser, daemon)
        asleep.append(click(browser, daemon.url))
    show("click to first sound, station sleeping", asleep)


def measure_control_to_ear(browser: Browser, daemon: DaemonProcess, runs: int, patience: str) -> None:
    """Print the time from sending a level to the start of its ramp at the destination, and the server's part of it."""
    page = tapped_page(browser, daemon.url, script=f"localStorage['auralis.patience'] = '{patience}'")
    start(page)
    page.wait_for_timeout(5000)
    changes = []
    for _ in range(2 * runs):
        changes.append(page.evaluate(CHANGE_JS, QUIET_DB))
        page.wait_for_timeout(2500)
        page.evaluate(CHANGE_JS, 0.0)
        page.wait_for_timeout(3500)
    recording = read_tap(page)
    page.context.close()
    delays = [delay for change in changes if (delay := ramp_delay_ms(recording, change["atMs"])) is not None]
    bound = f"(bound {CONTROL_BOUNDS_MS[patience]})"
    show(f"control to ear, {patience} {bound}, {len(delays)} of {len(changes)} changes found", delays)
    show("  of it until the answer", [change["answeredMs"] for change in changes])
    show("  of it until it is on the air", [change["onTheAirMs"] for change in changes])


def click(browser: Browser, address: str, *, worklet: bool = True) -> float:
    """Return milliseconds from the click on Listen to the first audible frame."""
    page = tapped_page(browser, address, worklet=worklet)
    page.wait_for_timeout(800)
    start(page)
    page.wait_for_timeout(400)
    recording = read_tap(page)
    page.context.close()
    assert recording.first_sound_at_ms is not None
    assert recording.clicked_at_ms is not None
    return recording.first_sound_at_ms - recording.clicked_at_ms


def tapped_page(browser: Browser, address: str, *, worklet: bool = True, script: str = "") -> Page:
    """Return a fresh page, loaded and not yet listening, its sound recorded."""
    context = browser.new_context(bypass_csp=True)
    install_tap(context)
    if not worklet:
        context.add_init_script(NO_WORKLET)
    context.add_init_script(f"localStorage['auralis.volume'] = '100'; {script}")
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("html[data-player]")
    return page


def start(page: Page) -> None:
    """Click Listen and wait for the music."""
    page.click("#disc")
    page.wait_for_selector("html[data-state=playing]", timeout=60_000)


def wait_until_asleep(browser: Browser, daemon: DaemonProcess) -> None:
    """Return once the station renders for nobody."""
    context = browser.new_context()
    page = context.new_page()
    while daemon.get("/api/v1/stations/main")["state"] != "idle":
        page.wait_for_timeout(500)
    context.close()


def ramp_delay_ms(recording: Recording, sent_at_ms: float) -> float | None:
    """Return when the level began to fall after a change, None when it did not.

    Music has a level of its own, so the glide is fitted to the 10 ms levels by least squares: flat,
    then falling, in decibels, fast at first and softly at the end, then flat again; its corner is the answer.
    """
    levels = windowed_db(recording)
    assert recording.started_at_ms is not None
    at = round((sent_at_ms - recording.started_at_ms) / 1000 / WINDOW_SECONDS)
    heard = levels[max(0, at - 50) : at + 240]
    seconds = (np.arange(heard.size) - min(at, 50)) * WINDOW_SECONDS
    best = (math.inf, 0.0, 0.0)
    for length in GLIDE_SECONDS:
        for begin in np.arange(0.0, 1.6, WINDOW_SECONDS):
            left = np.clip(1.0 - (seconds - begin) / length, 0.0, 1.0)
            terms = np.stack([np.ones_like(left), 1.0 - left * left], axis=1)
            fitted, *_ = np.linalg.lstsq(terms, heard, rcond=None)
            error = float(np.square(terms @ fitted - heard).sum())
            best = min(best, (error, float(begin), float(fitted[1])))
    _, begin_seconds, change_db = best
    return begin_seconds * 1000 if change_db < QUIET_DB / 2 else None


def windowed_db(recording: Recording) -> NDArray[np.float64]:
    """Return the level of each 10 ms, in dB of full scale."""
    frames = int(WINDOW_SECONDS * recording.rate_hz)
    count = recording.sound.shape[1] // frames
    power = np.square(recording.sound[:, : count * frames], dtype=np.float64).mean(axis=0)
    return 10 * np.log10(power.reshape(count, frames).mean(axis=1) + 1e-20)


def show(title: str, values_ms: list[float]) -> None:
    """Print a line of figures."""
    if not values_ms:
        print(f"{title}: nothing measured")
        return
    p95 = float(np.quantile(values_ms, 0.95))
    print(f"{title}: median {statistics.median(values_ms):.0f}, p95 {p95:.0f}, of {len(values_ms)}")


if __name__ == "__main__":
    main()
