#!/usr/bin/env python3
"""Every profile beside its measurements: within their tolerances, and as DESIGN.md has it.

    calibration_test.py CNISIM       with UPDATE_GOLDEN=1 writes DESIGN.md's table anew
"""
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
MEASUREMENTS = ROOT / "sim" / "dataplane" / "calibration"
DESIGN = ROOT / "DESIGN.md"
BEGIN = "<!-- calibration: written by tools/cnisim/calibrate/calibration_test.py -->\n"
END = "<!-- end of calibration -->\n"
UNITS = {"udp_flood": "/s", "tcp_stream": "Gbit/s"}


def predictions(cnisim, name):
    """The rows of cnisim calibrate; fails if one is off by more than its tolerance."""
    result = subprocess.run([cnisim, "calibrate", MEASUREMENTS / f"{name}.csv", "--profile", name,
                             "-o", "json"], text=True, capture_output=True, timeout=120)
    assert result.returncode == 0, f"{name}: exit code {result.returncode}\n{result.stderr}{result.stdout}"
    return json.loads(result.stdout)


def cells(name, row):
    ratio = row["ratio_to"]
    what = row["network"] + (f" / {ratio}" if ratio else "") + f" {row['test']}"
    if row["test"] != "tcp_stream":
        what += f", {row['bytes']} B"
    if row["flows"] > 1:
        what += f", {row['flows']} flows"
    if row["label"]:
        what += f" ({row['label']})"
    unit = "" if ratio else UNITS.get(row["test"], "µs")
    off = f"{row['off_percent']:+.1f} %"
    if row["verdict"] is None:
        off = f"**{off}**"
    return (name, what, f"{row['measured']:g} {unit}".strip(), f"{row['model']:g}", off, row["use"])


def table(rows):
    lines = [("profile", "measurement", "measured", "model", "off", ""), ("---",) * 6, *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def main():
    cnisim = os.path.abspath(sys.argv[1])
    rows = [cells(path.stem, row) for path in sorted(MEASUREMENTS.glob("*.csv"))
            for row in predictions(cnisim, path.stem)]
    design = DESIGN.read_text()
    wanted = re.sub(f"(?<={re.escape(BEGIN)}).*(?={re.escape(END)})", lambda _: table(rows), design,
                    flags=re.DOTALL)
    assert table(rows) in wanted, "DESIGN.md has no place for the table of calibrations"
    if os.environ.get("UPDATE_GOLDEN"):
        DESIGN.write_text(wanted)
    else:
        assert design == wanted, ("DESIGN.md's table of calibrations is not what the model says "
                                  f"(UPDATE_GOLDEN=1 writes it anew):\n{table(rows)}")


if __name__ == "__main__":
    main()
