"""Autobahn's WebSocket test suite against the door's own WebSockets, which for once echo what they are told."""

import json

import pytest
import trio
from trio_websocket import ConnectionClosed

from auralisd.edge import ws_audio, ws_messages, ws_stream
from tests.live.autobahn import wstest

pytestmark = pytest.mark.realtime

GOOD = {"OK", "NON-STRICT", "INFORMATIONAL"}
LEFT_OUT = {
    "9.*": "messages of up to 16 MB; the daemon takes 4 KiB",
    "12.*": "compression, which the daemon never agrees to",
    "13.*": "the same",
}
MOST_SECONDS = 400


@pytest.fixture
async def echo(monkeypatch, open_house):
    """A house in which every WebSocket echoes, whatever its budget; all else is as it is."""

    async def answer(self, websocket):
        try:
            while True:
                await websocket.send_message(await websocket.get_message())
        except (ConnectionClosed, trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    monkeypatch.setattr(ws_audio._Connection, "_answer_messages", answer)
    monkeypatch.setattr(ws_messages, "MAX_MESSAGE_BYTES", 2**24)
    monkeypatch.setattr(ws_stream, "FRAMES_PER_SECOND", 1e9)
    monkeypatch.setattr(ws_stream, "BYTES_PER_MINUTE", 1e12)
    return await open_house()


@pytest.fixture(scope="module")
def program():
    """The suite's program; installed, or the test is skipped, before any loop turns."""
    return wstest()


async def test_the_websockets_pass_autobahns_suite(program, echo, tmp_path):
    specification = {
        "outdir": str(tmp_path),
        "servers": [{"agent": "auralisd", "url": f"ws://127.0.0.1:{echo.port}/ws/stream"}],
        "cases": ["*"],
        "exclude-cases": list(LEFT_OUT),
        "exclude-agent-cases": {},
    }
    (tmp_path / "specification.json").write_text(json.dumps(specification))
    command = [program, "--mode", "fuzzingclient", "--spec", str(tmp_path / "specification.json")]
    with trio.fail_after(MOST_SECONDS):
        await trio.run_process(command, capture_stdout=True, capture_stderr=True, cwd=tmp_path)
    found = json.loads((tmp_path / "index.json").read_text())["auralisd"]
    bad = {case: each for case, each in found.items() if not {each["behavior"], each["behaviorClose"]} <= GOOD}
    print(f"{len(found)} cases, {sum(each['behavior'] == 'OK' for each in found.values())} strictly")
    assert len(found) > 200
    assert bad == {}
