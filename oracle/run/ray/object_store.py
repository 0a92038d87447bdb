"""The data in Ray's object store, once a node."""

import warnings
from typing import Any

import numpy as np
import torch


def put_in_object_store(dataset: Any) -> Any:
    """Put the data there and return a reference to it.

    All workers of a node read its tensors where they are, so that none may write to them.
    """
    import ray

    ray.util.register_serializer(torch.Tensor, serializer=_to_array, deserializer=_to_tensor)
    try:
        return ray.put(dataset)
    finally:
        ray.util.deregister_serializer(torch.Tensor)


def _to_array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.contiguous().numpy()


def _to_tensor(array: np.ndarray) -> torch.Tensor:
    with warnings.catch_warnings():
        # the array is read-only, and torch warns of that
        warnings.simplefilter("ignore", UserWarning)
        return torch.from_numpy(array)
