"""HLS in a real Chromium: by its own player, and by script as libraries for other browsers do it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.live.running_daemon import running_daemon

pytestmark = pytest.mark.browser

PLAY = """async ([address, seconds]) => {
  const audio = document.createElement("audio");
  const stalls = [];
  let started = 0;
  audio.addEventListener("playing", () => { started ||= performance.now(); });
  audio.addEventListener("waiting", () => { if (started) stalls.push(performance.now() - started); });
  audio.src = address;
  await audio.play();
  await new Promise((done) => setTimeout(done, seconds * 1000));
  return {played: audio.currentTime, stalls, error: audio.error && audio.error.message};
}"""

APPEND = """async ([name, codec]) => {
  const folder = "/hls/main/";
  const playlist = await (await fetch(`${folder}${name}.m3u8`)).text();
  const files = playlist.split("\\n").flatMap((line) =>
    line.startsWith("#EXT-X-MAP") ? [line.split('"')[1]] : line && !line.startsWith("#") ? [line] : []);
  const source = new MediaSource();
  const audio = document.createElement("audio");
  audio.src = URL.createObjectURL(source);
  await new Promise((opened) => { source.onsourceopen = opened; });
  const buffer = source.addSourceBuffer(`audio/mp4; codecs="${codec}"`);
  for (const file of files) {
    buffer.appendBuffer(await (await fetch(folder + file)).arrayBuffer());
    await new Promise((done, failed) => { buffer.onupdateend = done; buffer.onerror = failed; });
  }
  const held = buffer.buffered;
  const ranges = [...Array(held.length).keys()].map((n) => [held.start(n), held.end(n)]);
  return {segments: files.length - 1, ranges};
}"""


@pytest.fixture(scope="module")
def hls_page(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page of a daemon that has written HLS for half a minute."""
    config = tmp_path_factory.mktemp("hls") / "config.toml"
    config.write_text('seed = 7\nhls = ["main"]\nhls_formats = ["aac", "opus", "flac"]\n')
    with running_daemon("--config", str(config)) as daemon:
        daemon.wait_rendering()
        time.sleep(30)
        page = chromium.new_page()
        page.goto(daemon.url + "/docs")
        yield page
        page.close()


@pytest.mark.parametrize("playlist", ["index", "opus", "flac"])
def test_chromiums_own_player_plays_it(hls_page: Page, playlist: str) -> None:
    result = hls_page.evaluate(PLAY, [f"/hls/main/{playlist}.m3u8", 8])
    assert result["error"] is None
    assert result["played"] > 6


@pytest.mark.parametrize(("name", "codec"), [("aac", "mp4a.40.2"), ("opus", "Opus"), ("flac", "fLaC")])
def test_a_script_can_put_the_segments_together_without_a_gap(hls_page: Page, name: str, codec: str) -> None:
    result = hls_page.evaluate(APPEND, [name, codec])
    ((begin, end),) = result["ranges"]
    assert end - begin == pytest.approx(2 * result["segments"], abs=0.1)
