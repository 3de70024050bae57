"""A server made with the `websockets` package: every 100 ms the same packet of PCM to whoever is there.

Run by itself, for the package is none of the project's: ``uv run --no-project --with websockets python
tests/live/websockets_peer.py PORT``. It is spared compression, which audio does not take.
"""

from __future__ import annotations

import asyncio
import os
import sys

PACKET = os.urandom(32 + 17_640)
"""As ours: a header and 100 ms of 16-bit stereo at 44.1 kHz."""


async def main(port: int) -> None:
    """Serve until the process is ended."""
    from websockets.asyncio.server import ServerConnection, broadcast, serve

    listeners: set[ServerConnection] = set()

    async def listen(connection: ServerConnection) -> None:
        listeners.add(connection)
        try:
            await connection.wait_closed()
        finally:
            listeners.discard(connection)

    async with serve(listen, "127.0.0.1", port, compression=None, backlog=4096, ping_interval=None):
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            broadcast(listeners, PACKET)
            due += 0.1
            await asyncio.sleep(max(0.0, due - loop.time()))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
