"""How the program gets to where a service can reach it."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import auralisd
from auralisd.kernel.machine_code import can_compile

HOME: Final = "/opt/auralisd"
PYTHONS: Final = "/opt/auralisd-python"


def recipe(words: Sequence[str]) -> str:
    """The commands, for a person to copy.

    Args:
        words: what to say to the program when it is there.
    """
    source = shlex.quote(what_to_install() + ("[kernel]" if can_compile() else ""))
    uv = shlex.quote(shutil.which("uv") or "uv")
    again = shlex.join([f"{HOME}/bin/auralisd", *words])
    return f"""\
Put it to {HOME}, with a Python of its own:

    sudo UV_PYTHON_INSTALL_DIR={PYTHONS} {uv} venv --managed-python --python 3.12 {HOME}
    sudo {uv} pip install --compile-bytecode --python {HOME}/bin/python {source}

or, where the system has Python 3.12 or later itself:

    sudo python3 -m venv {HOME}
    sudo {HOME}/bin/pip install {source}

and then

    sudo {again}"""


def what_to_install() -> str:
    """The wheel or the checkout that this program came from, as far as that is known, else its name."""
    try:
        told = distribution("auralisd").read_text("direct_url.json")
        url = urlsplit(json.loads(told or "{}").get("url", ""))
    except (PackageNotFoundError, ValueError):
        url = urlsplit("")
    if url.scheme == "file" and Path(unquote(url.path)).exists():
        return unquote(url.path)
    checkout = Path(auralisd.__file__).parents[1]
    if (checkout / "pyproject.toml").is_file():
        return str(checkout)
    return f"auralisd=={auralisd.__version__}"
