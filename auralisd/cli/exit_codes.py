"""What the command's exit status means, after sysexits.h."""

from __future__ import annotations

from typing import Final

EXIT_OK: Final = 0
EXIT_RULE_BROKEN: Final = 1  # of audit and soak: something was judged, and a rule or a level does not hold
EXIT_USAGE: Final = 64
EXIT_INTERNAL: Final = 70
EXIT_CONFIGURATION: Final = 78
EXIT_INTERRUPTED: Final = 130  # 128 + SIGINT, what shells expect of Ctrl-C
EXIT_BROKEN_PIPE: Final = 141  # 128 + SIGPIPE
