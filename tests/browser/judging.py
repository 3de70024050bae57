"""A page judged by axe-core, which npm puts beside these tests on first use."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page

HERE = Path(__file__).parent
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")

JUDGE = """async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]});
  const say = (node) => `${node.target.join(" ")}: ${node.failureSummary.replaceAll("\\n", " ")}`;
  return found.violations.map((rule) => `${rule.id} (${rule.impact}): ${rule.nodes.map(say).join(" | ")}`);
}"""


def axe_source() -> str:
    """The text of axe-core, in the version and with the hash that package-lock.json names.

    Without it and without npm or a network the test is skipped, or fails where CI is set.
    """
    if not AXE.exists():
        npm = shutil.which("npm")
        done = npm and subprocess.run([npm, *INSTALL[1:]], cwd=HERE, capture_output=True, timeout=300, check=False)
        if not AXE.exists():
            sentence = f"axe-core is not here, and npm did not bring it: {done and done.stderr.decode()[-500:]}"
            if os.environ.get("CI"):
                pytest.fail(sentence)
            pytest.skip(sentence)
    return AXE.read_text()


def violations(page: Page) -> list[str]:
    """Every rule that the page breaks as it stands, best practices included, with where and why.

    Its context needs `axe_source` as an init script: the page's own policy lets nothing in later.
    """
    page.wait_for_timeout(350)  # what slides in has arrived: a colour half blended is none of the page's
    found: list[str] = page.evaluate(JUDGE)
    return found
