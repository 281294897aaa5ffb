"""Sweeps as their users meet them.

usage: sweep_test.py CNISIM [NAME...]    runs all tests, or those whose name contains a NAME
"""

import json
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from cli_testing import CNISIM, Place, main  # noqa: E402

SWEEP = """
apiVersion: cnisim.dev/v1alpha1
kind: Sweep
metadata: {name: warm}
spec:
  base: tiny.yaml
  seeds: 1..2
  matrix:
    network.env.WARM_IP_TARGET: [5, 8]
    workloads[api].replicas: [10, 15]
    exclude: [{network.env.WARM_IP_TARGET: 5, "workloads[api].replicas": 15}]
    include: [{network.env.WARM_ENI_TARGET: 2}]
"""


def write_sweep(place, text=SWEEP):
    (place.path / "warm.yaml").write_text(text)
    place.given = place.files()


def test_a_sweep_runs_every_cell_with_the_same_seeds(place):
    write_sweep(place)
    result = place.cnisim("sweep", "warm.yaml")
    assert place.new_files() == ["warm.db"], place.new_files()
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["WARM_IP_TARGET", "replicas", "WARM_ENI_TARGET",
                                "pod_ip_wait_seconds.p99", "pod_start_seconds.p99",
                                "vpc_addresses_held.max", "subnet_free_ips.min",
                                "ec2_api_calls_total.sum", "ec2_api_throttled_total.sum",
                                "failed"], lines[0]
    assert [line.split()[:3] for line in lines[1:]] == [
        ["5", "10", "-"], ["8", "10", "-"], ["8", "15", "-"], ["-", "-", "2"]], lines
    assert place.rows("warm.db", "SELECT cell, seed FROM run ORDER BY run_id") == [
        (cell, seed) for cell in range(4) for seed in (1, 2)]
    # A cell is the run that one would have made by hand.
    place.cnisim("run", "tiny.yaml", "--set", "network.env.WARM_IP_TARGET=8", "--set",
                 "workloads[api].replicas=15", "--seed", "2", "--db", "hand.db")
    by_hand = place.rows("hand.db", "SELECT fingerprint FROM run")
    assert by_hand == place.rows("warm.db", "SELECT fingerprint FROM run WHERE run_id = 6")
    # The mean that is shown is that of the file.
    (mean,), = place.rows("warm.db", "SELECT avg(value) FROM scalar_named JOIN run USING (run_id) "
                          "WHERE cell = 2 AND metric = 'vpc_addresses_held' AND "
                          "statistic = 'max' AND entity IS NULL")
    swept = place.cnisim("sweep", "warm.yaml", "--resume", "-o", "json", "--metric",
                         "vpc_addresses_held.max")
    assert json.loads(swept.stdout)[2]["vpc_addresses_held.max"] == mean, swept.stdout


def test_vary_is_a_sweep_without_a_file(place):
    result = place.cnisim("sweep", "tiny.yaml", "--vary", "workloads[api].replicas=10,20", "--vary",
                          "network=aws-vpc-cni,calico:VXLAN", "--metric",
                          "subnet_free_ips{subnet=\"a\"}.min", "-o", "csv")
    assert result.stdout.splitlines()[0].startswith('cell,workloads[api].replicas,network,"subnet')
    assert [line.split(",")[:3] for line in result.stdout.splitlines()[1:]] == [
        ["0", "10", "aws-vpc-cni"], ["1", "10", "calico:VXLAN"], ["2", "20", "aws-vpc-cni"],
        ["3", "20", "calico:VXLAN"]]
    assert place.new_files() == ["tiny-sweep.db"]
    result = place.cnisim("sweep", "tiny.yaml", "--vary", "workloads[api].replicas=10", code=2)
    assert "tiny-sweep.db: it exists; --overwrite" in result.stderr, result.stderr


def test_threads_and_shards_change_nothing(place):
    write_sweep(place)
    place.cnisim("sweep", "warm.yaml", "-j", "1", "--db", "one.db")
    place.cnisim("sweep", "warm.yaml", "-j", "4", "--db", "four.db")
    assert place.contents("one.db") == place.contents("four.db")
    for i in (3, 1, 2):
        place.cnisim("sweep", "warm.yaml", "--shard", f"{i}/3")
    parts = [f"warm-{i}of3.db" for i in (1, 2, 3)]
    result = place.cnisim("merge", *parts[1:], code=2)
    assert "of 8 runs of sweep 'warm' these are missing: 1 to 2" in result.stderr, result.stderr
    place.cnisim("merge", *parts[1:], "--if-complete")
    assert "warm.db" not in place.files()
    result = place.cnisim("merge", *reversed(parts))
    assert place.contents("one.db") == place.contents("warm.db")
    assert place.rows("one.db", "SELECT * FROM sweep") == place.rows("warm.db", "SELECT * FROM sweep")
    assert result.stdout == place.cnisim("sweep", "warm.yaml", "--resume", "--db",
                                         "one.db").stdout


def test_merge_refuses_what_is_not_one_sweep(place):
    write_sweep(place)
    place.cnisim("sweep", "warm.yaml", "--shard", "1/2", "--db", "a.db")
    place.cnisim("sweep", "warm.yaml", "--shard", "2/2", "--set", "spec.duration=4m", "--db", "b.db")
    result = place.cnisim("merge", "a.db", "b.db", code=2)
    assert "a.db and b.db are parts of different sweeps" in result.stderr, result.stderr
    result = place.cnisim("merge", "a.db", "a.db", code=2)
    assert "another part has runs of it too" in result.stderr, result.stderr
    place.cnisim("run", "tiny.yaml", "--db", "c.db")
    result = place.cnisim("merge", "c.db", code=2)
    assert "c.db: it is no part of a sweep" in result.stderr, result.stderr
    place.cnisim("sweep", "warm.yaml", "--shard", "2/2", "--db", "d.db")
    result = place.cnisim("merge", "a.db", "d.db", "--db", "d.db", code=2)
    assert "d.db: it is an input" in result.stderr, result.stderr


def run_and_kill(place, kill, *arguments):
    process = subprocess.Popen([CNISIM, *arguments], cwd=place.path, stderr=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, text=True)
    parts = place.path / "slow-sweep.db.parts"
    before = len(list(parts.glob("run-?.db")))
    deadline = time.monotonic() + 120
    while len(list(parts.glob("run-?.db"))) == before and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(kill)
    _, stderr = process.communicate(timeout=60)
    return process.returncode, stderr, len(list(parts.glob("run-?.db")))


def test_a_killed_sweep_goes_on(place):
    slow = (place.path / "tiny.yaml").read_text().replace("name: tiny", "name: slow").replace(
        "duration: 5m", "duration: 12h")
    (place.path / "slow.yaml").write_text(slow)
    sweep = ("sweep", "slow.yaml", "--vary", "workloads[api].replicas=10,20,25,30,35,40,45,600",
             "-j", "1")
    place.cnisim(*sweep, "--db", "whole.db", code=3)
    code, _, done = run_and_kill(place, signal.SIGKILL, *sweep)
    assert code == -signal.SIGKILL and 0 < done < 8, (code, done)
    assert "slow-sweep.db" not in place.files()
    result = place.cnisim(*sweep, code=2)
    assert "an unfinished sweep is there; --resume" in result.stderr, result.stderr
    result = place.cnisim(*sweep, "--set", "seed=3", "--resume", code=2)
    assert "is another one" in result.stderr, result.stderr
    code, stderr, later = run_and_kill(place, signal.SIGINT, *sweep, "--resume")
    assert code == 130 and later > done, (code, stderr)
    assert "--resume goes on with it" in stderr, stderr
    result = place.cnisim(*sweep, "--resume", code=3)
    assert "of 8 runs are done already" in result.stderr, result.stderr
    assert "slow-sweep.db.parts" not in place.files()
    assert place.contents("whole.db") == place.contents("slow-sweep.db")
    result = place.cnisim(*sweep, "--resume", code=3)
    assert "slow-sweep.db has all of it already" in result.stderr, result.stderr


def test_expectations_that_fail_are_counted(place):
    result = place.cnisim("sweep", "tiny.yaml", "--vary", "workloads[api].replicas=10,600",
                          "--seeds", "1..2", code=3)
    assert [line.split()[-1] for line in result.stdout.splitlines()[1:]] == ["0/2", "2/2"], result


def test_mistakes_leave_nothing_behind(place):
    write_sweep(place, SWEEP.replace("[10, 15]", "[-1, 15]"))
    for arguments, wanted in (
            (["warm.yaml"], "(cell WARM_IP_TARGET=5, replicas=-1)"),
            (["tiny.yaml"], "nothing is varied"),
            (["tiny.yaml", "--vary", "nope=1"], "unknown key 'nope'"),
            (["tiny.yaml", "--vary", "seed=1", "--vary", "seed=2"], "it is varied twice"),
            (["tiny.yaml", "--vary", "seed=1,2", "--metric", "pods.p99"], "unknown metric 'pods'"),
            (["tiny.yaml", "--vary", "seed=1,2", "--shard", "3/2"], "write 1/4"),
            (["warm.yaml", "--vary", "seed=1,2"], "--vary is for scenarios"),
            (["no.yaml"], "no.yaml: "),
            ([], "one sweep or scenario, please")):
        result = place.cnisim("sweep", *arguments, code=2)
        assert wanted in result.stderr, (arguments, result.stderr)
        assert place.new_files() == [], place.new_files()


def test_kubernetes_gets_an_indexed_job(place):
    try:
        import yaml
    except ImportError:
        return
    write_sweep(place)
    result = place.cnisim("sweep", "warm.yaml", "--emit", "kubernetes", "--shards", "3", "--image",
                          "registry/cnisim:1")
    assert place.new_files() == []
    config, claim, job = yaml.safe_load_all(result.stdout)
    assert [config["kind"], claim["kind"], job["kind"]] == ["ConfigMap", "PersistentVolumeClaim",
                                                            "Job"]
    assert job["spec"]["completionMode"] == "Indexed" and job["spec"]["completions"] == 3
    pod = job["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert container["image"] == "registry/cnisim:1"
    # Played as the job's pods would be: its volumes, its command, every index.
    inputs, outputs = place.path / "in", place.path / "out"
    outputs.mkdir()
    for item in pod["volumes"][0]["configMap"]["items"]:
        target = inputs / item["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(config["data"][item["key"]])
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    shell, flag, script = container["command"]
    script = script.replace(mounts["sweep"], str(inputs)).replace(mounts["results"], str(outputs))
    binaries = place.path / "bin"
    binaries.mkdir()
    (binaries / "cnisim").symlink_to(CNISIM)
    for index in (2, 0, 1):
        assert not (outputs / "warm.db").exists()
        subprocess.run([shell, flag, script], check=True, timeout=300, capture_output=True,
                       env={"JOB_COMPLETION_INDEX": str(index), "PATH": f"{binaries}:/usr/bin:/bin"})
    place.cnisim("sweep", "warm.yaml")
    assert place.contents("warm.db") == place.contents("out/warm.db")


def test_slurm_gets_an_array_job(place):
    write_sweep(place)
    result = place.cnisim("sweep", "warm.yaml", "--emit", "slurm", "--seeds", "1..3")
    # Played with a stand-in for sbatch that runs each task of the array at once.
    binaries = place.path / "bin"
    binaries.mkdir()
    (binaries / "sbatch").write_text(
        "#!/bin/bash\n"
        "cat > job.sh; echo \"$@\" >> sbatch.txt\n"
        "tasks=$(echo \"$@\" | sed -n 's/.*--array=\\([0-9]*\\)-\\([0-9]*\\).*/\\1 \\2/p')\n"
        "for i in $(seq ${tasks:-1 1}); do\n"
        "  SLURM_ARRAY_TASK_ID=$i bash job.sh > task.log 2>&1 || exit 1\n"
        "done\n"
        "echo 7\n")
    (binaries / "sbatch").chmod(0o755)
    (place.path / "submit.sh").write_text(result.stdout)
    told = subprocess.run(["bash", "submit.sh", "--partition=p"], cwd=place.path, check=True,
                          timeout=300, capture_output=True, text=True,
                          env={"CNISIM": CNISIM, "PATH": f"{binaries}:/usr/bin:/bin"})
    assert told.stdout == "array job 7, merge job 7\n", told
    submitted = (place.path / "sbatch.txt").read_text()
    assert "--array=1-4" in submitted and "--dependency=afterok:7" in submitted, submitted
    assert submitted.count("--partition=p") == 2, submitted
    place.cnisim("sweep", "warm.yaml", "--seeds", "1..3", "--db", "local.db")
    assert place.contents("warm.db") == place.contents("local.db")


if __name__ == "__main__":
    main(globals())
