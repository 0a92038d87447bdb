"""The calls for a machine with a GPU, dry: a kit of wheels and images, a training that goes on where the last call ended."""

import json
import sys
import tarfile
import time
import zipfile

import pytest
from experiments import write

from benchmarks import gpu


@pytest.fixture
def kit(tmp_path):
    """A folder with a package and some images, as it is carried to the machine."""
    folder = tmp_path / "kit"
    folder.mkdir()
    name = "carried-1.0"
    with zipfile.ZipFile(folder / "carried-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("carried.py", "print('here')\n")
        info = f"{name}.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: carried\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    (tmp_path / "train" / "cat").mkdir(parents=True)
    (tmp_path / "train" / "cat" / "1.jpg").write_bytes(b"an image")
    with tarfile.open(folder / "images.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "train", arcname="train")
    return folder


@pytest.fixture
def machine(tmp_path):
    return gpu.Machine(tmp_path / "nothing", tmp_path / "out", tmp_path / "scratch", dry=True)


def test_what_the_machine_lacks_comes_from_the_kit_once(kit, tmp_path, monkeypatch):
    made = gpu.Machine(kit, tmp_path / "out", tmp_path / "scratch")
    for _ in range(2):
        made.set_up()
        (made.scratch / "site").chmod(0o755)
        monkeypatch.setattr(gpu.tarfile, "open", None)  # the second time nothing is unpacked
    assert (made.images / "train" / "cat" / "1.jpg").read_bytes() == b"an image"
    assert gpu.run(made, ["-c", "import carried, benchmarks.gpu"], "log", time.monotonic() + 60) == 0
    assert "here" in (made.out / "log").read_text()


def test_without_a_kit_nothing_is_set_up(machine):
    machine.set_up()
    assert machine.images is None and list(machine.out.iterdir()) == []


def test_a_command_whose_time_is_up_is_told_to_end_and_then_killed(machine, monkeypatch):
    machine.set_up()
    monkeypatch.setattr(gpu, "PATIENCE", 1.0)
    wait = "import time; time.sleep(60)"
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {wait}"
    began = time.monotonic()
    assert gpu.run(machine, ["-c", wait], "log", began + 0.5) is None
    assert gpu.run(machine, ["-c", deaf], "log", time.monotonic() + 1.0) is None
    assert gpu.run(machine, ["-c", "raise SystemExit(3)"], "log", time.monotonic() + 30) == 3
    assert time.monotonic() - began < 30


def test_a_folder_is_carried_in_pieces(machine, tmp_path, monkeypatch):
    monkeypatch.setattr(gpu, "PIECE", 4096)
    machine.set_up()
    (tmp_path / "run" / "records").mkdir(parents=True)
    (tmp_path / "run" / "records" / "a.json").write_text("a" * 10_000)
    gpu.pack(machine, "r20", tmp_path / "run")
    assert len(list(machine.out.glob("r20.tar.*"))) > 2
    gpu.unpack(gpu.Machine(machine.out, machine.out, machine.scratch), "r20", tmp_path / "again")
    assert (tmp_path / "again" / "records" / "a.json").read_text() == "a" * 10_000


def test_a_training_goes_on_where_the_last_call_ended(tmp_path, capfd):
    """The second call is on a bare machine; the first call's pieces are its kit."""
    file = write(tmp_path, {"oracle.seeds": 1})

    def call(number, seconds, kit):
        where = ["--kit", str(kit), "--out", str(tmp_path / f"out {number}"), "--scratch", str(tmp_path / f"{number}")]
        some = ["--seconds", str(seconds), "--name", "tiny", "--study", str(file), "--dry"]
        assert gpu.main(["train", *where, *some, "--", "--set", "oracle.tolerance=1.0"]) == 0
        return {path.name for path in (tmp_path / str(number) / "runs" / "tiny" / "records").glob("*")}

    first = call(1, 5, tmp_path / "no kit")
    second = call(2, 120, tmp_path / "out 1")
    assert first <= second and len(second) == 19
    attempts = (tmp_path / "2" / "runs" / "tiny" / "attempts").glob("*.jsonl")
    recorded = [
        json.loads(line)["cell"] for path in attempts for line in path.read_text().splitlines() if '"recorded"' in line
    ]
    assert len(recorded) == len(set(recorded)) == 19
    assert "19" in capfd.readouterr().out


def test_a_check_says_what_passed_and_what_not(machine, monkeypatch, capsys):
    codes = iter([0, 1])
    ran = []

    def run(machine, command, log, until):
        ran.append(command[-1])
        (machine.out / log).write_text("1 failed\n")
        return next(codes)

    monkeypatch.setattr(gpu, "run", run)
    machine.set_up()
    assert gpu.check(machine, time.monotonic() + 100) == 1
    assert ran == ["tests/silo/test_cuda.py", "tests/oracle/run/test_run_on_cuda.py"]
    assert "tests of silo: passed\ntests of a run: failed, exit code 1" in capsys.readouterr().out


def test_the_speed_benchmark_goes_on_with_what_was_measured(machine, monkeypatch, tmp_path):
    seen = []

    def run(machine, command, log, until):
        folder = tmp_path / "scratch" / "speed"
        seen.append(sorted(path.name for path in folder.glob("*")))
        folder.mkdir(exist_ok=True, parents=True)
        (folder / f"{len(seen)}.csv").write_text("measured")

    monkeypatch.setattr(gpu, "run", run)
    machine.set_up()
    gpu.speed(machine, 0.0)
    later = gpu.Machine(machine.out, machine.out, tmp_path / "scratch", dry=True)
    gpu.shutil.rmtree(tmp_path / "scratch")
    gpu.speed(later, 0.0)
    assert seen == [[], ["1.csv"]]


def test_no_package_is_needed_to_begin():
    """The kit's packages are there only once it has begun."""
    code = "import sys; import benchmarks.gpu; print({'torch', 'pydantic', 'oracle', 'silo'} & {*sys.modules})"
    done = gpu.subprocess.run([sys.executable, "-c", code], cwd=gpu.ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
