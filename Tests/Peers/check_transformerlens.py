"""A model trained here in TransformerLens, and a model of TransformerLens here: whether both mean the same.

There: every small model below is trained by groksweep and loaded into HookedTransformer; logits of all pairs may differ
by 1e-4, losses by 1e-5. Here: a HookedTransformer with random weights is saved as it is, zero biases and buffers
included; `groksweep analyze` must find the losses that TransformerLens finds, and refuse it once a bias is not zero.

    python check_transformerlens.py groksweep
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "WANDB_MODE": "disabled"}  # nothing is fetched
warnings.filterwarnings("ignore", message="HookedTransformer is deprecated")  # which is why its version is pinned

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformer_lens import HookedTransformer, HookedTransformerConfig

LOGITS_OFF, LOSSES_OFF = 1e-4, 1e-5
ZERO_BIASES = {f"blocks.0.attn.b_{name}" for name in "QKVO"} | {"unembed.b_U"}
MLP_BIASES = {"blocks.0.mlp.b_in", "blocks.0.mlp.b_out"}
BUFFERS = {"blocks.0.attn.mask", "blocks.0.attn.IGNORE"}

SWEEP = """
sweep: check
task: {{operation: {operation}, modulus: {p}, train_fraction: 0.7}}
model: {{d_model: 32, heads: 4, d_mlp: 64, activation: {activation}, biases: {biases}, d_vocab_out: {classes}}}
training: {{epochs: 300}}
seed: 0
"""
MODELS = {
    "as in the paper": dict(operation="add", p=23, activation="relu", biases="true", classes="p+1"),
    "GELU, even p": dict(operation="subtract", p=24, activation="gelu", biases="true", classes="p+1"),
    "no biases, p classes": dict(operation="multiply", p=23, activation="relu", biases="false", classes="p"),
}


def groksweep(program, *arguments, fails=False):
    done = subprocess.run([program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if (done.returncode != 0) != fails:
        sys.exit(f"{' '.join(map(str, arguments))} ended with {done.returncode}\n{done.stderr}")
    return done.stderr if fails else done.stdout


def hooked(p, d_model, heads, d_mlp, classes, activation, seed=None):
    return HookedTransformer(
        HookedTransformerConfig(
            n_layers=1,
            d_model=d_model,
            n_heads=heads,
            d_head=d_model // heads,
            d_mlp=d_mlp,
            n_ctx=3,
            d_vocab=p + 1,
            d_vocab_out=classes,
            act_fn={"relu": "relu", "gelu": "gelu_new"}[activation],  # the tanh form
            normalization_type=None,
            device="cpu",
            seed=seed,
        )
    )


def all_pairs(p, operation):
    """Tokens (p*p, 3) and labels (p*p), row a*p + b."""
    a, b = (torch.arange(p * p) // p, torch.arange(p * p) % p)
    result = {"add": a + b, "subtract": a - b, "multiply": a * b}[operation]
    return torch.stack([a, b, torch.full_like(a, p)], dim=1), result % p


def losses(logits, labels, train_mask=None):
    """Mean cross-entropy in float64 of all pairs and, where there is a mask, of both splits."""
    each = torch.nn.functional.cross_entropy(logits.double(), labels, reduction="none")
    found = {"all_loss": each.mean().item()}
    if train_mask is not None:
        found |= {"train_loss": each[train_mask].mean().item(), "test_loss": each[~train_mask].mean().item()}
    return found


class Report:
    failed = False

    @classmethod
    def line(cls, what, off, allowed):
        ok = off <= allowed
        cls.failed |= not ok
        print(f"  {what:34} {'ok' if ok else 'DIFFERS'}, {off:.1e} off")


def compare_losses(theirs, ours):
    for name, loss in theirs.items():
        Report.line(name, abs(loss - ours[name]), LOSSES_OFF)


def ours_in_theirs(program, folder, name, model):
    print(f"Trained here, loaded there: {name}")
    sweep, weights, logits = folder / "check.yaml", folder / "ours.safetensors", folder / "logits.safetensors"
    sweep.write_text(SWEEP.format(**model))
    groksweep(program, "train", sweep, "--save", weights)
    report = json.loads(groksweep(program, "analyze", weights, "--save-logits", logits, "--json"))

    tensors = load_file(weights)
    train_mask = tensors.pop("train_mask").bool()
    p, operation = report["p"], report["operation"]
    theirs = hooked(p, report["d_model"], report["heads"], report["d_mlp"], report["d_vocab_out"], report["activation"])
    missing, unexpected = theirs.load_state_dict(tensors, strict=False)
    # What the file lacks may only be what a model of ours does not have; it is zero there.
    may_lack = ZERO_BIASES | BUFFERS | (set() if report["biases"] else MLP_BIASES)
    if unexpected or set(missing) - may_lack:
        sys.exit(f"HookedTransformer does not know {unexpected} or misses {sorted(set(missing) - may_lack)}")
    for lacking in set(missing) - BUFFERS:
        torch.nn.init.zeros_(theirs.get_parameter(lacking))

    tokens, labels = all_pairs(p, operation)
    with torch.no_grad():
        there = theirs(tokens)[:, -1]
    here = load_file(logits)["logits"]
    off = (there - here).abs().max().item()
    Report.line(f"logits of {len(tokens)} pairs, {here.shape[1]} classes", off, LOGITS_OFF)
    compare_losses(losses(there, labels, train_mask), report)


def theirs_in_ours(program, folder):
    print("Made there, read here, with the zero biases and buffers that they have")
    p, classes = 23, 23
    theirs = hooked(p, 32, 4, 64, classes, "relu", seed=0)
    state = {name: tensor.contiguous() for name, tensor in theirs.state_dict().items()}
    path = folder / "theirs.safetensors"
    save_file(state, path)
    with safe_open(path, framework="pt") as file:
        names = set(file.keys())
    print(f"  {len(names)} tensors, of which {len(ZERO_BIASES & names)} biases that we do not have")
    report = json.loads(groksweep(program, "analyze", path, "--json"))
    tokens, labels = all_pairs(p, "add")
    with torch.no_grad():
        compare_losses(losses(theirs(tokens)[:, -1], labels), report)

    state["unembed.b_U"] = state["unembed.b_U"] + 1
    save_file(state, path)
    words = groksweep(program, "analyze", path, "--json", fails=True)
    refused = "unembed.b_U is not zero" in words
    Report.failed |= not refused
    print(f"  {'a bias that is not zero':34} {'refused' if refused else 'READ'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("groksweep", help="the program")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what, model in MODELS.items():
            ours_in_theirs(options.groksweep, folder, what, model)
        theirs_in_ours(options.groksweep, folder)
    print("TransformerLens and groksweep differ" if Report.failed else "TransformerLens and groksweep agree")
    sys.exit(1 if Report.failed else 0)


if __name__ == "__main__":
    main()
