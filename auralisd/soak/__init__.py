"""The daemon run against itself: real listeners, real faults, and whether the service levels held.

What is in here knows the daemon as any operator does: by its sockets, its signals, its files and what the kernel says
of its process. It imports nothing of what it judges.
"""
