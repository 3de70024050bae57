"""All benchmarks, one after another: ``uv run python -m tests.benchmarks``.

They print figures and judge nothing; the machine should do nothing else meanwhile. `transcription` is not among them:
it needs a model that is fetched by hand.
"""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = (
    "score --seeds 2",
    "steering",
    "steering --pairs",
    "encoding",
    "hls",
    "sending",
    "chain",
    "quality",
    "start",
    "fan_out",
    "links",
    "listeners",
    "page",
    "page_cost",
    "loudness",
    "long_run 10",  # ten minutes show the growth of memory
)

for name in BENCHMARKS:
    print(f"== {name}", flush=True)
    subprocess.run([sys.executable, "-m", *f"tests.benchmarks.{name}".split()], check=True)
