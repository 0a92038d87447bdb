"""What several of silo's tests need: real data in small splits, a network by name and seed, and calm global state."""

from collections.abc import Callable, Iterator

import pytest
import torch
from hypothesis import settings
from torch import nn

from silo.criterion import magnitude
from silo.cycle import Problem
from silo.data.digits import digits
from silo.data.images import Dataset, Images
from silo.data.normalize import Normalize
from silo.data.split import Pooled, Split, limited, split
from silo.mask import Mask, prunable_weights
from silo.model import MODELS
from silo.pruning_rule import Pruning
from silo.randomness import Purpose, seeded
from silo.recipe import Recipe
from silo.restart import Reinit
from silo.shape import Constant

settings.register_profile("silo", deadline=None, max_examples=100)  # a busy machine's slowness is no failure
settings.load_profile("silo")

SMALL = {"mlp": {"hidden": (30, 20)}, "small-cnn": {"width": 4}}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tests beside each other shall not fight for cores, and none may change another's numbers."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def digits_data() -> Dataset:
    return digits()


@pytest.fixture(scope="session")
def digits_split(digits_data) -> Split:
    """All 1,797 digits: 1,079 train, in 17 batches of 64, the last of 55."""
    return split(digits_data, Pooled(), Normalize(), 0)


@pytest.fixture(scope="session")
def few_digits(digits_data) -> Split:
    """250 digits: 150 train, in 3 batches of 64, the last of 22."""
    return split(limited(digits_data, 250, None), Pooled(), Normalize(), 0)


@pytest.fixture(scope="session")
def coloured(few_digits) -> Callable[..., Split]:
    """A few digits to train on, to validate and to test, of 3 channels and any multiple of 8 as their size."""

    def of_size(size: int, images: int = 4) -> Split:
        def part(images: Images, count: int) -> Images:
            pixels = images.pixels[:count].repeat_interleave(size // 8, 2).repeat_interleave(size // 8, 3)
            return Images(torch.cat([pixels, 255 - pixels, pixels // 2], 1), images.labels[:count])

        sources = (few_digits.train, few_digits.validation, few_digits.test)
        parts = [part(source, images) for source in sources]
        return Split(*parts, *Normalize().constants(parts[0]))

    return of_size


@pytest.fixture(scope="session")
def build() -> Callable[..., nn.Module]:
    """A small network for digits, its weights drawn from the seed."""

    def make(name: str = "mlp", seed: int = 0) -> nn.Module:
        with seeded(seed, Purpose.INITIALIZATION):
            return MODELS[name](1, 8, 10, **SMALL[name])

    return make


@pytest.fixture(scope="session")
def half() -> Callable[[nn.Module], Mask]:
    """A mask under which about half of every layer is alive."""

    def make(model: nn.Module) -> Mask:
        random = torch.Generator().manual_seed(0)
        weights = prunable_weights(model, norm=True, first=True, head=True)
        return Mask({name: torch.rand(w.shape, generator=random) < 0.5 for name, w in weights.items()})

    return make


@pytest.fixture(scope="session")
def problem(few_digits) -> Callable[..., tuple[Problem, list[nn.Module]]]:
    """A small problem on digits, and the list of networks that its cycles build: they are trained in place."""

    def make(name: str = "mlp", **changes) -> tuple[Problem, list[nn.Module]]:
        built = []

        def network() -> nn.Module:
            built.append(MODELS[name](1, 8, 10, **SMALL[name]))
            return built[-1]

        parts = {
            "build": network,
            "data": lambda seed: few_digits,
            "recipe": Recipe(epochs=2, batch_size=64, momentum=0.9, weight_decay=5e-4, shape=Constant()),
            "pruning": Pruning(magnitude, "global", 0.2, norm=True, first=True, head=True),
            "restart": Reinit(),
        }
        return Problem(**(parts | changes)), built

    return make
