"""Kill a sweep's driver, workers and nodes at random, and see that nothing is lost and nothing is done twice.

    python benchmarks/chaos.py [--file benchmarks/digits-mlp.yaml] [--kills 60] [--seed 0] [--to results/chaos]

One undisturbed run first; then the same experiment on a Ray cluster of three nodes on one machine, with so many SIGKILLs: half
of them after a random time (so that starting up is hit, too), half after a random number of new records. A killed driver and a
killed node (the raylet and all its children) are started again. At the end the reports must be equal byte for byte, the log of
attempts must tell of no training that began after its record was there, and nothing half written may be left.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

KINDS = ("driver", "worker", "node")
NODES = 3
APART = {"cost.csv", "environment.json", "report.html"}  # what a report says of time and place
LONGEST = 6.0  # seconds, of a wait that doesn't go by records


@dataclass
class Cluster:
    """A Ray cluster on this machine: a head that trains nothing, and nodes of one CPU each. folder: for its token and logs."""

    folder: Path
    port: int = 0
    head: subprocess.Popen | None = None
    nodes: list[subprocess.Popen] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """Of every process that belongs to it: a token of its own."""
        token = self.folder / "token"
        if not token.exists():
            token.touch(mode=0o600)
            token.write_text(os.urandom(32).hex())
        own = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
        others = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        return {**others, **own, "RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": os.pathsep.join(sys.path)}

    def __enter__(self) -> "Cluster":
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.head = self._start("--head", f"--port={self.port}", "--num-cpus=0", "--include-dashboard=false")
        until = time.monotonic() + 60
        while not _answers(self.port):
            if time.monotonic() > until or self.head.poll() is not None:
                raise RuntimeError(f"the head of the cluster did not start; its log is in {self.folder}")
            time.sleep(0.1)
        self.nodes = [self._start_node() for _ in range(NODES)]
        return self

    def __exit__(self, *_: object) -> None:
        for one in [*self.nodes, self.head]:
            kill_tree(one.pid)
            one.wait()

    def kill_a_node(self, chance: random.Random) -> bool:
        """The raylet and all its children."""
        node = chance.choice(self.nodes)
        kill_tree(node.pid)
        node.wait()
        return True

    def revive(self) -> None:
        """Another node joins in the place of each that is gone."""
        self.nodes = [node if node.poll() is None else self._start_node() for node in self.nodes]

    def kill_a_worker(self, chance: random.Random) -> bool:
        """A process that trains or waits to; False where there is none."""
        workers = [one for node in self.nodes for one in _descendants(node.pid) if _is_worker(one)]
        return bool(workers) and _kill(chance.choice(workers))

    def _start_node(self) -> subprocess.Popen:
        return self._start(f"--address=127.0.0.1:{self.port}", "--num-cpus=1")

    def _start(self, *arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block"]
        memory = ["--object-store-memory=100000000", "--disable-usage-stats"]
        with (self.folder / "cluster.log").open("a") as log:
            return subprocess.Popen([*command, *memory, *arguments], env=self.environment, stdout=log, stderr=log)


@dataclass
class Outcome:
    """What was killed, and what the sweep lost by it (all of these lists and differences should be empty)."""

    kills: Counter[str]
    drivers: int
    cells: int
    seconds: float
    undisturbed_seconds: float
    trained_again: list[str]
    side_by_side: int
    left: list[str]
    differing: list[str]

    @property
    def holds(self) -> bool:
        """Whether nothing was lost and nothing done twice."""
        return not (self.trained_again or self.left or self.differing)


def chaos(file: Path, kills: int, seed: int, folder: Path, overrides: tuple[str, ...] = ()) -> Outcome:
    """Run the experiment undisturbed, then under so many kills; both run folders are made in ``folder``."""
    calm, stormy = folder / "calm", folder / "stormy"
    began = time.monotonic()
    with Cluster(folder) as cluster:
        if drive(cluster, file, calm, overrides).wait() != 0:
            raise RuntimeError(f"the undisturbed run failed; its log is {calm}.log")
        undisturbed, total = time.monotonic() - began, records(calm)
        began = time.monotonic()
        done, drivers = storm(cluster, file, stormy, overrides, kills, total, random.Random(seed))
        seconds = time.monotonic() - began
    again, twice = judged(stormy)
    return Outcome(done, drivers, total, seconds, undisturbed, again, twice, left(stormy), differing(calm, stormy))


def storm(
    cluster: Cluster, file: Path, out: Path, overrides: tuple[str, ...], kills: int, total: int, chance: random.Random
) -> tuple[Counter[str], int]:
    """Kill, and start what was killed again, until the sweep is complete: (kills by kind, drivers started)."""
    done: Counter[str] = Counter()
    kinds = [kind for _ in range(kills) for kind in chance.sample(KINDS, len(KINDS))]  # in turns of random order
    driver, drivers = drive(cluster, file, out, overrides), 1
    while True:
        if done.total() < kills:
            _wait(driver, out, max(1, round(chance.uniform(0, 1.5) * total / kills)), chance)
        cluster.revive()
        code = driver.poll() if done.total() < kills else driver.wait()
        if code == 0:
            if done.total() < kills:
                raise RuntimeError(f"the sweep was complete after {done.total()} of {kills} kills: a longer one is due")
            return done, drivers
        if (
            code is not None
        ):  # it gave up, which it may, having lost too much at once: so that a user would start it again
            driver, drivers = drive(cluster, file, out, overrides), drivers + 1
            continue
        kind = kinds.pop()
        if kind == "driver":
            kill_tree(driver.pid)
            driver.wait()
            driver, drivers = drive(cluster, file, out, overrides), drivers + 1
            done[kind] += 1
        else:
            done[kind] += cluster.kill_a_node(chance) if kind == "node" else cluster.kill_a_worker(chance)


def _wait(driver: subprocess.Popen, out: Path, more: int, chance: random.Random) -> None:
    """For so many new records, or for a random time; no longer than the driver lives."""
    by_time, goal = chance.random() < 0.5, records(out) + more
    until = time.monotonic() + (chance.uniform(0, LONGEST) if by_time else 60)
    while driver.poll() is None and time.monotonic() < until and (by_time or records(out) < goal):
        time.sleep(0.01)


def drive(cluster: Cluster, file: Path, out: Path, overrides: tuple[str, ...]) -> subprocess.Popen:
    """Start a driver of the experiment on the cluster; what it says goes to a log beside the run folder."""
    # so many trainings at once, whichever nodes there are at the moment
    sets = [part for override in (*overrides, f"compute.workers={NODES}") for part in ("--set", override)]
    address = f"127.0.0.1:{cluster.port}"
    command = [sys.executable, "-m", "oracle.cli", "run", str(file), "--out", str(out), "--address", address, *sets]
    with Path(f"{out}.log").open("a") as log:
        return subprocess.Popen(command, env=cluster.environment, stdout=log, stderr=log)


def judged(out: Path) -> tuple[list[str], int]:
    """The cells whose training began when their record was there; how many were trained by two workers side by side."""
    recorded_at = {path.stem: path.stat().st_mtime for path in (out / "records").glob("*.json")}
    entries = []
    for log in (out / "attempts").glob("*.jsonl"):
        for line in log.read_text().splitlines():
            with contextlib.suppress(ValueError):  # cut off by a kill
                entries.append(json.loads(line))
    again = [one["cell"] for one in entries if one["event"] == "started" and one["at"] > recorded_at[one["cell"]]]
    return again, sum(one["event"] == "had a record already" for one in entries)


def left(out: Path) -> list[str]:
    """Files half written, and checkpoints."""
    return [str(path.relative_to(out)) for path in [*out.rglob(".*.tmp"), *(out / "checkpoints").glob("*")]]


def differing(calm: Path, stormy: Path) -> list[str]:
    """The files of the reports that aren't equal byte for byte."""
    one, other = ({p.name: p.read_bytes() for p in (out / "report").iterdir()} for out in (calm, stormy))
    return sorted(name for name in one.keys() | other.keys() if name not in APART and one.get(name) != other.get(name))


def records(out: Path) -> int:
    """How many trainings are recorded."""
    return len(list((out / "records").glob("*.json")))


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _descendants(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


def _is_worker(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess, IndexError):
        name = process.cmdline()[0]
        return name.startswith("ray::") and not name.endswith("Agent")  # whose death is a node's
    return False


def _kill(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGKILL)
        return True
    return False


def kill_tree(pid: int) -> None:
    """SIGKILL to a process and all its descendants."""
    family = [*_descendants(pid)]
    with contextlib.suppress(psutil.NoSuchProcess):
        family.append(psutil.Process(pid))
    for process in family:
        _kill(process)


def _text(outcome: Outcome, file: Path, seed: int) -> str:
    import ray
    import torch

    kills = ", ".join(f"{outcome.kills[kind]} {kind}s" for kind in KINDS)
    return f"""# Chaos

Made by `python benchmarks/chaos.py --file {file} --kills {outcome.kills.total()} --seed {seed}`:
a Ray cluster of {NODES} nodes on one machine, a CPU with {os.cpu_count()} cores
(ray {ray.__version__}, torch {torch.__version__}).

| | |
|---|---|
| trainings | {outcome.cells} |
| SIGKILLs | {outcome.kills.total()}: {kills} |
| drivers started | {outcome.drivers} |
| wall time | {outcome.seconds:.0f} s, undisturbed {outcome.undisturbed_seconds:.0f} s |
| trainings begun after their record was there | {len(outcome.trained_again)} |
| trained by two workers side by side (an orphan and its successor; the first record stands) | {outcome.side_by_side} |
| files left half written, checkpoints of recorded trainings | {len(outcome.left)} |
| files of the report that differ from the undisturbed run's | {len(outcome.differing)} |
"""


def main() -> int:
    """The exit code: 0 where nothing was lost and nothing done twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, default=Path("benchmarks/digits-mlp.yaml"))
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--to", type=Path, default=Path("results/chaos"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        outcome = chaos(asked.file, asked.kills, asked.seed, Path(folder))
    text = _text(outcome, asked.file, asked.seed)
    print(text)
    for name in ("trained_again", "left", "differing"):
        print("\n".join(f"{name}: {one}" for one in getattr(outcome, name)))
    asked.to.mkdir(parents=True, exist_ok=True)
    (asked.to / "README.md").write_text(text)
    return 0 if outcome.holds else 1


if __name__ == "__main__":
    sys.exit(main())
