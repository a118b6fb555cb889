"""How much of two workers a sweep gets: the makespan of equal points on one worker and on two, and the coordinator's CPU.

A real coordinator and real workers on this machine, as `groksweep coordinator` and `groksweep worker` start them; rounds in
which one and two workers take turns. Prints a table on stdout as Markdown, everything else on stderr.
"""

import argparse
import os
import pathlib
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

from surroundings import commit, machine, say

SWEEP = """\
sweep: equal
task: {{operation: add, modulus: 53}}
model: {{d_model: 64, heads: 4, d_mlp: 256}}
training: {{epochs: {epochs}}}
measure: {{evaluate_every: 100}}
axes:
  seed: {{count: {points}}}
"""


class Ended:
    """A process that ended, with the CPU time of it and its children."""

    def __init__(self, process):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.seconds = usage.ru_utime + usage.ru_stime
        if process.returncode != 0:
            sys.exit(f"efficiency: {' '.join(process.args)} ended with {process.returncode}")


def run(program, workers, points, epochs):
    """(makespan, the coordinator's CPU, the workers' CPU, the time that points took), in seconds."""
    with tempfile.TemporaryDirectory(prefix="groksweep-efficiency-") as folder:
        folder = pathlib.Path(folder)
        (folder / "equal.yaml").write_text(SWEEP.format(epochs=epochs, points=points))
        endpoint = f"ipc://{folder}/socket"
        start = dict(cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        began = time.perf_counter()
        coordinator = subprocess.Popen(
            [program, "coordinator", "equal.yaml", "--store", "equal.sqlite", "--bind", endpoint, "--exit-when-done"],
            **start,
        )
        joined = [
            subprocess.Popen(
                [program, "worker", "--connect", endpoint, "--slots", "1", "--scratch", f"scratch-{number}"], **start
            )
            for number in range(workers)
        ]
        ended = Ended(coordinator)
        makespan = time.perf_counter() - began
        spent = sum(Ended(worker).seconds for worker in joined)
        with sqlite3.connect(folder / "equal.sqlite") as store:
            finished, taken = store.execute("SELECT count(*), sum(seconds) FROM runs").fetchone()
        if finished != points:
            sys.exit(f"efficiency: {finished} of {points} points finished")
        return makespan, ended.seconds, spent, taken


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--groksweep", required=True)
    parser.add_argument("--points", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.groksweep)
    say(f"{machine()}; {commit()}; load before: {os.getloadavg()[0]:.2f}")
    results = {1: [], 2: []}
    for number in range(arguments.rounds):
        for workers in results:
            results[workers].append(run(program, workers, arguments.points, arguments.epochs))
            makespan, coordinator, spent, taken = results[workers][-1]
            say(
                f"round {number + 1}, {workers} workers: {makespan:.1f} s, coordinator {coordinator:.2f} s of CPU, "
                f"workers {spent:.1f} s, points {taken:.1f} s"
            )
    def median(workers, value):
        return statistics.median(value(*round) for round in results[workers])

    alone = median(1, lambda makespan, *_: makespan)
    print("| workers | makespan, s | efficiency | time in points | coordinator's CPU, s | of one core |")
    print("|---|---|---|---|---|---|")
    for workers in results:
        makespan = median(workers, lambda makespan, *_: makespan)
        efficiency = alone / workers / makespan
        inside = median(workers, lambda makespan, _, __, taken: taken / makespan / workers)
        cpu = median(workers, lambda _, cpu, *__: cpu)
        share = median(workers, lambda makespan, cpu, *_: cpu / makespan)
        print(f"| {workers} | {makespan:.1f} | {efficiency:.1%} | {inside:.1%} | {cpu:.2f} | {share:.2%} |")


if __name__ == "__main__":
    main()
