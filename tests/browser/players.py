"""Every way in which sound reaches a listener, each in a page of its own, side by side against one daemon."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
from listening import HOME_NETWORK_HOST, NO_WEBCODECS, Recording, Samples, install_tap, read_tap
from playwright.sync_api import Browser, Page

LOOPBACK = "127.0.0.1"
START_MS = 60_000
SETTLING_SECONDS = 4.0

FULL_AND_STILL = "localStorage['auralis.volume'] = '100'; localStorage['auralis.motion'] = 'off';"
"""Eight pictures that move cost more than eight players, and nobody looks."""


@dataclass(frozen=True, slots=True)
class Player:
    """A player of the page, and how a browser is brought to take it.

    Attributes:
        name: as in docs/page.md.
        kind: as the page calls it.
        quality: as *More* has it.
        script: what is taken from the browser before the page looks.
        host: of the address: whether browsers call the origin secure follows from it.
    """

    name: str
    kind: str
    quality: str = "automatic"
    script: str = ""
    host: str = LOOPBACK


OPUS = Player("Opus", "opus-worklet")
WASM = Player("libopus", "wasm-worklet", script=NO_WEBCODECS)
PCM16 = Player("PCM", "pcm-worklet", quality="pcm16")
HOME_NETWORK = Player("home network", "wasm-scheduled", host=HOME_NETWORK_HOST)
ELEMENT = Player("audio element", "element", quality="element")

STREAMED = (OPUS, WASM, PCM16, HOME_NETWORK)
ON_THE_AUDIO_THREAD = (OPUS, WASM, PCM16)


@dataclass(slots=True)
class SideBySide:
    """Pages that play at the same time, and the sound of each.

    Attributes:
        pages: by their player.
        v0: a page with a listener of the seed's protocol, if there is one.
    """

    pages: dict[Player, Page] = field(default_factory=dict)
    v0: Page | None = None

    def wait(self, seconds: float) -> None:
        """Let all of them play on."""
        next(iter(self.pages.values())).wait_for_timeout(seconds * 1000)

    def all_play(self, timeout_ms: float = START_MS) -> None:
        """Return once every page says that it plays."""
        for page in self.pages.values():
            page.wait_for_selector("html[data-state=playing]", timeout=timeout_ms)

    def recordings(self) -> dict[Player, Recording]:
        """What each has played so far; to be asked for once, and last."""
        for page in self.pages.values():
            page.evaluate("() => endTap()")
        return {player: read_tap(page) for player, page in self.pages.items()}

    def v0_connections(self) -> list[V0Connection]:
        """What came to the listener of the seed's protocol, connection by connection."""
        assert self.v0 is not None
        came = self.v0.evaluate("() => came")
        return [V0Connection(list(chunks)) for _, chunks in groupby(came, key=lambda chunk: chunk["connection"])]


@contextmanager
def side_by_side(
    chromium: Browser, port: int, players: tuple[Player, ...], *, with_v0: bool = False, script: str = ""
) -> Iterator[SideBySide]:
    """Pages of these players, all of them playing, and no longer busy with being loaded.

    Args:
        chromium: to open them in.
        port: of the daemon, or of what stands before it.
        players: one page each.
        with_v0: whether one more listens in the seed's protocol.
        script: runs in each before the page's own.
    """
    together = SideBySide()
    contexts = []
    try:
        for player in players:
            context = chromium.new_context(bypass_csp=True)  # the tap's worklet is a blob
            contexts.append(context)
            install_tap(context)
            quality = f"localStorage['auralis.quality'] = '{player.quality}';"
            context.add_init_script(quality + FULL_AND_STILL + player.script + script)
            together.pages[player] = page = context.new_page()
            page.goto(f"http://{player.host}:{port}")
            page.wait_for_selector(f"html[data-player={player.kind}]")
            page.click("#disc")
        together.all_play()
        together.wait(SETTLING_SECONDS)
        if with_v0:
            contexts.append(chromium.new_context(bypass_csp=True))
            together.v0 = contexts[-1].new_page()
            together.v0.goto(f"http://{LOOPBACK}:{port}/healthz")
            together.v0.evaluate(LISTEN_AS_V0)
        yield together
    finally:
        for context in contexts:
            context.close()


LISTEN_AS_V0 = """() => {
  window.came = [];
  let connection = 0;
  const connect = () => {
    const socket = new WebSocket(`ws://${location.host}/ws/stream`, ["auralis.v0.json"]);
    const number = (connection += 1);
    socket.onmessage = ({ data }) => {
      const chunk = JSON.parse(data);
      const atSeconds = performance.now() / 1000;
      if (chunk.type === "audio_chunk") came.push({ ...chunk, connection: number, atSeconds });
    };
    socket.onclose = () => setTimeout(connect, 250);
  };
  connect();
}"""
"""As the seed's own page listened: it knows no place in the programme, and begins anew where it was cut."""


@dataclass(frozen=True, slots=True)
class V0Connection:
    """The chunks of one connection, as they came."""

    chunks: list[dict[str, object]]

    @property
    def sequences(self) -> list[int]:
        """Their numbers."""
        return [int(str(chunk["sequence"])) for chunk in self.chunks]

    @property
    def sound(self) -> Samples:
        """All of them in a row: float32 ``(2, frames)`` at 44.1 kHz."""
        pcm = b"".join(base64.b64decode(str(chunk["data"])) for chunk in self.chunks)
        return np.ascontiguousarray(np.frombuffer(pcm, dtype="<i2").reshape(-1, 2).T / 32_768, dtype=np.float32)

    @property
    def pcm(self) -> bytes:
        """The same, as the daemon's WAV has it."""
        return b"".join(base64.b64decode(str(chunk["data"])) for chunk in self.chunks)

    @property
    def needed_seconds(self) -> float:
        """What a client must have in hand at its first chunk so as to play on without a gap."""
        at = np.array([float(str(chunk["atSeconds"])) for chunk in self.chunks])
        ends = np.cumsum([0.0] + [float(str(chunk["duration_ms"])) / 1000 for chunk in self.chunks[:-1]])
        return float(np.max(at - at[0] - ends))
