"""scikit-learn's handwritten digits: 1,797 real 8x8 grey images, embedded in the package."""

import torch

from silo.data.images import Dataset, Images


def digits() -> Dataset:
    """scikit-learn's digits: 1,797 images of 8x8, grey, 10 classes, without an official test set.

    Returns:
        The images in memory; the source's grey values 0..16 are kept as they are.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    pixels = torch.from_numpy(bunch.images).to(torch.uint8).unsqueeze(1)
    return Dataset(Images(pixels, torch.from_numpy(bunch.target).long()), None, tuple("0123456789"))
