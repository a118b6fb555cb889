"""Fills the pending points of a store with copies of one stored run, stretched in time: a store of real size to draw.

    python3 Tests/Peers/copied_runs.py ONE_RUN.sqlite REGISTERED.sqlite

ONE_RUN holds a finished run; REGISTERED a sweep of the same model whose points were only registered (`groksweep coordinator`
that was stopped before a worker came). Every point gets the run with its epochs stretched by a factor that depends on its
weight decay, its train fraction and its seeds, so that figures have something to show; runs that would grok after their last
epoch are censored. What comes out is for measuring and for looking at pages, never a result.
"""

import math
import random
import sqlite3
import sys

TABLES = ["key_frequency", "digest", "final_measure", "neuron", "head", "ablation"]


def columns(db, table, schema="main"):
    return [row[1] for row in db.execute(f"PRAGMA {schema}.table_info({table})")]


def copy(db, table, point, source, replace=None):
    replace = {"point": str(point), **(replace or {})}
    names = columns(db, table)
    values = ", ".join(replace.get(name, name) for name in names)
    db.execute(
        f"INSERT INTO main.{table} ({', '.join(names)}) SELECT {values} FROM source.{table} WHERE point = ?", (source,))


def fill(db, point, source, run, factor, grids):
    memorized, grokked, epochs = run["memorization_epoch"], run["grokking_epoch"], run["epochs"]
    grokking = int(grokked * factor)
    is_censored = grokking > epochs
    fields = {
        "outcome": "'memorized'" if is_censored else "'grokked'",
        "memorization_epoch": str(memorized),
        "grokking_epoch": "NULL" if is_censored else str(max(grokking, memorized + 1)),
        "censored_after": str(epochs) if is_censored else "NULL",
        "worker": "1", "lease": "NULL",
        "seconds": f"seconds * {random.uniform(0.95, 1.05)}",
    }
    copy(db, "run", point, source, fields)
    names = [name for name in columns(db, "evaluation") if name not in ("point", "epoch")]
    listed = ", ".join(names)
    # What stands at an epoch is what the run had at that epoch of its own time.
    db.executemany(
        f"INSERT INTO main.evaluation (point, epoch, {listed}) SELECT ?, ?, {listed} FROM source.evaluation "
        "WHERE point = ? AND epoch = ?",
        [(point, epoch, source, grids[min(range(len(grids)), key=lambda i: abs(grids[i] - epoch / factor))])
         for epoch in grids])
    for table in TABLES:
        copy(db, table, point, source)
    copy(db, "spectrum", point, source)
    copy(db, "frequency_evaluation", point, source)


def main(one, target):
    db = sqlite3.connect(target)
    db.row_factory = sqlite3.Row
    db.execute("ATTACH ? AS source", (one,))
    db.execute("PRAGMA foreign_keys = ON")
    run = db.execute("SELECT * FROM source.run WHERE outcome = 'grokked' LIMIT 1").fetchone()
    grids = [row[0] for row in db.execute(
        "SELECT epoch FROM source.evaluation WHERE point = ? ORDER BY epoch", (run["point"],))]
    names = columns(db, "worker")
    with db:
        db.execute(
            f"INSERT INTO main.worker ({', '.join(names)}) SELECT {', '.join('1' if n == 'number' else n for n in names)} "
            "FROM source.worker WHERE number = ?", (run["worker"],))
        points = db.execute(
            "SELECT number, weight_decay, train_fraction, model_seed, data_seed FROM point WHERE state = 'pending'").fetchall()
        for point in points:
            random.seed(f"{point['model_seed']} {point['data_seed']} {point['weight_decay']} {point['train_fraction']}")
            factor = point["weight_decay"] ** -0.9 * (0.3 / point["train_fraction"]) ** 3 * math.exp(random.gauss(0, 0.25))
            fill(db, point["number"], run["point"], run, factor, grids)
    print(f"{target}: {len(points)} points filled")


if __name__ == "__main__":
    main(*sys.argv[1:])
