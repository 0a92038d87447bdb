"""Data sets by name. A source takes its own options and returns a Dataset; DataError says in one line why it can't."""

from collections.abc import Callable

from silo.data.cifar10 import cifar10
from silo.data.digits import digits
from silo.data.folder import folder
from silo.data.images import Dataset

SOURCES: dict[str, Callable[..., Dataset]] = {"digits": digits, "folder": folder, "cifar10": cifar10}
