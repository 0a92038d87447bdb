"""What each policy cost: trainings and seconds."""

import pandas as pd

from oracle.analysis.cells import of_baseline
from oracle.experiment.spec import Experiment
from oracle.study.store import Store


def costs_table(cells: pd.DataFrame, experiment: Experiment, store: Store) -> pd.DataFrame:
    """What each policy cost: who ("all": every recorded training, once), trainings, seconds of training, and search_trainings:
    those by which its max_lr or parameters were chosen, as far as they are recorded (NA: not stated).

    A training that several asked for counts for each of them. What was stated as searched and isn't recorded here (SILO's
    parameters are chosen in another run) counts with as many trainings, each as long as the mean of its own.
    """
    seconds = {cell_id: record["seconds"] for cell_id in cells.id if (record := store.record(cell_id))}
    candidates = cells[cells.candidate]  # all of the Oracle's trainings are its search
    parts = {"all": (cells, 0, 0), "Oracle": (candidates, len(candidates), 0)}
    parts["SILO"] = cells[cells.chain], experiment.silo.search_trainings, experiment.silo.search_trainings
    for name, baseline in experiment.baselines.items():
        chain, tried = of_baseline(cells, "policies", name), of_baseline(cells, "searches", name)
        here, elsewhere = (len(tried), 0) if baseline.max_lr is None else (baseline.search_trainings,) * 2
        parts[name] = pd.concat([chain, tried]).drop_duplicates("id"), here, elsewhere
    rows = []
    for who, (part, search, elsewhere) in parts.items():
        took = [seconds.get(cell_id, 0) for cell_id in part.id]
        count = len(took) + (elsewhere or 0)
        rows.append((who, count, round(sum(took) / len(took) * count, 1) if took else 0.0, search))
    frame = pd.DataFrame(rows, columns=["who", "trainings", "seconds", "search_trainings"])
    return frame.astype({"search_trainings": "Int64"})
