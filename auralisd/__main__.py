"""``python -m auralisd`` is the same program as the ``auralisd`` command."""

from auralisd.cli import main

main()
