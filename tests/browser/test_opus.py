"""Opus where there is no WebCodecs: the same sound, by libopus in WebAssembly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from daemon_process import DaemonProcess
from listening import HOME_NETWORK_HOST, level_dbfs
from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.browser

SOUND_MS = 60_000
PLAYING = "html[data-state=playing]"
PACKETS = 250  # 5 s
FURTHEST_DB = -80.0  # what the two decoders may differ by, against the sound itself

BOTH_DECODERS = """async (packets) => {
  const { OpusDecoder } = await import("/client/net/opus.js");
  const { WasmOpusDecoder, loadLibopus } = await import("/client/net/wasm-opus.js");
  const { readPacket } = await import("/client/protocol.js");
  const socket = new WebSocket(`ws://${location.host}/ws/stream`, ["auralis.v1.opus"]);
  socket.binaryType = "arraybuffer";
  const payloads = [];
  let preSkipFrames = 0;
  await new Promise((done) => {
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") preSkipFrames = JSON.parse(data).pre_skip ?? preSkipFrames;
      else payloads.push(readPacket(data).payload);
      if (payloads.length === packets) done();
    };
  });
  socket.close();
  const libopus = await loadLibopus();
  const decode = (open) => new Promise((done, fail) => {
    const channels = [[], []];
    const emit = (left, right, last) => {
      channels[0].push(...left);
      channels[1].push(...right);
      if (last) done(channels);
    };
    const decoder = open({ preSkipFrames, emit, fail });
    payloads.forEach((payload, i) => decoder.decode(payload, i === payloads.length - 1));
  });
  const webCodecs = await decode((options) => new OpusDecoder(options));
  const wasm = await decode((options) => new WasmOpusDecoder(libopus, options));
  return { webCodecs, wasm };
}"""


def test_both_decoders_give_the_same_sound(page: Page, daemon: DaemonProcess) -> None:
    page.goto(daemon.url)
    with daemon.open_stream():
        decoded: dict[str, Any] = page.evaluate(BOTH_DECODERS, PACKETS)
    web_codecs, wasm = (np.array(decoded[name], dtype=np.float32) for name in ("webCodecs", "wasm"))
    assert web_codecs.shape == wasm.shape
    assert wasm.shape[1] > (PACKETS - 1) * 960
    assert level_dbfs(wasm) > -45
    assert level_dbfs(wasm - web_codecs) - level_dbfs(web_codecs) < FURTHEST_DB


def test_libopus_is_fetched_only_where_webcodecs_are_missing(
    page: Page, context: BrowserContext, daemon: DaemonProcess
) -> None:
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page.goto(daemon.url)
    page.wait_for_selector("html[data-player=opus-worklet]")
    assert not [url for url in asked if "opus.wasm" in url or "wasm-opus" in url]
    page.goto(f"http://{HOME_NETWORK_HOST}:{daemon.port}")
    page.wait_for_selector("html[data-player=wasm-scheduled]")
    assert [url for url in asked if url.endswith("/client/vendor/opus-decoder/opus.wasm")]
    page.click("#open-more")
    page.get_by_text("Opus, decoded by the page, through the simple player", exact=True).wait_for()


def test_where_libopus_does_not_come_the_sound_is_uncompressed(
    page: Page, context: BrowserContext, daemon: DaemonProcess
) -> None:
    context.route("**/opus.wasm", lambda route: route.fulfill(status=404))
    page.goto(f"http://{HOME_NETWORK_HOST}:{daemon.port}")
    page.wait_for_selector("html[data-player=pcm-scheduled]")
    page.click("#disc")
    page.wait_for_selector(PLAYING, timeout=SOUND_MS)


def test_a_page_under_its_own_policy_plays_with_libopus(page: Page, daemon: DaemonProcess) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"http://{HOME_NETWORK_HOST}:{daemon.port}")
    page.click("#disc")
    page.wait_for_selector(f"{PLAYING}[data-player=wasm-scheduled]", timeout=SOUND_MS)
    assert complaints == []
