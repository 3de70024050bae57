from __future__ import annotations

import av
import numpy as np
import pytest

from auralisd.synthesis import make_bed
from auralisd.units import SAMPLE_RATE_HZ


@pytest.fixture(scope="module", name="short_loop")
def short_loop_fixture():
    with pytest.MonkeyPatch.context() as shortened:
        for name, seconds in (("LOOP_SECONDS", 2), ("CROSSFADE_SECONDS", 1), ("_LEAD_IN_SECONDS", 2)):
            shortened.setattr(make_bed, name, seconds)
        return make_bed.loop()


def test_the_bed_loops_without_a_seam(short_loop):
    around = np.concatenate((short_loop[:, -500:], short_loop[:, :500]), axis=1)
    steps = np.abs(np.diff(around, n=2, axis=1))
    assert steps[:, 495:503].max() <= 1.5 * steps.max(axis=1).min()
    assert np.sqrt((short_loop**2).mean()) > 0.01


def test_the_bed_is_written_as_opus_of_the_same_length(short_loop, tmp_path):
    path = tmp_path / "bed.opus"
    make_bed.write_opus(str(path), short_loop)
    with av.open(str(path)) as container:
        assert container.streams.audio[0].codec_context.name in {"opus", "libopus"}
        frames = sum(frame.samples for frame in container.decode(audio=0))
    assert frames / 48_000 == pytest.approx(short_loop.shape[1] / SAMPLE_RATE_HZ, abs=0.025)
