"""ImageNet (ILSVRC 2012) in the layout that torchvision's ImageFolder wants; it doesn't fit in memory and streams."""

import os
from pathlib import Path

from silo.data.class_folders import class_names, labelled_names, left_out, no_other_classes
from silo.data.decode import check_size
from silo.data.error import DataError
from silo.data.images import Dataset
from silo.data.streamed import Loader, Streamed


def imagenet(path: str = "data/imagenet", size: int = 224, loaders: int = 4) -> Dataset:
    """ImageNet: about 1.28 million training images and 50,000 official test images, RGB, 1000 classes in alphabetical order.

    The per-channel mean and standard deviation have to be given (see Normalize). The data set's digest knows the files by name
    and size in bytes alone.

    Args:
        path: The folder that holds train/WNID/*.JPEG, and val/WNID/*.JPEG, the test set (its own test/ has no labels).
        size: Pixels a side of the images in a batch, 1 to 4096. Training: see Augment's area. Evaluation: the short side is
            scaled to size * 256 / 224, and the centre cropped.
        loaders: Worker processes that decode, at most one a CPU core; with 0 this process decodes. No number depends on it. As
            any worker of multiprocessing's they import the main script, which needs its ``if __name__ == "__main__"``.

    Returns:
        Images that stream from their files.

    Raises:
        DataError: For another size or number of loaders, a missing folder, or an odd layout.
    """
    root = Path(path).expanduser()
    check_size(size)
    if loaders < 0:
        raise DataError(f"loaders must be at least 0, got {loaders}")
    if not root.is_dir():
        raise DataError(
            f"path must be an existing folder with train/WNID/*.JPEG and val/WNID/*.JPEG, got {str(path)!r}"
        )
    for part in ("train", "val"):
        if not (root / part).is_dir():
            raise DataError(f"path must hold train/WNID/*.JPEG and val/WNID/*.JPEG, got {str(path)!r} without {part}/")
    classes = class_names(root / "train")
    no_other_classes(root / "val", classes)
    loader = Loader(root, size, loaders)
    parts = [_part(root, part, classes, loader) for part in ("train", "val")]
    read = {os.fsdecode(name) for part in parts for name in part.names}
    return Dataset(*parts, classes, left_out(root, [root / "train", root / "val"], read, ("train", "val")))


def _part(root: Path, part: str, classes: tuple[str, ...], loader: Loader) -> Streamed:
    names, labels = labelled_names(root / part, classes)
    return Streamed.of(loader, [f"{part}/{name}" for name in names], labels)
