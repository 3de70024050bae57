"""A Chromium that listens: how it is started, tapped, and what its sound is judged by."""

import base64
import io
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from daemon_process import DaemonProcess
from numpy.typing import NDArray
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

HERE = Path(__file__).parent

CHROMIUM_CANDIDATES = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    # A name of the home network: not a secure origin, so no AudioWorklet.
    "--host-resolver-rules=MAP music.lan 127.0.0.1",
)
HOME_NETWORK_HOST = "music.lan"
NO_WEBCODECS = "delete window.AudioDecoder"
NO_WORKLET = "delete window.AudioWorkletNode"  # as an init script: the page falls back to the simple player

Samples = NDArray[np.float32]


@contextmanager
def daemon_and_browser() -> Iterator[tuple[DaemonProcess, Browser]]:
    """A daemon and a headless Chromium for a benchmark alone, ended with it."""
    path = next(path for path in CHROMIUM_CANDIDATES if Path(path).exists())
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        daemon = DaemonProcess(Path(folder))
        daemon.start()
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))
        try:
            yield daemon, browser
        finally:
            browser.close()
            daemon.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What came out of the audio graph, and when.

    Attributes:
        sound: float32 ``(2, frames)``, linear amplitude.
        rate_hz: of the audio context.
        clicked_at_ms: on the page's clock; None when nobody clicked.
        first_sound_at_ms: when the first audible block was heard; None when none was.
        started_at_ms: when frame 0 was heard; these three are None without a secure origin, where the
            recorder has no clock (`clicked_at_ms` is known there too).
    """

    sound: Samples
    rate_hz: int
    clicked_at_ms: float | None
    first_sound_at_ms: float | None
    started_at_ms: float | None

    def after_fade_in(self, seconds: float = 1.0) -> Samples:
        """Return the sound from ``seconds`` after it began.

        Raises:
            ValueError: when nothing was heard at all.
        """
        audible = np.flatnonzero(np.abs(self.sound).max(axis=0) > 1e-4)
        if audible.size == 0:
            raise ValueError("nothing was heard")
        return self.sound[:, audible[0] + int(seconds * self.rate_hz) :]


def install_tap(context: BrowserContext) -> None:
    """Record whatever pages of this context send to their audio destination.

    The context must bypass the page's content security policy: the tap's worklet is a blob.
    """
    tap = (HERE / "tap.js").read_text()
    worklet = (HERE / "tap-worklet.js").read_text()
    context.add_init_script(f"{tap.rstrip()}({json.dumps(worklet)});")


def read_tap(page: Page) -> Recording:
    """Return everything recorded on this page so far; without a secure origin, once only."""
    raw = page.evaluate("() => window.readTap()")
    if raw["film"] is not None:
        sound = _developed(base64.b64decode(raw["film"]))
    else:
        channels = [np.frombuffer(base64.b64decode(raw[name]), dtype="<f4") for name in ("left", "right")]
        sound = np.stack(channels)
    return Recording(
        sound=sound,
        rate_hz=int(raw["rateHz"]),
        clicked_at_ms=raw["clickedAtMs"],
        first_sound_at_ms=raw["firstSoundAtMs"],
        started_at_ms=raw["startedAtMs"],
    )


def _developed(film: bytes) -> Samples:
    """Return the samples of a WebM file of plain float32 stereo, as MediaRecorder writes it."""
    with av.open(io.BytesIO(film)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    interleaved = np.concatenate([frame.reshape(-1) for frame in frames])
    return np.ascontiguousarray(interleaved.reshape(-1, 2).T, dtype=np.float32)


def gaps(sound: Samples, rate_hz: int, longest_seconds: float = 0.005) -> list[float]:
    """Return where, in seconds, runs of exact zeros longer than ``longest_seconds`` begin.

    Args:
        sound: float32 ``(2, frames)``; a frame counts as zero when both channels are.
    """
    silent = np.concatenate(([False], np.all(sound == 0, axis=0), [False]))
    edges = np.flatnonzero(np.diff(silent.astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    long = (ends - starts) > longest_seconds * rate_hz
    return [float(start / rate_hz) for start in starts[long]]


def clicks(sound: Samples, rate_hz: int) -> list[float]:
    """Return where, in seconds, the wave breaks for a sample or two.

    A click is a second difference that stands alone: an outlier both against the 6 ms before it
    and the 6 ms after it. An attack, however hard, goes on sounding, so it is none.

    Args:
        sound: float32 ``(2, frames)``.
    """
    frames = int(0.006 * rate_hz)
    found: set[int] = set()
    for channel in sound:
        bend = np.abs(np.diff(channel.astype(np.float64), n=2))
        windows = bend[: bend.size // frames * frames].reshape(-1, frames)
        # The 90th percentile: high where the wave is busy, blind to a sample or two.
        spread = np.quantile(windows, 0.9, axis=1)
        usual = np.maximum(np.maximum(spread[:-2], spread[2:]), spread[1:-1])
        peaks = np.argmax(windows[1:-1], axis=1)
        alone = windows[1:-1].max(axis=1) > 6 * usual + 1e-3
        found.update(((np.flatnonzero(alone) + 1) * frames + peaks[alone]).tolist())
    return [position / rate_hz for position in sorted(found)]


def level_dbfs(sound: Samples) -> float:
    """Return the RMS level of both channels together, in dB of full scale."""
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-20))
