"""The blocks of silo's page that need other libraries."""

import re
from pathlib import Path

from silo import SiloSchedule, WarmupStep

PAGE = Path(__file__).parents[2] / "silo" / "README.md"
STEPS, EPOCHS, CYCLE = 10, 10, 3
SCHEDULE = SiloSchedule(epsilon=0.03, delta=0.04, beta=5, delay=1, prune_rate=0.2)
SHAPE = WarmupStep("5ep", {"8ep": 0.1})
RATES = [SCHEDULE.max_lr(CYCLE) * SHAPE.factor(t, STEPS, EPOCHS) for t in range(1, STEPS * EPOCHS + 1)]


def block(library):
    """The one block that is marked by a library's name."""
    (found,) = re.findall(rf"```python {library}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return found
