"""MNIST-1D's signals, drawn from a seed: written anew from the published generator, whose numbers these are.

A digit's template (12 values) is padded with 36 to 60 zeros and stretched to 72 values, scaled by 0.8 to 1.2, and rolled by 0
to 47 places. Where it is zero smooth noise is put in its place (0.25 sd, a Gaussian filter of 2 places), everywhere 0.02 sd of
white noise is added; then it is sheared by up to 0.375 of a ramp from -0.5 to 0.5, and resampled to 40 values.

The draws are numpy's legacy generator's in the package's order, so that a seed gives the package's samples, but for rounding
and for the package's standardization by the mean and deviation of all its samples.

Source: Greydanus and Kobak, ICML 2024, arXiv 2011.14439, section 2; the package's defaults.
"""

import math

import numpy as np

from silo.data.mnist1d_templates import TEMPLATES

CLASSES, LENGTH = len(TEMPLATES), 40
TEMPLATE, LEAST_PADDING, MOST_PADDING = 12, 36, 60
DILATED = TEMPLATE + MOST_PADDING
SCALE, MOST_SHIFT, SHEAR = 0.4, 48, 0.75
SMOOTH_NOISE, SIGMA, RADIUS, WHITE_NOISE = 0.25, 2, 8, 0.02
NOT_ZERO = 1e-8  # added to templates: exact zeros are padding, in whose place noise is put
CHUNK = 10_000  # samples that are worked on at once


def draw(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw so many samples of all digits in equal numbers; where 10 is no divisor, the first digits have one more.

    Args:
        count: How many, at least 1.
        seed: From 0 to 2**32 - 1.

    Returns:
        Signals, float32 (count, 40), in random order, and their digits, int64 (count).
    """
    random = np.random.RandomState(seed)
    digits = np.repeat(np.arange(CLASSES), [count // CLASSES + (digit < count % CLASSES) for digit in range(CLASSES)])
    chunks = [_signals(chunk, random) for chunk in np.split(digits, range(CHUNK, count, CHUNK))]
    order = random.permutation(count)
    return np.concatenate(chunks).astype(np.float32)[order], digits[order].astype(np.int64)


def templates() -> np.ndarray:
    """The digits' templates, each of standard deviation 1/6 and from 0 on: (10, 12)."""
    values = np.array(TEMPLATES)
    values -= values.mean(1, keepdims=True)
    values /= values.std(1, keepdims=True)
    return (values - values[:, :1]) / 6


def _signals(digits: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    """A signal of each of these digits, float64 (n, 40)."""
    padding, scale, shift, shear = (np.empty(len(digits)) for _ in range(4))
    normal = np.empty((len(digits), 2, DILATED))
    for n in range(len(digits)):  # in the package's order, sample by sample
        padding[n], scale[n], shift[n] = random.random_sample(), random.random_sample(), random.randint(MOST_SHIFT)
        normal[n] = random.standard_normal((2, DILATED))
        shear[n] = random.random_sample()
    zeros = (padding * (MOST_PADDING - LEAST_PADDING + 1)).astype(int)
    values = _dilated()[digits, zeros] * (1 + SCALE * (scale - 0.5))[:, None]
    places = (np.arange(DILATED) - shift[:, None].astype(int)) % DILATED
    values = np.take_along_axis(values, places, 1)
    values = np.where(values != 0, values, _smooth(SMOOTH_NOISE * normal[:, 0])) + WHITE_NOISE * normal[:, 1]
    values -= (SHEAR * (shear - 0.5))[:, None] * np.linspace(-0.5, 0.5, DILATED)
    return _resampled(values)


def _dilated() -> np.ndarray:
    """Every template with every padding, stretched to one length: (10, 25, 72)."""
    new = np.linspace(0, 1, DILATED)
    padded = [
        [np.append(template + NOT_ZERO, np.zeros(zeros)) for zeros in range(LEAST_PADDING, MOST_PADDING + 1)]
        for template in templates()
    ]
    return np.array([[np.interp(new, np.linspace(0, 1, len(x)), x) for x in of_digit] for of_digit in padded])


def _smooth(noise: np.ndarray) -> np.ndarray:
    """A Gaussian filter over each row, which goes on mirrored beyond its ends."""
    weights = [math.exp(-0.5 * (distance / SIGMA) ** 2) for distance in range(RADIUS + 1)]
    total = weights[0] + 2 * sum(weights[1:])
    wide, length = np.pad(noise, ((0, 0), (RADIUS, RADIUS)), "symmetric"), noise.shape[1]
    smooth = noise * (weights[0] / total)
    for distance in range(RADIUS, 0, -1):
        left, right = (wide[:, RADIUS + by : RADIUS + by + length] for by in (-distance, distance))
        smooth += (left + right) * (weights[distance] / total)
    return smooth


def _resampled(values: np.ndarray) -> np.ndarray:
    """Each row at 40 places, linearly between its own."""
    old, new = np.linspace(0, 1, DILATED), np.linspace(0, 1, LENGTH)
    left = np.minimum(np.searchsorted(old, new, "right") - 1, DILATED - 2)
    slope = (values[:, left + 1] - values[:, left]) / (old[left + 1] - old[left])
    return slope * (new - old[left]) + values[:, left]
