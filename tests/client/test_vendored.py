"""What the page borrows from others is what they published."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "vendor"
VENDORED = Path(__file__).parents[2] / "client" / "vendor" / "opus-decoder"


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def test_libopus_is_the_one_of_the_package_that_is_named(tmp_path: Path) -> None:
    npm, node = shutil.which("npm"), shutil.which("node")
    for name in ("package.json", "package-lock.json", "extract.mjs"):
        shutil.copy(SOURCE / name, tmp_path)
    done = npm and run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=tmp_path)
    if node is None or not (tmp_path / "node_modules").is_dir():
        sentence = f"npm did not bring opus-decoder: {done and done.stderr[-500:]}"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    extracted = run(node, "extract.mjs", "opus.wasm", cwd=tmp_path)
    assert extracted.returncode == 0, extracted.stderr
    assert (tmp_path / "opus.wasm").read_bytes() == (VENDORED / "opus.wasm").read_bytes()


def test_its_licences_lie_beside_it() -> None:
    licences = (VENDORED / "LICENSE.txt").read_text()
    for holder in ("Ethan Halsall", "Xiph.Org"):
        assert holder in licences
