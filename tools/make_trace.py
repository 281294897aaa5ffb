#!/usr/bin/env python3
"""Makes the dense synthetic trace that goes with the project, in cnisim's own format.

    tools/make_trace.py > scenarios/traces/dense.csv

Two hours of a busy small cluster: arrivals swing between 6 and 30 pods a minute with a period of
40 minutes; most pods live for a minute or two, one in eight for half an hour. The same arguments give
the same file.
"""
import argparse
import math
import random


def pods(seed, minutes):
    rng = random.Random(seed)
    time = 0.0
    number = 0
    while True:
        rate = 18 - 12 * math.cos(2 * math.pi * time / 2400)  # pods a minute
        time += rng.expovariate(rate / 60)
        if time >= minutes * 60:
            return
        number += 1
        service = rng.random() < 1 / 8
        life = rng.lognormvariate(math.log(1800 if service else 75), 0.5 if service else 0.8)
        cpu, memory = rng.choice([(50, 64), (100, 128), (100, 256), (250, 512)])
        deleted = time + life
        yield (f"pod-{number:05d}", time, deleted if deleted < minutes * 60 else None, cpu, memory)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=int, default=120)
    arguments = parser.parse_args()
    print("name,created,deleted,cpu,memory")
    for name, created, deleted, cpu, memory in pods(arguments.seed, arguments.minutes):
        end = "" if deleted is None else f"{deleted:.3f}"
        print(f"{name},{created:.3f},{end},{cpu}m,{memory}Mi")
