"""Carries sound to ears: codecs and packets, the broadcast to every listener, the clock that paces it."""
