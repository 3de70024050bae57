"""What the page costs its listener: first paint, processor, memory.

``python -m tests.benchmarks.page_cost [--minutes M] [--cpu-seconds S]``. It starts a daemon and a headless Chromium of
its own and prints each figure beside the bound it should keep to; it asserts nothing. Memory asks for ``--minutes 60``:
a minute, the default, multiplied by sixty, is a hint.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parent.parent / "browser"))

from listening import daemon_and_browser

FIRST_PAINT_BOUND_SECONDS: Final = 0.5
CPU_BOUND_PERCENT: Final = 12.0
HEAP_BOUND_MB_PER_HOUR: Final = 2.0

PAINTS: Final = 9
SETTLING_SECONDS: Final = 15.0
HEAP_EVERY_SECONDS: Final = 5.0

KEEP_COMPANION: Final = """const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () { window.companion = this; return play.call(this); };"""
NO_COMPANION: Final = "() => { companion.removeAttribute('src'); companion.load(); }"
STILL: Final = "localStorage['auralis.motion'] = 'off'"
FIRST_PAINT: Final = """() => new Promise((resolve) => new PerformanceObserver((list) => {
  const first = list.getEntriesByName("first-contentful-paint")[0];
  if (first) resolve(first.startTime / 1000);
}).observe({type: "paint", buffered: true}))"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0, help="of playing while memory is watched")
    parser.add_argument("--cpu-seconds", type=float, default=20.0, help="for each measurement of the processor")
    options = parser.parse_args()
    with daemon_and_browser() as (daemon, browser), daemon.open_stream():
        print(f"Chromium {browser.version}, headless, without a GPU")
        measure_first_paint(browser, daemon.url)
        measure_cpu(browser, daemon.url, options.cpu_seconds)
        measure_memory(browser, daemon.url, options.minutes * 60)


def measure_first_paint(browser: Browser, address: str) -> None:
    """Print how long the first contentful paint took, each time with an empty cache."""
    taken: list[float] = []
    for _ in range(PAINTS):
        with fresh_page(browser) as page:
            page.goto(address)
            taken.append(page.evaluate(FIRST_PAINT))
    median, worst = statistics.median(taken), max(taken)
    bound = f"(bound {FIRST_PAINT_BOUND_SECONDS} s)"
    print(f"first contentful paint: median {median:.2f} s, worst {worst:.2f} s {bound}", flush=True)


def measure_cpu(browser: Browser, address: str, seconds: float) -> None:
    """Print what playing costs beyond an empty page, of one core, with the moving picture and without.

    A canvas that is hidden and a picture that moves on cost what drawing costs, so it is stilled, as *More* stills it.
    """
    with fresh_page(browser) as page:
        page.goto("about:blank")
        page.wait_for_timeout(SETTLING_SECONDS * 1000)
        empty = cpu_percent(browser, page, seconds)
    with playing_page(browser, address) as page:
        shown = cpu_percent(browser, page, seconds)
    with playing_page(browser, address, script=KEEP_COMPANION + STILL) as page:
        page.evaluate("() => { document.querySelector('#backdrop').hidden = true; }")
        hidden = cpu_percent(browser, page, seconds)
        page.evaluate(NO_COMPANION)
        alone = cpu_percent(browser, page, seconds)
        assert page.locator("html[data-state=playing]").count() == 1  # nothing took it for a pause
    print(f"an empty page: {empty:.1f} % of a core")
    print(f"playing, canvas hidden and still: {hidden - empty:.1f} % beyond it (bound {CPU_BOUND_PERCENT:.0f} %)")
    print(f"  the same without the silent element: {alone - empty:.1f} %")
    print(f"playing, canvas drawn in software: {shown - empty:.1f} % beyond it", flush=True)


def measure_memory(browser: Browser, address: str, seconds: float) -> None:
    """Print the growth of the page's heap, garbage apart, and of its processes with worker and worklet."""
    with playing_page(browser, address) as page:
        inspector = page.context.new_cdp_session(page)
        at_seconds, heap_mb, process_mb = [], [], []
        began = time.monotonic()
        while (now := time.monotonic() - began) < seconds:
            inspector.send("HeapProfiler.collectGarbage")
            at_seconds.append(now)
            heap_mb.append(inspector.send("Runtime.getHeapUsage")["usedSize"] / 1e6)
            process_mb.append(sum(resident_mb(process) for process in renderers(browser)))
            page.wait_for_timeout(HEAP_EVERY_SECONDS * 1000)
    print(f"{seconds / 60:.1f} min of playing, by the straight line through {len(at_seconds)} looks:")
    per_hour, bound = growth_per_hour(at_seconds, heap_mb), f"(bound {HEAP_BOUND_MB_PER_HOUR:.0f} MB)"
    print(f"  heap: {heap_mb[0]:.2f} to {heap_mb[-1]:.2f} MB, {per_hour:.2f} MB an hour {bound}")
    half = len(heap_mb) // 2  # until then machine code is made of what is run often
    per_hour = growth_per_hour(at_seconds[half:], heap_mb[half:])
    print(f"  heap in the second half: {heap_mb[half]:.3f} to {heap_mb[-1]:.3f} MB, {per_hour:.2f} MB an hour")
    per_hour = growth_per_hour(at_seconds, process_mb)
    print(f"  resident: {process_mb[0]:.0f} to {process_mb[-1]:.0f} MB, {per_hour:.0f} MB an hour", flush=True)


@contextmanager
def fresh_page(browser: Browser) -> Iterator[Page]:
    """A page of a fresh profile, on a desktop screen."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


@contextmanager
def playing_page(browser: Browser, address: str, *, script: str = "") -> Iterator[Page]:
    """The page, playing for long enough to have settled."""
    with fresh_page(browser) as page:
        page.add_init_script(script)
        page.goto(address)
        page.wait_for_selector("html[data-player]")
        page.click("#disc")
        page.wait_for_selector("html[data-state=playing]", timeout=60_000)
        page.wait_for_timeout(SETTLING_SECONDS * 1000)
        yield page


def cpu_percent(browser: Browser, page: Page, seconds: float) -> float:
    """Return what all of the browser's processes used in that time, in percent of one core."""
    before, began = cpu_seconds(browser), time.monotonic()
    page.wait_for_timeout(seconds * 1000)
    return 100 * (cpu_seconds(browser) - before) / (time.monotonic() - began)


def cpu_seconds(browser: Browser) -> float:
    """Return the processor time of all of the browser's processes so far."""
    return sum(float(process["cpuTime"]) for process in processes(browser))


def renderers(browser: Browser) -> list[int]:
    """Return the ids of the processes that pages live in."""
    return [int(process["id"]) for process in processes(browser) if process["type"] == "renderer"]


def processes(browser: Browser) -> list[dict[str, Any]]:
    """Return the browser's processes, as it tells them."""
    inspector = browser.new_browser_cdp_session()
    found: list[dict[str, Any]] = inspector.send("SystemInfo.getProcessInfo")["processInfo"]
    inspector.detach()
    return found


def resident_mb(process: int) -> float:
    """Return a process's resident memory."""
    line = next(line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024 / 1e6


def growth_per_hour(at_seconds: list[float], values: list[float]) -> float:
    """Return the slope of the least squares line, per hour."""
    return float(np.polyfit(at_seconds, values, 1)[0] * 3600)


if __name__ == "__main__":
    main()
