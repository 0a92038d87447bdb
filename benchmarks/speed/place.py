"""Where it is measured: device, cores, versions."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from benchmarks.speed.process import cores


def place(device: torch.device) -> dict[str, str]:
    """What a row says of where it was measured."""
    gpu = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if gpu else f"{_cpu()}, {torch.backends.cpu.get_cpu_capability()}",
        "cores": str(cores()),
        "python": platform.python_version(),
        **{name: _version(name) for name in ("torch", "torchvision", "numpy", "ray")},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # only the sweep needs Ray
        return "none"


def _cpu() -> str:
    """The processor's name, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
