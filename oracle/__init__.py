"""The study around SILO: experiments, the sweep over max_lr at every pruning cycle, and what it says.

In Python and notebooks (oracle/README.md): ``load_experiment``, ``load_levels``, ``run`` and ``load_results``. To import this
package takes no time: each of them is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oracle.error import InputError, SweepError
    from oracle.experiment.factors import load_levels
    from oracle.experiment.load import load as load_experiment
    from oracle.interface.results import load_results

__all__ = ["InputError", "SweepError", "load_experiment", "load_levels", "load_results", "run"]

# the module that holds each name, and what it is called there
_HELD_BY = {
    "InputError": ("oracle.error", "InputError"),
    "SweepError": ("oracle.error", "SweepError"),
    "load_experiment": ("oracle.experiment.load", "load"),
    "load_levels": ("oracle.experiment.factors", "load_levels"),
    "load_results": ("oracle.interface.results", "load_results"),
}


def __getattr__(name: str) -> Any:
    """A public name, imported when it is first used (PEP 562)."""
    if name == "run":  # a package that can be called
        return import_module("oracle.run")
    if name not in _HELD_BY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, held = _HELD_BY[name]
    return getattr(import_module(module), held)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
