"""The shape of one sample of a data set, as networks and data tell it each other: its channels and its size."""

Size = int | tuple[int, ...]


def sample_shape(channels: int, size: Size) -> tuple[int, ...]:
    """The shape of one sample.

    Args:
        channels: How many channels it has; of features (F,) it is F, each is a channel of its own.
        size: Pixels a side of a square image. Of another sample its other dimensions: (length,) of a signal, () of features,
            (height, width) of an image that isn't square.

    Returns:
        (channels, size, size) of a square image, else (channels, \\*size).
    """
    return (channels, size, size) if isinstance(size, int) else (channels, *size)


def size_of(shape: tuple[int, ...]) -> Size:
    """The size of samples of this shape, whose first dimension is the channels: what :func:`sample_shape` takes."""
    _, *rest = shape
    return rest[0] if len(rest) == 2 and rest[0] == rest[1] else tuple(rest)
