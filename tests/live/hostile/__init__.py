"""What no client should do to the daemon, one connection at a time, and a witness who listens meanwhile."""
