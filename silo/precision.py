"""The arithmetic that a training computes in, the same whatever the caller has set."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from silo.randomness import forked
from silo.recipe import PRECISIONS

# How networks and images lie in memory, by device and precision: it changes no shape, and no result but rounding. channels_last
# but for fp32 on a GPU, where cuDNN's kernels are slower for it: results/speed has how much.
LAYOUTS = {(device, precision): torch.channels_last for device in ("cpu", "cuda") for precision in PRECISIONS}
LAYOUTS["cuda", "fp32"] = torch.contiguous_format


def layout(device: torch.device, precision: str) -> torch.memory_format:
    """How networks and images lie in memory on a device, in fp32, tf32 or bf16."""
    return LAYOUTS.get((device.type, precision), torch.channels_last)


def placed(model: nn.Module, device: torch.device, precision: str) -> nn.Module:
    """The network, moved in place to a device, where its convolutions of images lie as :func:`layout` says."""
    if any(tensor.dim() == 5 for tensor in (*model.parameters(), *model.buffers())):
        return model.to(device)  # torch would lay these out, too, and can't
    return model.to(device, memory_format=layout(device, precision))


@contextmanager
def reproducible(precision: str = "fp32") -> Iterator[None]:
    """Compute on one thread and by deterministic kernels inside the block; the caller's settings and random state come back.

    Args:
        precision: fp32, tf32 or bf16 (see :data:`silo.recipe.PRECISIONS`). bf16 is not set here but by :func:`computing`.
    """
    backends = torch.backends
    rounded = "tf32" if precision == "tf32" else "ieee"
    cuda_kernels = [backends.cuda.matmul, backends.cudnn.conv]
    cpu_kernels = [backends.mkldnn.matmul, backends.mkldnn.conv]
    settings = [(backends.cudnn, "benchmark", False), (backends.cudnn, "deterministic", True)]
    settings += [(kernels, "fp32_precision", rounded) for kernels in cuda_kernels]
    settings += [(kernels, "fp32_precision", "ieee") for kernels in cpu_kernels]
    before = [(where, name, getattr(where, name)) for where, name, _ in settings]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for where, name, value in settings:
        setattr(where, name, value)
    try:
        with forked():
            yield
    finally:
        torch.set_num_threads(threads)
        for where, name, value in before:
            setattr(where, name, value)


def computing(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """The context that a network's forward pass and its loss are computed in, on this device and in this precision."""
    contexts: list[AbstractContextManager[object]] = []
    if precision == "bf16" or torch.is_autocast_enabled(device.type):
        # without the cache of cast weights, which a CUDA graph can't hold; every weight is used once a pass anyhow
        autocast = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16", cache_enabled=False)
        contexts.append(autocast)
    if device.type == "cuda":
        contexts.append(sdpa_kernel(SDPBackend.MATH))  # attention's fused kernels add gradients up in no fixed order
    return _all(contexts) if contexts else nullcontext()  # a percent of a tiny network's step is saved


@contextmanager
def _all(contexts: list[AbstractContextManager[object]]) -> Iterator[None]:
    with ExitStack() as entered:
        for context in contexts:
            entered.enter_context(context)
        yield
