"""The page's pure logic, run by node's own test runner: one test here per file there."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NODE_TESTS = sorted(HERE.glob("*.test.mjs"))


@pytest.fixture(scope="module")
def node() -> str:
    """The node to run; without one the tests are skipped, or fail where CI is set."""
    found = shutil.which("node")
    if found is None:
        sentence = "node is not installed here, so the page's logic cannot be run"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return found


def test_there_are_tests_of_the_page_to_run() -> None:
    assert NODE_TESTS


@pytest.mark.parametrize("file", NODE_TESTS, ids=lambda path: path.name.removesuffix(".test.mjs"))
def test_the_page_logic_holds(node: str, file: Path) -> None:
    done = subprocess.run([node, "--test", str(file)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
