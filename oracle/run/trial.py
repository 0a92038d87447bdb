"""One step of the network, its evaluation and its criterion, before anything trains: what fails here would always fail."""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn import functional

from oracle.error import FieldError
from oracle.experiment.import_path import ImportPath, target_of
from oracle.experiment.spec import Experiment
from oracle.run.failure_reason import reason_of
from oracle.run.problem import initialize
from oracle.study.data import image_shape, network
from oracle.study.study import Study
from silo.criterion import LayerInputs
from silo.data.samples import Samples
from silo.data.split import Split
from silo.evaluation import accuracy, batch_size, gradients
from silo.mask import Mask
from silo.precision import computing, placed, reproducible
from silo.pruning_rule import CRITERIA
from silo.randomness import Purpose, generator, seeded
from silo.restart import Weights
from silo.sample_shape import Size, sample_shape

# of a network that a CPU steps on within about a second: its weights, and those times the pixels of the batch
MOST_WEIGHTS, MOST_WORK = 2 * 10**6, 3 * 10**10
CPU, META = torch.device("cpu"), torch.device("meta")


def check_training(study: Study) -> None:
    """Take one step of the network on a batch of the size that an epoch ends with, evaluate it, and score its weights.

    It is done on noise and on this machine's CPU. Of a network too large for a quick step only the shapes are computed. What
    can't be known so (a network that calls for a GPU, images of a size that isn't known) isn't refused, and nothing is tried
    where a training is recorded.

    Raises:
        FieldError: where one of these fails, with its own error, or this machine's memory doesn't hold the weights.
    """
    experiment, data = study.experiment, study.data
    shape = image_shape(experiment, study.dataset)
    if shape is None or study.store.recorded():
        return
    last = experiment.recipe.batch_sizes(data.training_images)[-1]
    with seeded(experiment.oracle.seeds[0], Purpose.TRIAL), reproducible(experiment.train.precision):
        with META:
            model = network(experiment, *shape)
        weights = sum(weight.numel() for weight in model.parameters())
        _check_memory(weights)
        if weights > MOST_WEIGHTS or weights * last * math.prod(sample_shape(1, shape[1])) > MOST_WORK:
            _check_shapes(experiment, model, _batch(shape, last, META), data.training_images)
        else:
            counts = {_last_evaluated(count, *shape) for count in (data.validation_images, data.test_images)}
            evaluated = [_batch(shape, count) for count in sorted(counts)]
            _check_whole(experiment, network(experiment, *shape), _batch(shape, last), evaluated, data.training_images)
    _check_rates(experiment, data.training_images)


def _check_memory(weights: int) -> None:
    """Check that this machine's memory could hold so many weights in single precision."""
    needed, held = 4 * weights, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > held:
        given = f"{weights} weights, which take {needed / 1e9:.3g} GB"
        raise FieldError(f"model must fit into this machine's memory of {held / 1e9:.3g} GB, got {given}")


def _check_whole(
    experiment: Experiment, model: nn.Module, batch: Samples, evaluated: list[Samples], images: int
) -> None:
    """Initialize, step, evaluate and score as a training does; of SGD, whose import takes a second, there is nothing to try."""
    mean, std = torch.zeros(batch.channels, 1, 1), torch.ones(batch.channels, 1, 1)
    data = Split(batch, evaluated[0], evaluated[-1], mean, std)
    with _named(experiment, f"model.init must initialize this network, got {experiment.model.init}"):
        initialize(experiment, model)
    _check_step(experiment, model, batch, images)
    for part in evaluated:
        with _named(experiment, _must_classify(experiment, len(part))):
            accuracy(model, part, data, precision=experiment.train.precision)
    with _named(experiment, _must_score(experiment)):
        all_gradients = cache(lambda: gradients(model, data, experiment.train.batch_size))
        _score(experiment, experiment.pruning.prunable(model), all_gradients)


def _check_shapes(experiment: Experiment, model: nn.Module, batch: Samples, images: int) -> None:
    """Step and evaluate without a number, and score the smallest layers, where the criterion is the user's own."""
    _check_step(experiment, model, batch, images)
    with _named(experiment, _must_classify(experiment, len(batch)), batch), torch.no_grad():
        model.eval()(batch.values).argmax(1)
    if isinstance(experiment.prune.criterion, ImportPath):
        layers = sorted(experiment.pruning.prunable(model).items(), key=lambda layer: layer[1].numel())
        sums = accumulate(weight.numel() for _, weight in layers)
        some = {name: weight for (name, weight), total in zip(layers, sums, strict=True) if total <= MOST_WEIGHTS}
        with _named(experiment, _must_score(experiment)):
            _score(experiment, some, lambda: {name: _noise(weight).double() for name, weight in some.items()})


def _check_step(experiment: Experiment, model: nn.Module, batch: Samples, images: int) -> None:
    """Go forward and back on the batch, which an epoch over so many images ends with."""
    name, size, precision = experiment.model.name, experiment.train.batch_size, experiment.train.precision
    what = f"an epoch's last batch ({len(batch)} of {images} images at train.batch_size {size})"
    if len(batch) == size:
        what = f"batches of {size} image{'s' if size > 1 else ''}"
    with _named(experiment, f"model must train on {what}, got {name}", batch):
        placed(model, batch.values.device, precision).train()
        with computing(precision, CPU):
            smoothing = experiment.train.label_smoothing
            loss = functional.cross_entropy(model(batch.values), batch.labels, label_smoothing=smoothing)
        loss.backward()


def _check_rates(experiment: Experiment, images: int) -> None:
    """Ask shapes of the user's own for their factor at every iteration."""
    shapes = {"train": experiment.train.shape}
    shapes |= {f"policies.baselines.{name}": baseline.shape for name, baseline in experiment.baselines.items()}
    epochs, steps = experiment.train.epochs, experiment.recipe.steps_per_epoch(images)
    for field, part in shapes.items():
        if part is not None and isinstance(part.kind, ImportPath):
            with _named(experiment, f"{field}.shape must have a factor of max_lr at every iteration, got {part.kind}"):
                shape = part.make()
                for t in range(1, steps * epochs + 1):
                    math.isfinite(shape.factor(t, steps, epochs))  # TypeError for what is no number


def _score(experiment: Experiment, weights: Weights, gradient: Callable[[], Weights]) -> None:
    """Let the criterion score weights that moved from noise to noise, and prune by that."""
    random = generator(0, Purpose.TRIAL)
    criterion, rule = target_of(CRITERIA, experiment.prune.criterion), experiment.pruning

    def inputs(name: str) -> LayerInputs:
        return LayerInputs(_noise(weights[name]), _noise(weights[name]), random, lambda: gradient()[name])

    if weights:
        scores = {name: criterion(inputs(name)) for name in weights}
        Mask.dense(weights).prune(scores, rule.rate_after(0), rule.scope)


def _noise(like: Tensor) -> Tensor:
    return torch.randn(like.shape)


def _batch(shape: tuple[int, Size, int], count: int, device: torch.device = CPU) -> Samples:
    """Samples that are normalized and laid out already, and of all classes, the last first."""
    channels, size, classes = shape
    values = torch.randn(count, *sample_shape(channels, size), device=device)
    if values.dim() == 4:
        values = values.contiguous(memory_format=torch.channels_last)
    return Samples(values, (classes - 1 - torch.arange(count, device=device)) % classes)


def _last_evaluated(images: int, channels: int, size: Size, _: int) -> int:
    """How many images the last batch has in which so many are evaluated."""
    at_once = batch_size(channels, size, CPU)
    return images % at_once or at_once


def _must_classify(experiment: Experiment, images: int) -> str:
    return f"model must classify {images} images at once, got {experiment.model.name}"


def _must_score(experiment: Experiment) -> str:
    return f"prune.criterion must give every weight a finite score, got {experiment.prune.criterion}"


@contextmanager
def _named(experiment: Experiment, message: str, batch: Samples | None = None) -> Iterator[None]:
    """Any error of the block as that of a field, but those of what this was tried on: no GPU, or a batch of no numbers."""
    try:
        yield
    except Exception as error:  # the user's own code may raise any
        if _asks_for_a_gpu(error, experiment) or (batch is not None and _asks_for_numbers(error, batch)):
            return
        raise FieldError(f"{message}: {reason_of(error, experiment.compute)}") from error


def _asks_for_a_gpu(error: Exception, experiment: Experiment) -> bool:
    text = str(error).lower()
    return experiment.compute.gpus_per_trial > 0 and ("cuda" in text or "nvidia" in text)


def _asks_for_numbers(error: Exception, batch: Samples) -> bool:
    """Whether it is what torch raises where the numbers of a tensor on the meta device are looked at."""
    return batch.values.is_meta and (isinstance(error, NotImplementedError) or "meta" in str(error).lower())
