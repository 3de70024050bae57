"""Compile the kernel into the directory named: ``python -m auralisd.kernel DIRECTORY``."""

import os
import sys
from pathlib import Path

from auralisd.kernel.machine_code import make
from auralisd.kernel.shelf import KernelError

if hasattr(os, "nice"):
    os.nice(19)  # music that plays meanwhile comes first
try:
    sys.stdout.write(f"{make(Path(sys.argv[1]))}\n")
except KernelError as error:
    sys.exit(str(error))
