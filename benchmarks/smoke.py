"""A handful of generated images that stand in for each data set of paper/: a smoke run of its files needs no other data.

``python -m benchmarks.smoke data/smoke`` writes them; the head of each file in paper/ says what to run then.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("n01", "n02")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the images, the same each time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where to; it is made where it is missing")
    write(parser.parse_args(arguments).folder)


def write(root: Path) -> None:
    """Write folder/ (for CIFAR), tiny-imagenet/ and imagenet/ below a folder, of 14 to 18 images each."""
    random = np.random.default_rng(0)
    image_folder(root / "folder", random)
    tiny_imagenet(root / "tiny-imagenet", random)
    imagenet(root / "imagenet", random)


def image_folder(root: Path, random: np.random.Generator) -> None:
    """Write train/CLASS/*.png and test/CLASS/*.png of 32x32, as the source ``folder`` reads them.

    CIFAR's archive has its checksum, so that nothing else can stand in for it.
    """
    for part, count in (("train", 5), ("test", 2)):
        for label, name in enumerate(CLASSES):
            for number in range(count):
                _paint(root / part / name / f"{number}.png", random, (32, 32), label)


def tiny_imagenet(root: Path, random: np.random.Generator) -> None:
    """Write the layout of Tiny ImageNet's archive; its images are 64x64."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "wnids.txt").write_text("\n".join(CLASSES))
    annotations = []
    for label, name in enumerate(CLASSES):
        for number in range(6):
            _paint(root / "train" / name / "images" / f"{name}_{number}.JPEG", random, (64, 64), label)
        _paint(root / "val/images" / f"val_{label}.JPEG", random, (64, 64), label)
        annotations.append(f"val_{label}.JPEG\t{name}\t0\t0\t63\t63\n")
    (root / "val/val_annotations.txt").write_text("".join(annotations))


def imagenet(root: Path, random: np.random.Generator) -> None:
    """Write ImageNet's own layout, of odd sizes, to be read as 32x32 (``data.size``)."""
    for part, count in (("train", 7), ("val", 2)):
        for label, name in enumerate(CLASSES):
            for number in range(count):
                _paint(root / part / name / f"{number}.JPEG", random, (40, 48 - number), label)


def _paint(file: Path, random: np.random.Generator, size: tuple[int, int], label: int) -> None:
    """Write a noisy image, brighter in one colour by its label."""
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = random.integers(0, 128, (*size, 3), dtype=np.uint8)
    pixels[:, :, label] += 100
    Image.fromarray(pixels).save(file)


if __name__ == "__main__":
    main()
