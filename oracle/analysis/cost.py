"""What each policy cost: trainings and seconds."""

from collections.abc import Mapping

import pandas as pd

from oracle.analysis.cells import of_baseline
from oracle.experiment.spec import Experiment


def costs_table(cells: pd.DataFrame, experiment: Experiment, seconds: Mapping[str, float]) -> pd.DataFrame:
    """Return what each policy cost: who ("all": every recorded training, once), trainings, seconds of training, and
    search_trainings: those by which its max_lr or parameters were chosen, as far as they are recorded (NA: not stated).

    A training that several requested counts for each of them. What was stated as searched and isn't recorded here (SILO's
    parameters are chosen in another run) counts with as many trainings, each as long as the mean of its own.

    Args:
        cells: as ``oracle.analysis.cells.cells_table`` makes it.
        experiment: states the searches that are recorded elsewhere.
        seconds: how long each recorded training took, by id.
    """
    candidates = cells[cells.candidate]  # all of the Oracle's trainings are its search
    parts = {"all": (cells, 0, 0), "Oracle": (candidates, len(candidates), 0)}
    parts["SILO"] = cells[cells.chain], experiment.silo.search_trainings, experiment.silo.search_trainings
    for name, baseline in experiment.baselines.items():
        own, tried = of_baseline(cells, "policies", name), of_baseline(cells, "searches", name)
        here, elsewhere = (len(tried), 0) if baseline.max_lr is None else (baseline.search_trainings,) * 2
        parts[name] = pd.concat([own, tried]).drop_duplicates("id"), here, elsewhere
    rows = []
    for who, (part, search, elsewhere) in parts.items():
        took = [seconds.get(cell_id, 0) for cell_id in part.id]
        count = len(took) + (elsewhere or 0)
        rows.append((who, count, round(sum(took) / len(took) * count, 1) if took else 0.0, search))
    frame = pd.DataFrame(rows, columns=["who", "trainings", "seconds", "search_trainings"])
    return frame.astype({"search_trainings": "Int64"})
