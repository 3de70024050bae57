"""The pictures of the documents and the page's icons, drawn afresh: ``uv run python -m tests.pictures [NAME ...]``."""

from __future__ import annotations

import argparse

from tests.pictures import (
    control_lanes,
    motif_returns,
    page_icons,
    patch_sheet,
    piano_roll,
    region_map,
    sound_of_a_minute,
)

PICTURES = {
    "piano-roll": piano_roll.draw,
    "regions": region_map.draw,
    "motifs": motif_returns.draw,
    "controls": control_lanes.draw,
    "sound": sound_of_a_minute.draw,
    "patches": patch_sheet.draw,
    "icons": page_icons.draw,
}


def main() -> None:
    """Draw what is asked for, and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PICTURES))
    asked = parser.parse_args().names or list(PICTURES)
    if unknown := set(asked) - set(PICTURES):
        parser.error(f"no such picture: {', '.join(sorted(unknown))}; there are {', '.join(PICTURES)}")
    for name in asked:
        path = PICTURES[name]()
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
