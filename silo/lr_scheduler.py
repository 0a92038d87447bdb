"""A torch LRScheduler, so that anybody's own pruning loop can follow SILO."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from silo.schedule import Schedule
from silo.shape import Constant, Shape


class PruningCycleLR(LRScheduler):
    """The learning rate of one pruning cycle, set on every parameter group: lr(t) = schedule.max_lr(cycle) * shape.factor(t).

    Make one at the start of each cycle and call ``step()`` after every ``optimizer.step()``: it counts iterations, and t = 1 is
    in force from the start.

    Args:
        optimizer: The optimizer whose rates are set, whatever they were.
        schedule: The max_lr of each cycle, such as a SiloSchedule.
        cycle: The pruning cycle, from 0, which trains the dense network.
        shape: The factor of max_lr within the cycle; by default 1 at every iteration, which needs neither of the others.
        steps_per_epoch: Iterations of an epoch, at least 1, by which the shape knows its epochs.
        epochs: Epochs of the cycle, at least 1.

    Raises:
        ValueError: For a cycle that the schedule doesn't know.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedule: Schedule,
        cycle: int,
        shape: Shape | None = None,
        steps_per_epoch: int = 1,
        epochs: int = 1,
    ) -> None:
        self.max_lr = schedule.max_lr(cycle)
        self.shape = shape or Constant()
        self.steps_per_epoch = steps_per_epoch
        self.epochs = epochs
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:
        """The rate of the coming iteration, one for each parameter group."""
        lr = self.max_lr * self.shape.factor(self.last_epoch + 1, self.steps_per_epoch, self.epochs)
        return [lr] * len(self.optimizer.param_groups)
