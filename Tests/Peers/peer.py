"""What all peers share: the problem, its start weights, and the two modes of a peer's command line.

A peer is a class `Step`: `Step(problem)` sets everything up, `run(epochs)` trains on and returns the train loss before
each step. Its file ends with `peer.main(Step)`, which gives it the modes

    check           train the fixture and compare its train losses with those expected
    serve START     train START; for every number read from stdin run that many epochs and print their time and losses
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy
from safetensors.numpy import load_file, save_file

FIXTURE = Path(__file__).resolve().parent.parent / "GrokkingTests" / "Fixtures" / "small"
CHECKED_EPOCHS = 30
TOLERANCE = 1e-4

LEARNING_RATE = 1e-3
WEIGHT_DECAY = 1.0
BETAS = (0.9, 0.98)
EPSILON = 1e-8
WARMUP = 10


@dataclass
class Problem:
    """Train pairs, their labels, and start weights by name, in the shapes of docs/reference/measures.md."""

    tokens: numpy.ndarray  # (pairs, 3) of int64: a, b and `=`
    labels: numpy.ndarray  # (pairs) of int64
    test_tokens: numpy.ndarray  # of all other pairs
    operation: str
    p: int
    weights: dict[str, numpy.ndarray]  # of float32

    @staticmethod
    def load(path, operation):
        weights = load_file(path)
        chosen = weights.pop("train_mask").astype(bool)
        p = len(weights["embed.W_E"]) - 1

        def tokens(pairs):
            a, b = numpy.divmod(pairs, p)
            return numpy.stack([a, b, numpy.full_like(a, p)], axis=1)

        train = tokens(numpy.flatnonzero(chosen))
        a, b, _ = train.T
        labels = {"add": a + b, "subtract": a - b}[operation] % p
        return Problem(train, labels, tokens(numpy.flatnonzero(~chosen)), operation, p, weights)


def save_paper_start(path, p=113, d_model=128, heads=4, d_mlp=512, d_vocab_out=114, train_fraction=0.3):
    """A start of the paper's shape that every engine can load."""
    random = numpy.random.default_rng(0)
    d_head = d_model // heads

    def normal(*shape, fan=d_model):
        return (random.standard_normal(shape) / fan**0.5).astype(numpy.float32)

    train_mask = numpy.zeros(p * p, numpy.uint8)
    train_mask[random.permutation(p * p)[: int(train_fraction * p * p)]] = 1
    tensors = {
        "embed.W_E": normal(p + 1, d_model),
        "pos_embed.W_pos": normal(3, d_model),
        "blocks.0.attn.W_Q": normal(heads, d_model, d_head),
        "blocks.0.attn.W_K": normal(heads, d_model, d_head),
        "blocks.0.attn.W_V": normal(heads, d_model, d_head),
        "blocks.0.attn.W_O": normal(heads, d_head, d_model),
        "blocks.0.mlp.W_in": normal(d_model, d_mlp),
        "blocks.0.mlp.b_in": numpy.zeros(d_mlp, numpy.float32),
        "blocks.0.mlp.W_out": normal(d_mlp, d_model),
        "blocks.0.mlp.b_out": numpy.zeros(d_model, numpy.float32),
        "unembed.W_U": normal(d_model, d_vocab_out, fan=p + 1),
        "train_mask": train_mask,
    }
    save_file(tensors, path)


def check(step_type):
    """Whether the peer reproduces the fixture's train losses, computed in float64 by another implementation."""
    curve = json.loads((FIXTURE / "expected.json").read_text())["curve"][:CHECKED_EPOCHS]
    assert [point["epoch"] for point in curve] == list(range(CHECKED_EPOCHS))
    losses = step_type(Problem.load(FIXTURE / "start.safetensors", "subtract")).run(CHECKED_EPOCHS)
    worst = max(abs(loss - point["train_loss"]) for loss, point in zip(losses, curve, strict=True))
    ok = worst <= TOLERANCE
    print(f"{'ok' if ok else 'fails'}: {CHECKED_EPOCHS} train losses of the fixture, at most {worst:.1e} off")
    return ok


def serve(step_type, start):
    step = step_type(Problem.load(start, "add"))
    for line in sys.stdin:
        began = time.perf_counter()
        losses = step.run(int(line))
        print(json.dumps({"seconds": time.perf_counter() - began, "losses": losses}), flush=True)


def main(step_type):
    match sys.argv[1:]:
        case ["check"]:
            sys.exit(0 if check(step_type) else 1)
        case ["serve", start]:
            serve(step_type, start)
        case _:
            sys.exit(f"usage: {sys.argv[0]} check | serve START")
