"""benchmarks/cluster, executed: the Slurm script on nodes that are all this machine, with stand-ins for Slurm's commands alone;
the Ray launcher's file by the launcher's own code, its commands as the launcher runs them; job.sh.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
import yaml
from experiments import write
from ray_settings import SETTINGS

ROOT = Path(__file__).parents[2]
CLUSTER = ROOT / "benchmarks" / "cluster"
pytestmark = pytest.mark.skipif(not (shutil.which("bash") and shutil.which("setsid")), reason="no bash, or no setsid")

CHANGES = {
    "name": "small",
    "train.epochs": 60,
    "train.shape": "constant",
    "prune.cycles": 2,
    "oracle.grid": [0.1, 0.3],
}

# As a step would on its node: its own CPUs, its own session, signals passed on; what it leaves behind is left.
SRUN = """
while [[ $1 == --* ]]; do
  [[ $1 != --nodelist=* ]] || export SLURMD_NODENAME=${1#*=}
  shift
done
export SLURM_CPUS_ON_NODE=${SLURMD_NODENAME#*-}
setsid "$@" &
task=$!
trap 'kill -TERM "$task"' TERM
wait "$task"
wait "$task"
"""
SCONTROL = '[[ "$1 $2" == "show hostnames" ]] && tr , "\\n" <<<"$3"'
# This machine has no address but 127.0.0.1: so nothing listens beyond it.
RAY = f"""
RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=1 exec {sys.executable} -c 'import sys
from ray._private import services
services.get_node_ip_address = lambda address=None: "127.0.0.1"
from ray.scripts.scripts import main
sys.argv[0] = "ray"
main()' "$@"
"""
PYTHON = f'exec {sys.executable} "$@"'
SILO_ORACLE = f'PYTHONPATH={ROOT} exec {sys.executable} -m oracle.cli "$@"'


def commands(folder, **scripts):
    folder.mkdir(parents=True, exist_ok=True)
    for name, script in scripts.items():
        path = folder / name.replace("_", "-")
        path.write_text(f"#!{shutil.which('bash')}\n{script}\n")
        path.chmod(0o755)


@pytest.fixture
def cluster(tmp_path):
    """Where a user submits from: .venv, the experiment, and Slurm's commands; and a home for the token."""
    commands(tmp_path / "slurm", srun=SRUN, scontrol=SCONTROL)
    commands(tmp_path / "work" / ".venv" / "bin", python=PYTHON, ray=RAY, silo_oracle=SILO_ORACLE)
    (tmp_path / "home").mkdir()
    write(tmp_path / "work", CHANGES)
    yield tmp_path
    left = processes(tmp_path)  # of a test that failed
    for folder in folders_of_ray(left):
        shutil.rmtree(folder, ignore_errors=True)
    for process in left:
        process.kill()


def submit(cluster, nodes, *arguments):
    """The batch script on nodes named NAME-CPUS, as Slurm would start it on the first of them."""
    environment = {
        "PATH": f"{cluster / 'slurm'}:{os.environ['PATH']}",
        "HOME": str(cluster / "home"),
        "OMP_NUM_THREADS": "1",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # the driver, too, is at 127.0.0.1
        **SETTINGS,
        "SLURM_SUBMIT_DIR": str(cluster / "work"),
        "SLURM_JOB_ID": "77",
        "SLURM_JOB_NODELIST": ",".join(nodes),
        "SLURM_JOB_NUM_NODES": str(len(nodes)),
        "SLURMD_NODENAME": nodes[0],
    }
    with (cluster / "output").open("w") as output:
        script = [shutil.which("bash"), CLUSTER / "slurm.sh", *arguments]
        streams = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
        return subprocess.Popen(script, env=environment, start_new_session=True, **streams)


def processes(cluster):
    """Those that a job started: they work in the folder it was submitted from."""

    def at_work_there(process):
        try:
            return process.cwd() == str(cluster / "work")
        except psutil.Error:
            return False

    return [process for process in psutil.process_iter() if at_work_there(process)]


def folders_of_ray(working):
    """One for each node, as Ray's command lines tell."""
    lines = "\n".join(part for process in working for part in process.cmdline())
    return {Path(folder) for folder in re.findall(r"(/tmp/ray\.\w{6})/ray/session", lines)}


def left_behind(cluster):
    """Processes and tokens."""
    return processes(cluster), list((cluster / "home").glob(".silo-oracle*"))


def events(cluster):
    """What befell the trainings, by event: a count for each cell."""
    logs = (cluster / "work" / "runs" / "small" / "attempts").glob("*.jsonl")
    entries = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
    return {
        event: Counter(e["cell"] for e in entries if e["event"] == event) for event in {e["event"] for e in entries}
    }


def test_a_slurm_job_cut_off_in_the_middle_is_finished_by_the_next(cluster):
    records = cluster / "work" / "runs" / "small" / "records"

    job = submit(cluster, ["a-1", "b-1"], "small.yaml")
    while not list(records.glob("*.json")):
        assert job.poll() is None, (cluster / "output").read_text()
        time.sleep(0.05)
    [token] = (cluster / "home").glob(".silo-oracle*")
    secret = token.read_text().strip()
    assert len(secret) == 64 and token.stat().st_mode & 0o777 == 0o600
    working = processes(cluster)
    assert sum(process.name() == "raylet" for process in working) == 2
    assert not [process for process in working if secret in " ".join(process.cmdline())]
    folders = folders_of_ray(working)
    assert len(folders) == 2 and {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}
    job.send_signal(signal.SIGTERM)  # as Slurm does, two minutes before the time limit
    assert job.wait(60) == 143
    output = (cluster / "output").read_text()
    assert "2 of 2 nodes" in output and "interrupted; what is recorded stays" in output
    assert left_behind(cluster) == ([], []) and not any(folder.exists() for folder in folders)
    done = {path.stem for path in records.glob("*.json")}

    job = submit(cluster, ["c-1"], "small.yaml")
    assert job.wait(100) == 0, (cluster / "output").read_text()
    output = (cluster / "output").read_text()
    assert "1 of 1 nodes" in output and "8 of 8 trainings are recorded" in output
    assert 0 < len(done) < 8 and f"{8 - len(done)} of 8 trainings" in output
    recorded = events(cluster)["recorded"]
    assert len(recorded) == 8 and set(recorded.values()) == {1}
    assert left_behind(cluster) == ([], [])
    files = [path for path in cluster.rglob("*") if path.is_file()]
    assert not [path for path in files if secret.encode() in path.read_bytes()]


FAKE_RAY = """
echo "$SLURMD_NODENAME: $*" >>{calls}
arguments=$*
folder=${{arguments#*--temp-dir=}}
folder=${{folder%% *}}
mkdir "$folder"
echo 10.0.0.1:6379 >"$folder/ray_current_cluster"
exec sleep 60
"""


def test_a_slurm_job_gives_ray_what_it_was_given_and_passes_its_exit_code_on(cluster):
    calls = cluster / "calls"
    commands(
        cluster / "work" / ".venv" / "bin",
        ray=FAKE_RAY.format(calls=calls),
        python=f"until [[ $1 == -c || $(wc -l <{calls}) == 2 ]]; do sleep 0.1; done",  # as many have joined
        silo_oracle=f'echo "silo-oracle: $*" >>{calls}; exit 7',
    )
    job = submit(cluster, ["a-16", "b-4"], "small.yaml", "--set", "oracle.seeds=[1, 2]")
    assert job.wait(30) == 7
    called = dict(line.split(": ", 1) for line in calls.read_text().splitlines())
    assert called["silo-oracle"] == "run small.yaml --set oracle.seeds=[1, 2] --address 10.0.0.1:6379"
    assert called["a-16"].startswith("start --block") and " --num-cpus=16 --num-gpus=0 " in called["a-16"]
    assert called["a-16"].endswith(" --head --port=0 --include-dashboard=False")
    assert " --num-cpus=4 " in called["b-4"] and called["b-4"].endswith(" --address=10.0.0.1:6379")
    assert left_behind(cluster) == ([], [])


def test_a_head_that_fails_ends_the_slurm_job_with_its_reason(cluster):
    commands(cluster / "work" / ".venv" / "bin", ray="echo no room for Ray; exit 3")
    assert submit(cluster, ["a-1", "b-1"], "small.yaml").wait(30) == 1
    assert (cluster / "output").read_text() == "no room for Ray\n"
    assert left_behind(cluster) == ([], [])


@pytest.fixture
def launched(monkeypatch):
    """The launcher's file with the defaults that `ray up` fills in, checked by the launcher against its schema."""
    from ray.autoscaler._private.util import prepare_config, validate_config

    monkeypatch.chdir(ROOT)
    config = prepare_config(yaml.safe_load((CLUSTER / "ray-cluster.yaml").read_text()))
    validate_config(config)
    return config


def test_the_launchers_file_is_one(launched):
    head, worker = (launched["available_node_types"][name] for name in ("head", "worker"))
    assert launched["head_node_type"] == "head" and head["resources"] == {"CPU": 0}
    assert worker["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}
    assert (worker["min_workers"], worker["max_workers"]) == (0, launched["max_workers"])
    for there, here in launched["file_mounts"].items():
        assert Path(here).exists() or there == "/home/ubuntu/.ray/auth_token"
    with (ROOT / "Makefile").open() as makefile:  # what `make install` reads is there
        needed = next(line for line in makefile if line.startswith(".venv/installed:")).split()[1:]
    assert {f"/home/ubuntu/silo-oracle/{name}" for name in needed} <= launched["file_mounts"].keys()


def test_the_launchers_commands_run(launched, tmp_path):
    """In a login shell and quoted as the launcher does it, with stand-ins for what they call."""
    from ray.autoscaler._private.command_runner import _with_interactive
    from ray.autoscaler._private.util import with_head_node_ip

    home, calls = tmp_path / "home", tmp_path / "calls"
    called = f'echo "$RAY_AUTH_MODE $(basename "$0") $*" >>{calls}'
    venv = home / "silo-oracle" / ".venv" / "bin"
    commands(tmp_path / "bin", sudo=called, mountpoint=f"{called}; exit 1", make=called)
    commands(venv, ray=called, python=called)
    (home / ".ray").mkdir()
    (home / ".ray" / "auth_token").write_text("token")
    (home / ".bashrc").write_text(f"export PATH={tmp_path / 'bin'}:$PATH\n")  # a login shell sets its own

    def run(commands):
        calls.write_text("")
        for command in commands:
            shell = " ".join(_with_interactive(command))
            done = subprocess.run(
                shell, shell=True, env={"HOME": str(home)}, capture_output=True, start_new_session=True
            )
            assert done.returncode == 0, (command, done.stderr)
        return calls.read_text().splitlines()

    for _ in range(2):  # once more, as at the next `ray up`
        setup = run(launched["head_setup_commands"])
    assert [line for line in setup if "make install" in line] == ["token make install"]
    assert any("fs-0123456789abcdef0.efs.eu-central-1.amazonaws.com:/ /shared" in line for line in setup)
    assert any("pip install" in line and line.endswith("--constraint constraints.txt ray[default]") for line in setup)
    assert (home / ".bashrc").read_text().count("RAY_AUTH_MODE=token") == 1
    assert (home / ".ray" / "auth_token").stat().st_mode & 0o777 == 0o600

    assert run(launched["head_start_ray_commands"])[-1] == (
        "token ray start --head --port=6379 --dashboard-host=127.0.0.1 --autoscaling-config=~/ray_bootstrap_config.yaml"
    )
    started = run(with_head_node_ip(launched["worker_start_ray_commands"], "10.0.0.1"))[-1]
    assert started == "token ray start --address=10.0.0.1:6379"


def job_script(folder, *arguments):
    done = subprocess.run([CLUSTER / "job.sh", *arguments], cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_a_job_has_the_folder_and_the_run_folder(tmp_path):
    commands(tmp_path / ".venv" / "bin", ray='printf "%s|" "$RAY_AUTH_MODE" "$@"; exit 5')
    code, out, _ = job_script(tmp_path, "/shared/runs/mine", "mine.yaml", "--set", "oracle.seeds=[1, 2]")
    submitted = "token|job|submit|--working-dir|.|--|silo-oracle|run|mine.yaml|--out|/shared/runs/mine|"
    assert (code, out) == (5, f"{submitted}--set|oracle.seeds=[1, 2]|--address|auto|")


@pytest.mark.parametrize("arguments", [(), ("/shared/runs/mine",), ("runs/mine", "mine.yaml")])
def test_a_job_without_a_run_folder_that_all_nodes_see_is_refused(tmp_path, arguments):
    code, out, err = job_script(tmp_path, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1) and "absolute path" in err
