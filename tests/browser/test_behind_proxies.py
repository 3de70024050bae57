"""The page in a real Chromium over TLS, behind each of the proxies of the documents."""

from pathlib import Path

import pytest
from daemon_process import DaemonProcess
from listening import CHROMIUM_ARGUMENTS, CHROMIUM_CANDIDATES, gaps, install_tap, level_dbfs, read_tap
from playwright.sync_api import Browser

from tests.live.proxies import NAME, PROXIES, proxy

pytestmark = pytest.mark.browser

LISTENED_SECONDS = 8.0


@pytest.mark.parametrize("kind", PROXIES)
def test_the_page_plays_over_tls_as_on_a_secure_origin(
    kind: str, chromium: Browser, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AURALISD_PUBLIC_URL", f"https://{NAME}")
    monkeypatch.setenv("AURALISD_TRUSTED_PROXIES", "127.0.0.1")
    daemon = DaemonProcess(tmp_path)
    with proxy(kind, tmp_path / kind, daemon_port=daemon.port) as front:
        daemon.start()
        there = [each for each in CHROMIUM_ARGUMENTS if not each.startswith("--host-resolver-rules")]
        path = next(each for each in CHROMIUM_CANDIDATES if Path(each).exists())
        browser = chromium.browser_type.launch(executable_path=path, args=[*there, *front.browser_arguments()])
        try:
            context = browser.new_context(ignore_https_errors=True, bypass_csp=True)  # the tap's worklet is a blob
            install_tap(context)
            page = context.new_page()
            broken: list[str] = []
            page.on("pageerror", lambda error: broken.append(str(error)))
            page.goto(f"https://{NAME}")
            assert page.evaluate("() => window.isSecureContext")
            page.wait_for_selector("html[data-player]")
            page.click("#disc")
            page.wait_for_selector("html[data-state=playing]", timeout=60_000)
            page.wait_for_timeout(LISTENED_SECONDS * 1000)
            recording = read_tap(page)
            assert page.evaluate("() => document.documentElement.dataset.player") == "opus-worklet"
        finally:
            browser.close()
            daemon.stop()
    sound = recording.after_fade_in()
    assert sound.shape[1] > 0.6 * LISTENED_SECONDS * recording.rate_hz
    assert gaps(sound, recording.rate_hz) == []
    assert level_dbfs(sound) > -50
    assert broken == []
