"""What it costs to write a station as HLS: ``python -m tests.benchmarks.hls``.

Every 100 ms one job in a worker thread encodes a packet in each format; every 2 s one of them cuts
and writes a segment. The longest job is what the sound would wait for if it were not in a thread.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import perf_counter, process_time

from auralisd.transport.hls.folder import HlsFolder, renditions_of
from auralisd.transport.hls.rendition import HLS_CODECS
from auralisd.transport.hls.writer import HlsWriter
from auralisd.units import PACKET_FRAMES
from tests.benchmarks.encoding import wide_pad

CHUNKS = 600


def written(formats: tuple[str, ...], chunks: list[bytes]) -> tuple[float, float, float, float]:
    """CPU milliseconds per 100 ms, median and longest milliseconds of a job that cuts, and kbit/s of the segments."""
    cutting: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writer = HlsWriter(HlsFolder(folder, formats, first_sequence=1), formats, title="Benchmark")
        begin = process_time()
        for number, chunk in enumerate(chunks):
            began = perf_counter()
            if writer.take(number * PACKET_FRAMES, chunk, starts_unix_seconds=number / 10):
                cutting.append(1000 * (perf_counter() - began))
        cpu_milliseconds = 1000 * (process_time() - begin) / len(chunks)
        segments = list(folder.glob("*.m4s"))
        seconds = 2 * len(segments) / len(formats)
        kilobits = sum(path.stat().st_size for path in segments) * 8 / 1000 / seconds
    cutting.sort()
    return cpu_milliseconds, cutting[len(cutting) // 2], cutting[-1], kilobits


def main() -> None:
    """Print one line per set of formats."""
    chunks = wide_pad(CHUNKS)
    print(f"{'formats':16}{'% of a core':>12}{'cut, median ms':>16}{'longest ms':>12}{'kbit/s':>9}")
    for formats in (*((name,) for name in HLS_CODECS), ("aac", "opus"), renditions_of(HLS_CODECS)):
        cpu, median, longest, kilobits = written(formats, chunks)
        print(f"{'+'.join(formats):16}{cpu:12.1f}{median:16.1f}{longest:12.1f}{kilobits:9.0f}")


if __name__ == "__main__":
    main()
