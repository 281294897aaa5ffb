#!/usr/bin/env python3
"""Runs every command of README.md as a reader would, and validates its YAML.

    tools/readme_test.py CNISIM

Commands are the lines of ```sh blocks, and of ```console blocks those that begin with "$ ": what
follows is what they must print, on standard output or on both, that first, "..." standing for any lines. `tools/dev run` and
`tools/dev cnisim` are run with the binary
at hand; `tools/dev test` is left out, as it is what runs this.
"""
import functools
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LEFT_OUT = {"tools/dev test"}


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def command_of(line, binary):
    for prefix, replacement in (("tools/dev run ", [binary, "run"]), ("tools/dev cnisim ", [binary])):
        if line.startswith(prefix):
            return replacement + shlex.split(line[len(prefix):])
    if line.startswith("grep "):
        return shlex.split(line)
    raise SystemExit(f"README.md: cannot run {line!r}")


def console_commands(text):
    """(command, expected lines) of every console block."""
    for block in blocks(text, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            yield command, [line.rstrip() for line in expected.rstrip("\n").split("\n")]


def prints(expected, output):
    """Whether the lines of `output` are those expected."""
    lines = [line.rstrip() for line in output.rstrip("\n").split("\n")]
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line) + r"\n"
                      for line in expected)
    return re.fullmatch(pattern, "\n".join(lines) + "\n") is not None


def main(binary):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [line for block in blocks(text, "sh") for line in block.splitlines()]
    checks = [(line, str.strip) for line in commands if line not in LEFT_OUT]
    checks += [(line, functools.partial(prints, expected))
               for line, expected in console_commands(text)]
    documents = blocks(text, "yaml")
    assert len(commands) >= 10 and documents, "README.md has lost its commands"
    failed = 0
    with tempfile.TemporaryDirectory() as directory:
        for folder in ("scenarios", "sim"):
            os.symlink(ROOT / folder, pathlib.Path(directory) / folder)
        for line, good_output in checks:
            result = subprocess.run(command_of(line, binary), cwd=directory, text=True,
                                    capture_output=True, check=False)
            good = result.returncode == 0 and (
                good_output(result.stdout) or good_output(result.stdout + result.stderr))
            print(f"{'ok  ' if good else 'FAIL'} {line}")
            if not good:
                failed += 1
                print(f"exit {result.returncode}\n{result.stdout}\n{result.stderr}")
        for document in documents:
            command = [binary, "validate", "-"]
            if "kind: Sweep" in document:
                # Loads every cell and runs none.
                (pathlib.Path(directory) / "sweep.yaml").write_text(document, encoding="utf-8")
                command = [binary, "sweep", "sweep.yaml", "--emit", "slurm"]
            result = subprocess.run(command, input=document, cwd=directory, text=True,
                                    capture_output=True, check=False)
            print(f"{'ok  ' if result.returncode == 0 else 'FAIL'} the YAML example")
            if result.returncode != 0:
                failed += 1
                print(result.stderr)
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        if not link.startswith("http") and not (ROOT / link).exists():
            print(f"FAIL link to {link}")
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
