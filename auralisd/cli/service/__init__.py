"""The daemon as a systemd service of this machine: what is written for it, where, and how it is taken away again."""
