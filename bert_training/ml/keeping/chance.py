"""The state of chance on the CPU and on the training's own device, so that something can be tried and taken back."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Chance:
    """What the next random numbers of torch will be. device_state: None on a CPU."""

    device: torch.device
    cpu_state: torch.Tensor
    device_state: torch.Tensor | None

    @classmethod
    def now(cls, device: torch.device) -> "Chance":
        """Remember it; costs microseconds, and no wait for the device."""
        own = None
        if device.type == "cuda":
            own = torch.cuda.get_rng_state(device)
        elif device.type == "mps":
            own = torch.mps.get_rng_state()
        return cls(device, torch.get_rng_state(), own)

    def restore(self) -> None:
        """Let the same random numbers come again."""
        torch.set_rng_state(self.cpu_state)
        if self.device_state is None:
            return
        if self.device.type == "mps":
            torch.mps.set_rng_state(self.device_state)
        else:
            torch.cuda.set_rng_state(self.device_state, self.device)
