"""ImageNet (ILSVRC 2012) in the layout that torchvision's ImageFolder wants; it doesn't fit in memory and streams."""

from pathlib import Path

from silo.data.class_folders import class_names, labelled_names, no_other_classes
from silo.data.error import DataError
from silo.data.images import Dataset
from silo.data.streamed import Loader, Streamed


def imagenet(path: str = "data/imagenet", size: int = 224, loaders: int = 4) -> Dataset:
    """train/WNID/*.JPEG, and val/WNID/*.JPEG as official test set (test/ has no labels), as RGB.

    size     pixels a side of the images in a batch, at least 1. Training: see Augment's area. Evaluation: the short side is
             scaled to size * 256 / 224, and the centre cropped
    loaders  worker processes that decode, at most one a CPU core; 0: none, this process decodes. No number depends on it.
             As any worker of multiprocessing's they import the main script, which needs its ``if __name__ == "__main__"``

    The per-channel mean and standard deviation have to be given (see Normalize). Classes in alphabetical order.
    The data set's digest knows the files by name and size in bytes alone. Raises DataError for an odd layout.
    """
    root = Path(path).expanduser()
    for name, value, least in (("size", size, 1), ("loaders", loaders, 0)):
        if value < least:
            raise DataError(f"{name}: {value}: at least {least} is allowed")
    for part in ("train", "val"):
        if not (root / part).is_dir():
            raise DataError(f"path: {path}: no folder {part}/ there; train/WNID/*.JPEG and val/WNID/*.JPEG are allowed")
    classes = class_names(root / "train")
    no_other_classes(root / "val", classes)
    loader = Loader(root, size, loaders)
    return Dataset(*(_part(root, part, classes, loader) for part in ("train", "val")), classes)


def _part(root: Path, part: str, classes: tuple[str, ...], loader: Loader) -> Streamed:
    names, labels = labelled_names(root / part, classes)
    return Streamed.of(loader, [f"{part}/{name}" for name in names], labels)
