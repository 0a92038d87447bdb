"""Data sets by name. A source takes its own options and returns a Dataset, or raises DataError, which says why it can't.

Your own is a function of the same kind, whose parameters are what an experiment sets.

FACTS has what is known of a source without loading it; what ``folder`` holds only its images say.
"""

from collections.abc import Callable

from silo.data.cifar import cifar10, cifar100
from silo.data.digits import digits
from silo.data.facts import FACTS
from silo.data.folder import folder
from silo.data.imagenet import imagenet
from silo.data.images import Dataset
from silo.data.tiny_imagenet import tiny_imagenet

__all__ = ["FACTS", "SOURCES", "Dataset"]

SOURCES: dict[str, Callable[..., Dataset]] = {
    "digits": digits,
    "folder": folder,
    "cifar10": cifar10,
    "cifar100": cifar100,
    "tiny-imagenet": tiny_imagenet,
    "imagenet": imagenet,
}
