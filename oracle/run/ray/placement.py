"""The data in Ray's object store, once a node."""

import warnings
from typing import Any

import numpy as np
import torch


def placed(dataset: Any) -> Any:
    """A reference to the data: all workers of a node read its tensors where they lie, so that none may write to them."""
    import ray

    ray.util.register_serializer(torch.Tensor, serializer=_array, deserializer=_tensor)
    try:
        return ray.put(dataset)
    finally:
        ray.util.deregister_serializer(torch.Tensor)


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.contiguous().numpy()


def _tensor(array: np.ndarray) -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a tensor on an array that is read-only
        return torch.from_numpy(array)
