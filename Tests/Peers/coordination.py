"""What a task costs that does nothing: groksweep's points beside tasks and trials of others, on one machine, in one run.

Every system hands out its tasks in the way it is meant to be used on one machine, and keeps its results as it does by
default; only groksweep and Optuna have them on disk before the next one. Rounds in which each has a turn; medians.
Prints the table on stdout as Markdown, everything else on stderr.
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version

from surroundings import ROOT, commit, machine, say

CORES = len(os.sched_getaffinity(0))


def nothing(number):
    return number


class Groksweep:
    """`bench coordination` with workers that return at once; registration is not timed, as elsewhere submission is not."""

    what = "point: grant, result in SQLite with fsync, receipt"

    def __init__(self, program, workers):
        self.program, self.workers = program, workers
        self.name = f"groksweep, {workers} workers"

    def microseconds(self, seconds):
        command = [self.program, "bench", "coordination", "--json", "--workers", str(self.workers)]
        command += ["--points", "100000", "--seconds", str(seconds)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"coordination: {' '.join(command)} failed")
        return json.loads(done.stdout)["rates"][0]["us_per_point"]

    def close(self):
        pass


class Timed:
    """A system that is asked for a number of tasks; asked a second time for as many as take long enough."""

    first = 200

    def microseconds(self, seconds):
        each = self.time(self.first) / self.first
        count = max(self.first, round(seconds / each))
        return 1e6 * self.time(count) / count

    def time(self, count):
        began = time.perf_counter()
        self.run(count)
        return time.perf_counter() - began


class HyperQueue(Timed):
    """One job of many tasks. Its client looks once a second whether all is done, hence the many."""

    name = f"HyperQueue, a worker of {CORES} cores"
    what = "task: starts the program `true`"
    first = 1000

    def __init__(self):
        from hyperqueue import LocalCluster

        self.cluster = LocalCluster()
        self.cluster.start_worker()
        self.client = self.cluster.client()

    def microseconds(self, seconds):
        # At least ten seconds, so that the client's second is a tenth of them at most.
        return super().microseconds(max(seconds, 10))

    def run(self, count):
        from hyperqueue import Job

        job = Job()
        for _ in range(count):
            job.program(["true"], stdout=None, stderr=None)
        with contextlib.redirect_stdout(sys.stderr):
            self.client.wait_for_jobs([self.client.submit(job)])

    def close(self):
        self.cluster.stop()


class Dask(Timed):
    name = f"Dask, {CORES} worker processes"
    what = "task: calls a function; results in memory"
    first = 1000

    def __init__(self):
        from distributed import Client, LocalCluster

        self.cluster = LocalCluster(n_workers=CORES, threads_per_worker=1, dashboard_address=None)
        self.client = Client(self.cluster)
        self.asked = 0

    def run(self, count):
        # Arguments never seen before: Dask does not compute the same thing twice.
        self.client.gather(self.client.map(nothing, range(self.asked, self.asked + count)))
        self.asked += count

    def close(self):
        self.client.close()
        self.cluster.close()


class Optuna(Timed):
    name = "Optuna, one process"
    what = "trial: one parameter, storage in SQLite"

    def __init__(self):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.folder = tempfile.TemporaryDirectory()
        self.study = optuna.create_study(
            storage=f"sqlite:///{self.folder.name}/optuna.sqlite", sampler=optuna.samplers.RandomSampler(0)
        )

    def run(self, count):
        self.study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=count)

    def close(self):
        self.folder.cleanup()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--groksweep", default=str(ROOT / ".build" / "release" / "groksweep"), help="the program")
    parser.add_argument("--rounds", type=int, default=3, help="of timing")
    parser.add_argument("--seconds", type=float, default=3, help="of tasks, per system and round")
    options = parser.parse_args()
    load = os.getloadavg()[0]

    kinds = [lambda: Groksweep(options.groksweep, 10), lambda: Groksweep(options.groksweep, 1), HyperQueue, Dask, Optuna]
    times, what = {}, {}
    for number in range(1, options.rounds + 1):
        for kind in kinds:
            # Opened for its turn only: idle servers and workers would take time from the others.
            system = kind()
            try:
                times.setdefault(system.name, []).append(system.microseconds(options.seconds))
                what[system.name] = system.what
            finally:
                system.close()
        say(f"  round {number} of {options.rounds}:", ", ".join(f"{name} {t[-1]:.0f}" for name, t in times.items()))

    ours = statistics.median(next(iter(times.values())))
    print("| system | a … that does nothing | µs, median | min | times groksweep's |")
    print("|---|---|---:|---:|---:|")
    for name, values in times.items():
        median = statistics.median(values)
        print(f"| {name} | {what[name]} | {median:,.0f} | {min(values):,.0f} | {median / ours:.1f} |")
    print()
    build = json.loads(
        subprocess.run([options.groksweep, "version", "--json"], stdout=subprocess.PIPE, text=True, check=True).stdout
    )["build"]
    print(
        f"{CORES} cores of {machine()}; {options.rounds} rounds; load average before {load:.1f}. groksweep {build}, commit "
        f"{commit()}, hyperqueue {version('hyperqueue')}, distributed {version('distributed')}, optuna "
        f"{version('optuna')}, Python {platform.python_version()}, {datetime.date.today()}."
    )


if __name__ == "__main__":
    main()
