"""A torch LRScheduler, so that anybody's own pruning loop can follow SILO."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from silo.schedule import Schedule
from silo.shape import Constant, Shape


class PruningCycleLR(LRScheduler):
    """The learning rate of one pruning cycle: schedule.max_lr(cycle) * shape(t), set on every parameter group.

    Make one at the start of each cycle and call ``step()`` after every ``optimizer.step()``: it counts iterations,
    and t = 1 is in force from the start. steps_per_epoch and epochs place the shape's epochs; the default shape,
    constant, needs neither. Raises ValueError for a cycle that the schedule doesn't know.
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
