"""A network of an experiment's file, built without its data: its options are checked, and what may be pruned of it."""

from typing import TYPE_CHECKING

from oracle.experiment.component import Component
from oracle.experiment.message import InnerFieldError, shown

if TYPE_CHECKING:
    from torch import nn

# channels and size of an image, a signal, features, an image that isn't square, a volume
EXAMPLES = ((3, 32), (3, (32,)), (32, ()), (3, (32, 48)), (3, (32, 32, 32)))


def example_network(model: Component) -> "nn.Module | None":
    """Build a network without making a weight, which checks its options: the data it will have isn't known here.

    It is tried for square images and, where it takes none, for samples of other shapes.

    Returns:
        The network on the meta device; None where it takes none of these samples, for which its options are not to blame.

    Raises:
        InnerFieldError: An option is refused.
        ValueError: It can't be built for another reason.
    """
    import torch  # here: what is recorded is read without

    errors = []
    for channels, size in EXAMPLES:
        try:
            with torch.device("meta"):
                return model._make_once(channels, size, 10)
        except ValueError as error:
            errors.append(error)
        except (RuntimeError, TypeError, OverflowError) as error:  # torch's, for a size it can't make
            options = shown({name: getattr(model, name) for name in model.options})
            refused = ValueError(f"must be of sizes that torch can build, got {options}")
            refused.__cause__ = error
            errors.append(refused)
    others = [error for error in errors if not str(error).startswith(("channels must ", "size must "))]
    if others:
        of_options = (error for error in others if isinstance(error, InnerFieldError) and error.name in model.options)
        raise next(of_options, others[0])
    return None
