"""auralisd composes, synthesises and streams endless ambient music in real time."""

__version__ = "0.1.0"
