"""What a link to listen costs the loop: to make one, to ask at the door with a good and a forged one, to carry it on.

uv run python -m tests.benchmarks.links
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from auralisd.access import AccessPolicy, RequestFacts
from auralisd.admission import Admission
from auralisd.errors import RequestRefusedError
from auralisd.listening_links import LinkKey
from auralisd.transport.hls.playlist import SHOWN_SEGMENTS, Segment, Window, media_playlist
from auralisd.web.hls import carrying_on

TIMES = 20_000
GUEST = RequestFacts(host="radio:8000")


def microseconds(act: Callable[[], object]) -> float:
    """The mean over ``TIMES`` calls, of the process's own time."""
    began = time.process_time()
    for _ in range(TIMES):
        act()
    return 1e6 * (time.process_time() - began) / TIMES


def playlist() -> str:
    """A whole window of HLS."""
    window = Window(next_sequence=1)
    for number in range(1, SHOWN_SEGMENTS + 1):
        segment = Segment(sequence=number, starts_unix_seconds=0.0, discontinuity=False, header=1, seconds={"aac": 2.0})
        window = window.with_segment(segment)
    return media_playlist(window, "aac")


def main() -> None:
    """Print one line each."""
    policy = AccessPolicy(token="of-the-house", bind_is_loopback=False)
    key = LinkKey("a-key-of-thirty-two-characters-or-more")
    door = Admission(policy, key=key, monotonic_seconds=time.monotonic)
    grant = door.grant("main")
    token = key.token(grant)
    forged = token[:-1] + ("A" if token[-1] != "A" else "E")
    shown = playlist()

    def knock(link: str) -> None:
        with suppress(RequestRefusedError):
            door.check(GUEST, client="guest", station="main", form="mp3", link=link)

    for what, act in (
        ("make", lambda: key.token(grant)),
        ("ask with a good one", lambda: knock(token)),
        ("ask with a forged one", lambda: knock(forged)),
        (f"carry on through a playlist of {SHOWN_SEGMENTS} segments", lambda: carrying_on(shown, token)),
    ):
        print(f"{what:<44}{microseconds(act):6.1f} us")


if __name__ == "__main__":
    main()
