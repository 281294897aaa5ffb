#!/usr/bin/env python3
"""Checks the arrows between the layers: an include may only point sideways or down.

    tools/check_layers.py [ROOT]     exit 1 and one line per include that points the wrong way
    tools/check_layers.py --self-test

Each directory names the directories that it may include from, besides itself. Tests and benchmarks
may also use the fakes of the testing directories.
"""
import pathlib
import re
import sys
import tempfile

ALLOWED = {
    "core/net": [],
    "core/ports": ["core/net"],
    "core/telemetry": ["core/net", "core/ports"],
    "core/ipam": ["core/net", "core/ports", "core/telemetry"],
    "core/ipam/calico": ["core/net", "core/ports"],
    "core/routing": ["core/net", "core/ports"],
    "core/rpc": ["core/net", "core/ports", "core/telemetry"],
    "core/cni": ["core/net", "core/ports", "core/telemetry", "core/rpc"],
    "core/host": ["core/net", "core/ports", "core/ipam", "core/routing", "core/cni"],
    "core/ipamd": ["core/net", "core/ports", "core/ipam", "core/rpc", "core/telemetry"],
    "core/ipam/testing": ["core/net", "core/ports", "core/ipam"],
    "core/rpc/testing": ["core/net", "core/ports", "core/rpc", "core/ipam/testing"],
    "core/cni/testing": ["core/net", "core/ports", "core/rpc", "core/cni", "core/ipam/testing",
                         "core/rpc/testing"],
    "sim/engine": ["core/net", "core/ports"],
    "sim/observe": ["core/net", "core/ports"],
    "sim/cloud": ["core/net", "core/ports", "core/ipam", "sim/engine", "sim/observe"],
    "sim/dataplane": ["core/net", "core/ports", "core/routing", "sim/engine", "sim/observe"],
    "sim/scenario": ["core/net", "core/ports", "core/ipam", "core/cni", "sim/engine", "sim/observe",
                     "sim/cloud", "sim/dataplane"],
    "sim/scenario/advice": ["core/net", "core/ports", "core/ipam", "sim/cloud", "sim/dataplane",
                            "sim/scenario"],
    "sim/cluster": ["core/net", "core/ports", "core/ipam", "core/ipam/calico", "core/rpc",
                    "core/cni", "core/host", "core/ipamd", "core/routing", "core/telemetry", "sim/engine",
                    "sim/observe", "sim/cloud", "sim/dataplane", "sim/scenario"],
    "sim/import": ["core/net", "core/ports", "core/ipam", "core/telemetry", "sim/engine",
                   "sim/cloud", "sim/scenario", "sim/cluster"],
    "results": ["core/net", "core/ports", "sim/observe", "sim/scenario"],
    "tools": ["core", "sim", "results", "tools"],
}
TESTING = [layer for layer in ALLOWED if layer.endswith("/testing")]
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def layer_of(path):
    """The longest known directory that holds `path`, or None."""
    parents = [str(p) for p in pathlib.PurePosixPath(path).parents]
    return next((p for p in parents if p in ALLOWED), None)


def violations(root):
    for source in sorted(root.rglob("*")):
        relative = source.relative_to(root).as_posix()
        if source.suffix not in (".h", ".cc", ".inc") or relative.startswith("build/"):
            continue
        layer = layer_of(relative)
        if layer is None:
            yield f"{relative}: belongs to no layer; name its directory in tools/check_layers.py"
            continue
        allowed = ALLOWED[layer]
        if relative.endswith("_test.cc"):
            allowed = allowed + TESTING
        for included in INCLUDE.findall(source.read_text(encoding="utf-8")):
            target = layer_of(included)
            if target is None or target == layer:
                continue  # generated beside its includer, or the layer's own
            if layer != "tools" and target not in allowed:
                yield f"{relative}: {layer} must not include {included}"


def self_test():
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        for name, text in {
            "core/ipam/good.h": '#include "core/net/ipv4.h"\n',
            "core/ipam/bad.h": '#include "sim/engine/simulation.h"\n',
            "core/net/bad.cc": '#include "core/ipam/agent.h"\n',
            "results/bad.h": '#include "sim/cluster/world.h"\n',
            "core/ipam/fine_test.cc": '#include "core/ipam/testing/fake_world.h"\n',
            "stray/file.h": "",
        }.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        found = sorted(line.split(":")[0] for line in violations(root))
        expected = ["core/ipam/bad.h", "core/net/bad.cc", "results/bad.h", "stray/file.h"]
        assert found == expected, found


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        sys.exit(0)
    project = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    bad = list(violations(project))
    print("\n".join(bad) if bad else "all includes point down")
    sys.exit(1 if bad else 0)
