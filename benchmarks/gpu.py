"""What to run on a GPU machine that is lent for half an hour, in calls of at most ten minutes, each of which can go on.

    python -m benchmarks.gpu check      does it work, and which layout is fast: tests, then benchmarks.speed layouts
    python -m benchmarks.gpu speed      the speed benchmark, the released way beside it
    python -m benchmarks.gpu train      train a study as far as the time goes; call it again to go on

Everything that such a machine may lack comes from one folder, KIT (.gpu by default; it may be missing):

    KIT/*.whl             packages that the machine's image lacks; they are installed beside the others, from there alone
    KIT/*.tar.gz          images, as train/CLASS/*.jpg and test/CLASS/*.jpg below their root
    KIT/NAME.tar.*        what an earlier call left in OUT: it goes on from there

What is found goes to OUT, in pieces that can be carried: NAME.tar.aa, .ab, ... (a run folder, or the speed benchmark's), and
logs. What follows ``--`` are options of `silo-oracle run`, such as ``-- --set oracle.seeds=1``. Without a GPU, check and train
run dry (``--dry``): steps are recorded in this process.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from string import ascii_lowercase

ROOT = Path(__file__).parents[1]
STUDY = "benchmarks/paper/resnet20-cifar10.yaml"
SECONDS = {"check": 570, "speed": 570, "train": 530}  # a call has ten minutes, packing included
PIECE = 15 * 2**20  # bytes of a piece
PATIENCE = 30.0  # seconds between SIGTERM and SIGKILL: a run writes what is under way


@dataclass(frozen=True)
class Machine:
    """Where things lie on the machine.

    Attributes:
        kit: The folder that was carried there.
        out: What is written here comes back.
        scratch: Packages and images that are unpacked; it may be there from an earlier call.
        dry: Whether to do without a GPU.
    """

    kit: Path
    out: Path
    scratch: Path
    dry: bool = False

    @property
    def images(self) -> Path | None:
        """The folder of images; None where the kit has none."""
        return self.scratch / "images" if (self.scratch / "images").exists() else None

    @property
    def environment(self) -> dict[str, str]:
        """The environment of what is run: the project's packages, then those of the kit."""
        path = [str(ROOT), str(self.scratch / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]
        more = {"SILO_DRY": "1"} if self.dry else {}
        return {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1", **more}

    def set_up(self) -> None:
        """Install the packages and unpack the images of the kit, where that wasn't done yet."""
        self.out.mkdir(parents=True, exist_ok=True)
        site, images = self.scratch / "site", self.scratch / "images"
        if (wheels := sorted(map(str, self.kit.glob("*.whl")))) and not site.exists():
            options = ["--quiet", "--no-index", "--no-deps", "--no-compile", "--no-cache-dir", "--target", str(site)]
            subprocess.run([sys.executable, "-m", "pip", "install", *options, *wheels], check=True)
        for archive in sorted(self.kit.glob("*.tar.gz")):
            if not images.exists():
                half = images.with_name("images.half")
                shutil.rmtree(half, ignore_errors=True)
                with tarfile.open(archive) as packed:
                    packed.extractall(half, filter="data")
                half.rename(images)


def run(machine: Machine, command: Sequence[str], log: str, until: float) -> int | None:
    """Run a command of this Python until it ends, or until a time (of time.monotonic): then it is told to end, as by Ctrl-C.

    Returns:
        Its exit code; None where its time was up. What it prints is in OUT/LOG.
    """
    with (machine.out / log).open("ab") as file:
        file.write(f"$ python {' '.join(command)}\n".encode())
        file.flush()
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=machine.environment,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
        try:
            return process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            return None


def unpack(machine: Machine, name: str, folder: Path) -> None:
    """Make a folder what an earlier call left of it in the kit, where it did."""
    pieces = sorted(machine.kit.glob(f"{name}.tar.*"))
    if not pieces or folder.exists():
        return
    whole = machine.scratch / f"{name}.tar"
    whole.parent.mkdir(parents=True, exist_ok=True)
    with whole.open("wb") as file:
        for piece in pieces:
            file.write(piece.read_bytes())
    with tarfile.open(whole) as packed:
        packed.extractall(folder, filter="data")
    whole.unlink()


def pack(machine: Machine, name: str, folder: Path) -> None:
    """Put a folder into OUT, in pieces."""
    if not folder.exists():
        return
    machine.scratch.mkdir(parents=True, exist_ok=True)
    whole = machine.scratch / f"{name}.tar"
    with tarfile.open(whole, "w") as packed:
        packed.add(folder, arcname=".")
    suffixes = map("".join, product(ascii_lowercase, repeat=2))
    with whole.open("rb") as file:
        while piece := file.read(PIECE):
            (machine.out / f"{name}.tar.{next(suffixes)}").write_bytes(piece)
    whole.unlink()


def check(machine: Machine, until: float) -> int:
    """Run the tests for a GPU, then measure layouts; what is measured stays known in the next call."""
    began = time.monotonic()
    tests = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=8"]
    half = began + (until - began) / 2
    codes = {
        "tests of silo": run(machine, [*tests, "tests/silo/test_cuda.py"], "check.log", half),
        "tests of a run": run(machine, [*tests, "tests/oracle/run/test_run_on_cuda.py"], "check.log", half + 60),
    }
    if not machine.dry:
        codes["layouts"] = speed(machine, until, part="layouts")
    for what, code in codes.items():
        print(
            f"{what}: {'its time was up' if code is None else 'passed' if code == 0 else f'failed, exit code {code}'}"
        )
    print("\n".join((machine.out / "check.log").read_text().splitlines()[-12:]))
    return int(any(codes.values()))


def speed(machine: Machine, until: float, part: str = "gpu") -> int | None:
    """Run a part of the speed benchmark; its ways that an earlier call measured are known."""
    folder = machine.scratch / "speed"
    unpack(machine, "speed", folder)
    data = ["--data", str(machine.images)] if machine.images else []
    code = run(machine, ["-m", "benchmarks.speed", part, *data, "--to", str(folder)], "speed.log", until)
    pack(machine, "speed", folder)
    return code


def train(machine: Machine, until: float, name: str, study: str, more: Sequence[str]) -> int | None:
    """Train a study in this process as far as the time goes, and say how far it is."""
    folder = machine.scratch / "runs" / name
    unpack(machine, name, folder)
    data = []
    if machine.images:
        data = ["--set", "data.source=folder", "--set", f"data.path={machine.images}"]
        data += ["--set", "label=ResNet-20 on CIFAR-10 (JPEG q75)"] if study == STUDY else []
    cpu = ["--set", "compute.gpus_per_trial=0"] if machine.dry else []
    where = ["--local", "--out", str(folder)]
    code = run(machine, ["-m", "oracle.cli", "run", study, *where, *data, *cpu, *more], f"{name}.log", until)
    print("its time was up: call again to go on" if code is None else f"run: exit code {code}")
    subprocess.run(
        [sys.executable, "-m", "oracle.cli", "status", str(folder)], env=machine.environment, cwd=ROOT, check=False
    )
    pack(machine, name, folder)
    return code


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one call; returns 0 where all passed, or the time was up and another call goes on."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("call", choices=tuple(SECONDS))
    parser.add_argument("--kit", type=Path, default=Path(".gpu"), metavar="KIT")
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", "runs/gpu")), metavar="OUT")
    parser.add_argument("--scratch", type=Path, default=Path("/tmp/silo-gpu"), metavar="DIR")
    parser.add_argument("--seconds", type=float, help="how long it may take (default: a call of ten minutes)")
    parser.add_argument("--name", default="r20", help="of the run folder (default: r20)")
    parser.add_argument("--study", default=STUDY, metavar="FILE", help=f"default: {STUDY}")
    parser.add_argument("--dry", action="store_true", help="without a GPU")
    words = list(sys.argv[1:] if arguments is None else arguments)
    end = words.index("--") if "--" in words else len(words)
    options, more = parser.parse_args(words[:end]), words[end + 1 :]
    until = time.monotonic() + (options.seconds or SECONDS[options.call])
    machine = Machine(*(path.resolve() for path in (options.kit, options.out, options.scratch)), options.dry)
    machine.set_up()
    if options.call == "train":
        code = train(machine, until, options.name, options.study, more)
    else:
        code = {"check": check, "speed": speed}[options.call](machine, until)
    return code or 0


if __name__ == "__main__":
    sys.exit(main())
