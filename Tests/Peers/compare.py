"""groksweep's training step and its peers at the paper's shape, timed side by side on one core.

First every peer must reproduce a fixture's train losses; then all engines train the same start, and must agree on the
train loss after some epochs; only then they are timed, in rounds in which each engine trains for about the same time.
Prints the table on stdout as Markdown, everything else on stderr.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import peer
from surroundings import ROOT, commit, machine, say

HERE = Path(__file__).resolve().parent
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}
CALIBRATION_EPOCHS = peer.CHECKED_EPOCHS + 1  # the last of their losses is the one after CHECKED_EPOCHS steps


class Peer:
    """A peer's process, which keeps its model between rounds and sleeps while others are timed."""

    def __init__(self, name, script, start):
        self.name = name
        self.command = [sys.executable, str(HERE / script)]
        self.start = start

    def check(self):
        done = subprocess.run([*self.command, "check"], stdout=subprocess.PIPE, text=True)
        say(f"  {self.name}: {done.stdout.strip()}")
        return done.returncode == 0

    def open(self):
        self.process = subprocess.Popen(
            [*self.command, "serve", self.start], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, epochs):
        self.process.stdin.write(f"{epochs}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"compare: {self.name} ended")
        return json.loads(answer)

    def loss_after_checked_epochs(self):
        return self.run(CALIBRATION_EPOCHS)["losses"][-1]

    def milliseconds(self, epochs):
        return 1000 * self.run(epochs)["seconds"] / epochs

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Groksweep:
    """The command itself. Time per epoch is the difference between a long and a short run: what both have in common,
    start-up, two evaluations and the final analysis, cancels."""

    name = "groksweep"
    SHORT = 10

    def __init__(self, program, start):
        self.program = program
        self.start = start

    def train(self, epochs):
        command = [self.program, "train", str(ROOT / "configs" / "paper.yaml"), "--start", self.start, "--json"]
        command += ["--epochs", str(epochs), "--evaluate-every", str(epochs)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"compare: {' '.join(command)} failed\n{done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def loss_after_checked_epochs(self):
        *evaluations, _ = self.train(peer.CHECKED_EPOCHS)
        assert evaluations[-1]["epoch"] == peer.CHECKED_EPOCHS
        return evaluations[-1]["train_loss"]

    def milliseconds(self, epochs):
        short, long = (self.train(n)[-1]["seconds"] for n in (self.SHORT, self.SHORT + epochs))
        return 1000 * (long - short) / epochs

    def version(self):
        done = subprocess.run([self.program, "version", "--json"], stdout=subprocess.PIPE, text=True, check=True)
        answer = json.loads(done.stdout)
        return f"groksweep {answer['build']} ({answer['kernel_path']})"

    def close(self):
        pass


def measure(engines, rounds, seconds):
    """Milliseconds per epoch of each engine in each round."""
    epochs = {}
    for engine in engines:
        # At least 5 epochs, and 50 of ours: what does not cancel exactly is spread over them.
        least = 50 if isinstance(engine, Groksweep) else 5
        epochs[engine.name] = max(least, round(1000 * seconds / engine.milliseconds(least)))
    times = {engine.name: [] for engine in engines}
    for number in range(1, rounds + 1):
        for engine in engines:
            times[engine.name].append(engine.milliseconds(epochs[engine.name]))
        say(f"  round {number} of {rounds}:", ", ".join(f"{name} {t[-1]:.1f}" for name, t in times.items()))
    return times


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--groksweep", default=str(ROOT / ".build" / "release" / "groksweep"), help="the program")
    parser.add_argument("--rounds", type=int, default=9, help="of timing")
    parser.add_argument("--seconds", type=float, default=3, help="of training, per engine and round")
    last = max(os.sched_getaffinity(0))
    parser.add_argument("--core", type=int, default=last, help="that all run on")
    options = parser.parse_args()

    os.sched_setaffinity(0, {options.core})  # children inherit it
    os.environ.update(ONE_THREAD)
    load = os.getloadavg()[0]

    with tempfile.TemporaryDirectory() as folder:
        start = str(Path(folder) / "start.safetensors")
        peer.save_paper_start(start)
        ours = Groksweep(options.groksweep, start)
        peers = [
            Peer("PyTorch, as the released code", "released_step.py", start),
            Peer("PyTorch, the same with its test loss at every epoch", "with_test_loss_step.py", start),
            Peer("PyTorch, written well", "torch_step.py", start),
            Peer("JAX, jitted", "jax_step.py", start),
        ]

        say("The fixture:")
        if not all([each.check() for each in peers]):
            sys.exit("compare: a peer does not compute what it should; nothing was timed")

        say(f"The paper's shape, train loss after {peer.CHECKED_EPOCHS} epochs from one start:")
        for each in peers:
            each.open()
        engines = [ours, *peers]
        losses = [each.loss_after_checked_epochs() for each in engines]
        for each, loss in zip(engines, losses, strict=True):
            say(f"  {each.name}: {loss:.6f}")
        if max(losses) - min(losses) > peer.TOLERANCE:
            sys.exit("compare: the engines do not train the same model; nothing was timed")

        say("Milliseconds per epoch:")
        times = measure(engines, options.rounds, options.seconds)
        for each in engines:
            each.close()

    medians = {name: statistics.median(values) for name, values in times.items()}
    print("| engine | ms per epoch, median | min | times groksweep's |")
    print("|---|---:|---:|---:|")
    for name, values in times.items():
        ratio = medians[name] / medians[ours.name]
        print(f"| {name} | {medians[name]:.1f} | {min(values):.1f} | {ratio:.1f} |")
    print()
    print(
        f"One core of {machine()}, one thread; {options.rounds} interleaved rounds of about {options.seconds:g} s; "
        f"load average before {load:.1f}. {ours.version()}, commit {commit()}, torch {version('torch')}, "
        f"jax {version('jax')}, Python {platform.python_version()}, {datetime.date.today()}."
    )


if __name__ == "__main__":
    main()
