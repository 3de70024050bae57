"""The ``auralisd`` command: one file per subcommand, each importing what it needs when it runs."""

from auralisd.cli.program import main

__all__ = ["main"]
