"""What each policy cost: trainings and seconds."""

import pandas as pd

from oracle.cells import of_baseline
from oracle.experiment import Experiment
from oracle.store import Store


def costs_table(cells: pd.DataFrame, experiment: Experiment, store: Store) -> pd.DataFrame:
    """What each policy cost: who, trainings (recorded ones, a baseline's search among them), seconds of training, and
    search_trainings, by which its max_lr or parameters were chosen (NA: not stated; SILO's were made elsewhere).

    A training that several asked for counts for each of them.
    """
    seconds = {cell_id: record["seconds"] for cell_id in cells.id if (record := store.record(cell_id))}
    searches = {name: experiment.search_trainings(name) for name in experiment.baselines}
    parts = {
        "all": (cells, 0),
        "Oracle": (cells[cells.candidate], 0),
        "SILO": (cells[cells.chain], experiment.silo.search_trainings),
        **{
            name: (
                pd.concat([of_baseline(cells, "policies", name), of_baseline(cells, "searches", name)]).drop_duplicates(
                    "id"
                ),
                search,
            )
            for name, search in searches.items()
        },
    }
    rows = [
        (who, len(part), round(sum(seconds.get(cell_id, 0) for cell_id in part.id), 1), search)
        for who, (part, search) in parts.items()
    ]
    frame = pd.DataFrame(rows, columns=["who", "trainings", "seconds", "search_trainings"])
    return frame.astype({"search_trainings": "Int64"})
