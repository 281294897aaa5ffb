#!/usr/bin/env python3
"""Checks that no function of ours is defined in two libraries.

    tools/check_symbols.py BUILD     exit 1 and one line per function that is there twice

The linker takes whichever of two it meets first, without a word, and callers of the other one get
something else than they asked for.
"""
import pathlib
import re
import subprocess
import sys


def functions(library):
    listed = subprocess.run(["nm", "-C", "--defined-only", library], text=True, check=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return set(re.findall(r" T (cnisim::.*)", listed))


def main(build):
    homes = {}
    for library in sorted(pathlib.Path(build).rglob("*.a")):
        for function in functions(library):
            homes.setdefault(function, []).append(library.name)
    assert homes, f"no libraries below {build}"
    twice = {function: where for function, where in homes.items() if len(where) > 1}
    for function, where in sorted(twice.items()):
        print(f"{function}: {', '.join(where)}")
    print("every function is defined once" if not twice else f"{len(twice)} defined twice")
    return 1 if twice else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
