"""What is known of each source without loading it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    """What is known of a source.

    Attributes:
        train: How many training images it has.
        test: How many official test images; None where it has no test set.
        classes: How many classes.
        channels: 1 for grey, 3 for red, green, blue.
        size: Pixels a side; None where the source's option of that name says.
    """

    train: int
    test: int | None
    classes: int
    channels: int
    size: int | None


FACTS: dict[str, Facts] = {
    "digits": Facts(1797, None, classes=10, channels=1, size=8),
    "cifar10": Facts(50_000, 10_000, classes=10, channels=3, size=32),
    "cifar100": Facts(50_000, 10_000, classes=100, channels=3, size=32),
    "tiny-imagenet": Facts(100_000, 10_000, classes=200, channels=3, size=64),
    "imagenet": Facts(1_281_167, 50_000, classes=1000, channels=3, size=None),
}
