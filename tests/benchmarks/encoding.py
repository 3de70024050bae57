"""CPU that encoding costs: ``python -m tests.benchmarks.encoding``.

One encoder per format serves all of its listeners, so these figures are per
station, whatever the number of ears.
"""

from statistics import median
from time import process_time

import numpy as np

from auralisd.transport.codecs import CODECS, open_encoder
from auralisd.transport.encoders import BACKLOG_CHUNKS, EncoderBank
from auralisd.units import PACKET_FRAMES, SAMPLE_RATE_HZ

CHUNKS = 100
RUNS = 5


def wide_pad(chunks: int) -> list[bytes]:
    """Six detuned, slowly breathing tones with overtones, different left and right: what the daemon mostly plays."""
    rng = np.random.default_rng(1)
    seconds = np.arange(chunks * PACKET_FRAMES)[:, None] / SAMPLE_RATE_HZ
    sound = np.zeros((chunks * PACKET_FRAMES, 2))
    for midi in (45, 52, 57, 60, 64, 76):
        breath = 0.6 + 0.4 * np.sin(2 * np.pi * 0.2 * seconds + midi)
        for overtone in range(1, 9):
            hz = 440 * 2 ** ((midi - 69) / 12) * overtone * (1 + rng.uniform(-0.003, 0.003, 2))
            sound += breath * np.sin(2 * np.pi * hz * seconds + rng.uniform(0, 6, 2)) / overtone**1.5
    sound += rng.normal(scale=0.003, size=sound.shape)
    pcm = np.rint(sound / np.abs(sound).max() * 0.5 * 32767).astype("<i2")
    return [pcm[at : at + PACKET_FRAMES].tobytes() for at in range(0, len(pcm), PACKET_FRAMES)]


def cost_of_stream(codec: str, chunks: list[bytes]) -> tuple[float, float]:
    """CPU milliseconds per 100 ms, and kbit/s."""
    encoder = open_encoder(codec, "Benchmark")
    begin = process_time()
    coded_bytes = sum(len(encoder.encode(chunk).stream) for chunk in chunks)
    cpu_seconds = process_time() - begin
    encoder.finish()
    return 1000 * cpu_seconds / len(chunks), coded_bytes * 8 / (len(chunks) * 100)


def cost_of_start(codec: str, chunks: list[bytes]) -> float:
    """CPU milliseconds until a newly wanted format is on the air with its five seconds of backlog."""
    bank = EncoderBank(title="Benchmark", clock_seconds=lambda: 0.0)
    for index, chunk in enumerate(chunks[:BACKLOG_CHUNKS]):
        bank.encode(index * PACKET_FRAMES, chunk, wanted=frozenset(), bed=False)
    begin = process_time()
    bank.encode(BACKLOG_CHUNKS * PACKET_FRAMES, chunks[BACKLOG_CHUNKS], wanted=frozenset({codec}), bed=False)
    cpu_seconds = process_time() - begin
    bank.close()
    return 1000 * cpu_seconds


def main() -> None:
    """Print one line per format, medians."""
    chunks = wide_pad(CHUNKS)
    print(f"{'format':8}{'ms per 100 ms':>15}{'% of a core':>13}{'kbit/s':>9}{'ms to start':>13}")
    for codec in CODECS:
        runs = [cost_of_stream(codec, chunks) for _ in range(RUNS)]
        milliseconds = median(run[0] for run in runs)
        start = median(cost_of_start(codec, chunks) for _ in range(RUNS))
        print(f"{codec:8}{milliseconds:15.2f}{milliseconds:13.1f}{runs[0][1]:9.0f}{start:13.0f}")


if __name__ == "__main__":
    main()
