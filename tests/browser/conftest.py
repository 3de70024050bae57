"""A real daemon and a real Chromium for the tests of the page."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from daemon_process import DaemonProcess  # noqa: E402
from listening import CHROMIUM_ARGUMENTS, CHROMIUM_CANDIDATES  # noqa: E402
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright  # noqa: E402


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless Chromium; without one the test is skipped, or fails where CI is set."""
    path = next((path for path in CHROMIUM_CANDIDATES if Path(path).exists()), None)
    if path is None:
        sentence = f"no Chromium is installed here: none of {', '.join(CHROMIUM_CANDIDATES)}"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    """A daemon that runs as long as the tests of one module."""
    process = DaemonProcess(tmp_path_factory.mktemp("auralisd"))
    process.start()
    yield process
    process.stop()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A fresh profile on a desktop screen."""
    fresh = chromium.new_context(viewport={"width": 1280, "height": 800}, color_scheme="dark")
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A fresh page."""
    return context.new_page()
