"""What lies in a run folder, read as a user would, not by the store."""

import json
from pathlib import Path

from oracle.hashing import digest

TIME = ("seconds", "checksum")  # the checksum is of everything, the time included
COUNTED_APART = {"cost.csv", "environment.json", "report.html"}


def records(folder):
    """Records by id, but for the time that each took."""
    read = [json.loads(path.read_text()) for path in (Path(folder) / "records").glob("*.json")]
    return {record["id"]: {key: value for key, value in record.items() if key not in TIME} for record in read}


def change(path, **fields):
    """Change a record as if it had been written so."""
    record = {**json.loads(path.read_text()), **fields}
    del record["checksum"]
    path.write_text(json.dumps({**record, "checksum": digest(record)}))


def report(folder):
    """The files of the report that depend on the cells alone."""
    return {p.name: p.read_bytes() for p in (Path(folder) / "report").iterdir() if p.name not in COUNTED_APART}
