"""Data sets by name, and rules that split them.

A source takes its own options and returns a Dataset (:mod:`silo.data.images`), or raises DataError, which says why it can't.
Your own is a function of the same kind, whose parameters are what an experiment sets; what its data set may hold says
:class:`silo.data.part.Part`.

FACTS has what is known of a source without loading it; what ``folder`` holds only its images say, and how much ``mnist1d`` has
its options.
"""

from silo.data.facts import FACTS
from silo.registry import Registry

__all__ = ["FACTS", "SOURCES", "SPLITS"]

SOURCES = Registry(
    {
        "digits": "silo.data.digits:digits",
        "mnist1d": "silo.data.mnist1d:mnist1d",
        "folder": "silo.data.folder:folder",
        "cifar10": "silo.data.cifar:cifar10",
        "cifar100": "silo.data.cifar:cifar100",
        "tiny-imagenet": "silo.data.tiny_imagenet:tiny_imagenet",
        "imagenet": "silo.data.imagenet:imagenet",
    }
)
SPLITS = Registry({name: f"silo.data.split:{name.title()}" for name in ("pooled", "carve", "draw")})
