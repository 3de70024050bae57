"""Synthesis: turns the score into sound. Torch, no trio, no clock, no chance but by counters."""

from auralisd.synthesis.device import ChosenDevice, available_devices, choose_device
from auralisd.synthesis.renderer import LATENCY_FRAMES, Renderer, RendererStatistics

__all__ = ["LATENCY_FRAMES", "ChosenDevice", "Renderer", "RendererStatistics", "available_devices", "choose_device"]
