"""The tasks of the tree, one file each; ``supervisor.py`` shows how they hang together."""
