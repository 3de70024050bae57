"""The page's icons as PNG, for homescreens and lock screens: its own SVG, drawn by Chromium."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.listening import CHROMIUM_ARGUMENTS, CHROMIUM_CANDIDATES

CLIENT = Path(__file__).parents[2] / "client"
FOLDER = CLIENT / "icons"
ICONS = {"192.png": 192, "512.png": 512, "maskable-512.png": 512, "apple-180.png": 180}
SQUARE = {"maskable-512.png", "apple-180.png"}  # what shows them cuts the corners itself


def draw() -> Path:
    """Draw all of them; returns the largest."""
    FOLDER.mkdir(exist_ok=True)
    rounded = (CLIENT / "favicon.svg").read_text()
    square = re.sub(r' rx="\d+"', "", rounded)
    path = next(path for path in CHROMIUM_CANDIDATES if Path(path).exists())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))
        for name, size in ICONS.items():
            page = browser.new_page(viewport={"width": size, "height": size})
            drawing = square if name in SQUARE else rounded
            page.set_content(f"<style>* {{ margin: 0; display: block }} svg {{ width: 100vw }}</style>{drawing}")
            page.screenshot(path=FOLDER / name, omit_background=True)
            page.close()
        browser.close()
    return FOLDER / "512.png"
