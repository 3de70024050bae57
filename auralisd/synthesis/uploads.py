"""What the host computes, on its way to the device, without waiting for it to arrive."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

import numpy.typing as npt
import torch

_HELD: Final = 32
"""Sources kept until they have surely been read: more than any part sends in a chunk, and each chunk ends with a copy
back, which waits for all that came before."""


class Uploads:
    """The way to one device for one part of a renderer.

    An ordinary copy to a GPU waits until all work handed over before is done; these do not. Each source is kept alive
    meanwhile, which MPS needs (it reads the host's own memory). On the CPU nothing is copied or kept.
    """

    def __init__(self, device: torch.device) -> None:
        """Nothing under way."""
        self.device = device
        self._held: deque[torch.Tensor] = deque(maxlen=_HELD)

    def __call__(self, source: npt.NDArray[Any] | torch.Tensor) -> torch.Tensor:
        """``source`` on the device; it must not change afterwards."""
        tensor = source if isinstance(source, torch.Tensor) else torch.from_numpy(source)
        if self.device.type == "cpu":
            return tensor
        self._held.append(tensor)
        return tensor.to(self.device, non_blocking=True)
