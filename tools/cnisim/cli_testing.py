"""A working directory with scenarios and the cnisim binary, and a runner, for tests of the CLI.

usage of a test that ends with main(globals()): X_test.py CNISIM [NAME...]    runs all its tests,
or those whose name contains a NAME
"""

import inspect
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

CNISIM = os.path.abspath(sys.argv[1])

TINY = """
apiVersion: cnisim.dev/v1alpha1
kind: Scenario
metadata: {name: tiny}
spec:
  duration: 5m
  seed: 7
  vpc:
    cidrBlocks: [10.0.0.0/16]
    subnets:
      - {name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/24}
  nodeGroups:
    - {name: workers, instanceType: m5.large, desiredCapacity: 3}
  workloads:
    - {name: api, kind: Deployment, replicas: 30, podLifetime: {exponential: {mean: 1m}}}
  expectations:
    - {name: pods start, assert: "pod_ip_wait_seconds.p50 <= 1s"}
    - {name: room left, assert: "subnet_free_ips.min >= 10"}
"""
FAILING = TINY.replace("name: tiny", "name: failing").replace("min >= 10", "min >= 1000")
BROKEN = TINY.replace("replicas: 30", "replica: 30")
# Longer than any test waits.
ENDLESS = TINY.replace("name: tiny", "name: endless").replace("duration: 5m", "duration: 3000d")


class Skip(Exception):
    pass


class Place:
    """A working directory with the scenarios in it."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        for name, text in (("tiny", TINY), ("failing", FAILING), ("broken", BROKEN),
                           ("endless", ENDLESS)):
            (self.path / f"{name}.yaml").write_text(text)
        self.given = self.files()

    def files(self):
        return sorted(p.name for p in self.path.iterdir())

    def new_files(self):
        return [name for name in self.files() if name not in self.given]

    def cnisim(self, *arguments, code=0, **options):
        result = subprocess.run([CNISIM, *arguments], cwd=self.path, text=True, timeout=300,
                                stdin=options.pop("stdin", subprocess.DEVNULL),
                                stdout=options.pop("stdout", subprocess.PIPE),
                                stderr=options.pop("stderr", subprocess.PIPE), **options)
        assert result.returncode == code, (
            f"cnisim {' '.join(arguments)}: exit code {result.returncode}, not {code}\n"
            f"{result.stdout}\n{result.stderr}")
        return result

    def rows(self, db, sql):
        with sqlite3.connect(f"file:{self.path / db}?mode=ro", uri=True) as connection:
            return connection.execute(sql).fetchall()

    def contents(self, db):
        """Everything but what the wall clock and the machine decide."""
        tables = [name for (name,) in self.rows(
            db, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        content = {name: self.rows(db, f"SELECT * FROM {name} ORDER BY rowid") for name in tables}
        content["run"] = self.rows(db, "SELECT run_id, scenario, seed, repetition, status, version, "
                                       "resolved_yaml, sim_ns, events, fingerprint FROM run")
        return content


def main(tests):
    """Runs the functions test_* of the mapping, in their order."""
    wanted = sys.argv[2:]
    failed = []
    for name, test in sorted(tests.items(),
                             key=lambda item: inspect.getsourcelines(item[1])[1]
                             if inspect.isfunction(item[1]) else 0):
        if not name.startswith("test_") or (wanted and not any(w in name for w in wanted)):
            continue
        folder = tempfile.mkdtemp(prefix="cnisim-cli-")
        os.chmod(folder, 0o755)
        begin = time.monotonic()
        try:
            test(Place(folder))
            verdict = "ok"
        except Skip as skip:
            verdict = f"skipped in part: {skip}"
        except (AssertionError, subprocess.TimeoutExpired) as error:
            verdict = f"FAILED: {error}"
            failed.append(name)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        print(f"{name} ({time.monotonic() - begin:.1f} s): {verdict}", flush=True)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)
