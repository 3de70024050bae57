from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralisd.synthesis.grid import SEGMENT_FRAMES, SPAN_FRAMES, chunks


@given(st.integers(0, 10**9), st.integers(1, 200))
def test_chunks_are_whole_segments_inside_one_span_and_leave_nothing_out(start, segments):
    begin, frames = start * SEGMENT_FRAMES, segments * SEGMENT_FRAMES
    cut = list(chunks(begin, frames))
    assert cut[0].start == begin
    assert cut[-1].end == begin + frames
    assert all(before.end == after.start for before, after in pairwise(cut))
    for chunk in cut:
        assert chunk.frames % SEGMENT_FRAMES == 0
        assert chunk.start // SPAN_FRAMES == (chunk.end - 1) // SPAN_FRAMES
        assert chunk.completes_span == (chunk.end % SPAN_FRAMES == 0)


@pytest.mark.parametrize(("start", "frames"), [(1, 63), (63, 64), (0, 0), (-63, 63)])
def test_what_does_not_fit_the_grid_is_refused(start, frames):
    with pytest.raises(ValueError, match="multiples of 63"):
        list(chunks(start, frames))
