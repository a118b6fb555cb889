"""The measures of a model, recomputed from its file alone with numpy, beside what `groksweep analyze --json` prints.

Computed another way than the program does: plain einsums and least squares over the whole p x p grid in float64,
however slow. Conventions are the program's, as docs/reference/measures.md has them: which of equal frequencies is a
neuron's, which root the exponents are of, u_k by the cosine and v_k by the sine alone. Names are those of
`analyze --json`; what is recomputed must be in the report.

    python measures.py groksweep [model.safetensors [--operation subtract] [--activation gelu]]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from safetensors.numpy import load_file

# Relative to the largest magnitude of a list. Sums of float64 over float32 weights agree far better; losses under 1e-9
# are differences of larger numbers.
TOLERANCE = 1e-6
SMALL = [(31, "add", "relu"), (24, "subtract", "gelu"), (23, "multiply", "relu")]
SWEEP = """
task: {{operation: {operation}, modulus: {p}, train_fraction: 0.7}}
model: {{d_model: 32, heads: 4, d_mlp: 64, activation: {activation}}}
training: {{epochs: 600}}
"""


class Model:
    """Everything that one forward pass over all p*p pairs gives, row a*p + b."""

    def __init__(self, path, activation):
        file = {name: array.astype(numpy.float64) for name, array in load_file(path).items()}
        self.file = file
        self.w_e, self.w_u = file["embed.W_E"], file["unembed.W_U"]
        self.p = p = len(self.w_e) - 1
        w_q, w_k, w_v, w_o = (file[f"blocks.0.attn.W_{name}"] for name in "QKVO")
        w_in, self.w_out = file["blocks.0.mlp.W_in"], file["blocks.0.mlp.W_out"]
        self.b_out = file.get("blocks.0.mlp.b_out", numpy.zeros(self.w_out.shape[1]))
        a, b = numpy.divmod(numpy.arange(p * p), p)
        tokens = numpy.stack([a, b, numpy.full_like(a, p)], axis=1)

        x = self.w_e[tokens] + file["pos_embed.W_pos"]  # pair, position, d_model
        q = numpy.einsum("nd,hde->nhe", x[:, 2], w_q)
        k, v = (numpy.einsum("npd,hde->nphe", x, w) for w in (w_k, w_v))
        scores = numpy.einsum("nhe,nphe->nhp", q, k) / w_q.shape[2] ** 0.5
        scores = numpy.exp(scores - scores.max(axis=2, keepdims=True))
        self.attention = scores / scores.sum(axis=2, keepdims=True)  # pair, head, position
        z = numpy.einsum("nhp,nphe->nhe", self.attention, v)
        self.residual = x[:, 2] + numpy.einsum("nhe,hed->nd", z, w_o)  # before the MLP
        hidden = self.residual @ w_in + file.get("blocks.0.mlp.b_in", 0)
        self.neurons = {"relu": relu, "gelu": gelu}[activation](hidden)
        self.logits = self.logits_of(self.neurons, slice(None))  # pair, d_vocab_out
        self.w_l = (self.w_out @ self.w_u)[:, :p]  # neuron, class
        self.train = file["train_mask"].astype(bool) if "train_mask" in file else None

    def logits_of(self, neurons, pairs, skip=True):
        """What the model would say of these pairs if its neurons were these."""
        after = neurons @ self.w_out + self.b_out
        return ((self.residual[pairs] if skip else 0) + after) @ self.w_u


def relu(x):
    return numpy.maximum(x, 0)


def gelu(x):
    return 0.5 * x * (1 + numpy.tanh((2 / numpy.pi) ** 0.5 * (x + 0.044715 * x**3)))


def losses(logits, labels):
    """Cross-entropy of each row, exact however small: log(1 + the others' share of the label's)."""
    shifted = logits - logits[numpy.arange(len(labels)), labels][:, None]  # a copy
    shifted[numpy.arange(len(labels)), labels] = -numpy.inf
    peak = numpy.maximum(shifted.max(axis=1), 0)
    others = numpy.exp(shifted - peak[:, None]).sum(axis=1)
    return numpy.where(peak > 0, peak + numpy.log(numpy.exp(-peak) + others), numpy.log1p(others))


def waves_over(p, index):
    """cos and sin of 2*pi*k*index/p for k = 1..K, as unit vectors; shape (K, 2, len(index))."""
    k = numpy.arange(1, (p - 1) // 2 + 1)[:, None]
    angle = 2 * numpy.pi * (k * index[None, :] % p) / p
    pair = numpy.stack([numpy.cos(angle), numpy.sin(angle)], axis=1)
    return pair / numpy.linalg.norm(pair, axis=2, keepdims=True)


def gini(norms):
    x, count = numpy.sort(norms), len(norms)
    return 1 - 2 * ((x / x.sum()) * ((count - numpy.arange(1, count + 1) + 0.5) / count)).sum()


def over_a_quarter(norms):
    return [int(k) + 1 for k in numpy.flatnonzero(norms > norms.max() / 4)]


def block_shares(values, n):
    """Of each column of `values`, over the n*n pairs of places: the share of its variance in the 3x3 block of each
    frequency, (K, column)."""
    grid = (values - values.mean(axis=0)).reshape(n, n, -1)
    power = (grid**2).sum(axis=(0, 1))
    shares = []
    for pair in waves_over(n, numpy.arange(n)):
        basis = numpy.concatenate([numpy.full((1, n), n**-0.5), pair])  # const, cos, sin
        block = numpy.einsum("ia,jb,abm->ijm", basis, basis, grid, optimize=True)
        shares.append((block**2).sum(axis=(0, 1)) / numpy.where(power > 0, power, 1))
    return numpy.array(shares)


def best_blocks(values, n):
    """Of each column, its best frequency and that share; the lowest of several that are equal but for rounding, as they
    are for a neuron that is active on one pair alone."""
    shares = block_shares(values, n)
    best = shares.max(axis=0)
    return ((shares >= best * (1 - 1e-9)).argmax(axis=0) + 1).tolist(), best.tolist()


def project(columns, basis):
    """Onto the rows of `basis`, orthonormal vectors over the pairs."""
    return basis.T @ (basis @ columns)


class Circle:
    """The residues in the order in which an operation's waves run through them: 0, 1, 2, ... for sums; for products
    modulo a prime the powers of the smallest primitive root, on which a product is a sum of exponents."""

    def __init__(self, p, operation):
        self.residues = numpy.arange(p)
        if operation == "multiply" and p > 3:
            for root in range(2, p):
                powers = [pow(root, i, p) for i in range(p - 1)]
                if len(set(powers)) == p - 1 and 0 not in powers:
                    self.residues = numpy.array(powers)
                    break
        self.n = n = len(self.residues)
        place_a, place_b = numpy.divmod(numpy.arange(n * n), n)
        self.pairs = self.residues[place_a] * p + self.residues[place_b]  # those on the circle, by places
        sums = {"add": place_a + place_b, "subtract": place_a - place_b}
        if n < p:
            sums["multiply"] = place_a + place_b
        # The place of the right answer is also what the waves run along; None where no waves are known.
        self.s = sums[operation] % n if operation in sums else None


def measures(model, operation):
    p, logits, circle = model.p, model.logits, Circle(model.p, operation)
    a, b = numpy.divmod(numpy.arange(p * p), p)
    labels = {"add": a + b, "subtract": a - b, "multiply": a * b, "x2xyy2": a * a + a * b + b * b}[operation] % p
    splits = {"all": numpy.ones(p * p, bool)}
    if model.train is not None:
        splits |= {"train": model.train, "test": ~model.train}
        splits = {name: chosen for name, chosen in splits.items() if chosen.any()}
    found = {"p": p}

    # Weights alone.
    line = waves_over(circle.n, numpy.arange(circle.n))
    norms_e = numpy.linalg.norm(line @ model.w_e[circle.residues], axis=(1, 2))
    norms_l = numpy.linalg.norm(line @ model.w_l.T[circle.residues], axis=(1, 2))
    keys = over_a_quarter(norms_l)
    found |= {"norms_W_E": norms_e.tolist(), "norms_W_L": norms_l.tolist(), "key_frequencies": keys}
    found |= {"gini_W_E": gini(norms_e), "gini_W_L": gini(norms_l)}
    found["key_frequencies_w_e"] = over_a_quarter(norms_e)
    weights = {name: array for name, array in model.file.items() if name != "train_mask"}
    by_tensor = {name: (array**2).sum() for name, array in weights.items()}
    found |= {"sum_squared_weights": sum(by_tensor.values()), "sum_squared_weights_by_tensor": by_tensor}

    # Losses of the model as it is.
    full, only_p = losses(logits, labels), losses(logits[:, :p], labels)
    right = logits.argmax(axis=1) == labels
    for name, chosen in splits.items():
        found[f"{name}_pairs"] = int(chosen.sum())
        found[f"{name}_loss"] = full[chosen].mean()
        found[f"{name}_loss_p"] = only_p[chosen].mean()
        found[f"{name}_accuracy"] = right[chosen].mean()

    # Neurons and heads.
    frequency, share = best_blocks(model.neurons[circle.pairs], circle.n)
    found |= {"neuron_frequency": frequency, "neuron_fve": share}
    found["neurons_over_85"] = sum(s > 0.85 for s in share)
    found["key_frequencies_neurons"] = sorted({f for f, s in zip(frequency, share, strict=True) if s > 0.85})
    found["key_frequency_neurons"] = [
        sum(f == key and s > 0.85 for f, s in zip(frequency, share, strict=True)) for key in keys
    ]
    for place, name in enumerate(["a", "b", "equals"]):
        found[f"attention_to_{name}"] = model.attention[:, :, place].mean(axis=0).tolist()
    found["head_frequency"], found["head_fve"] = best_blocks(model.attention[circle.pairs, :, 0], circle.n)

    if circle.s is not None:
        chosen = {name: mask[circle.pairs] for name, mask in splits.items()}
        found |= wave_measures(model, circle, chosen, keys)
    return found


def wave_measures(model, circle, splits, keys):
    """What needs waves over the pairs: over those on the circle, with the classes on it in order of their places."""
    n, s = circle.n, circle.s
    labels = s
    logits = model.logits[circle.pairs][:, circle.residues]
    over_pairs = waves_over(n, s)  # (K, 2, pairs), orthonormal
    found = {}

    def basis(chosen):
        return over_pairs[[k - 1 for k in chosen]].reshape(-1, n * n)

    waves = project(logits, basis(keys))
    restricted = losses(waves + logits.mean(axis=0), labels)
    excluded = losses(logits - waves, labels)
    without = {k: losses(logits - project(logits, basis([k])), labels) for k in keys}
    for name, chosen in splits.items():
        found[f"restricted_loss_{name}"] = restricted[chosen].mean()
        found[f"excluded_loss_{name}"] = excluded[chosen].mean()
    if "train" in splits:
        found["excluded_loss_by_frequency"] = {str(k): each[splits["train"]].mean() for k, each in without.items()}

    # L = sum of alpha_k cos(2 pi k (s - c) / n): least squares on all n*n*n numbers.
    difference = (s[:, None] - numpy.arange(n)[None, :]) % n
    cosines = numpy.array([numpy.cos(2 * numpy.pi * k * difference / n).ravel() for k in keys]).reshape(len(keys), -1)
    if keys:
        alpha = numpy.linalg.lstsq(cosines.T, logits.ravel(), rcond=None)[0]
        fit = alpha @ cosines
        centred = logits.ravel() - logits.mean()
        found["logit_cosine_coefficients"] = alpha.tolist()
        found["logit_fve"] = 1 - ((centred - fit) ** 2).sum() / (centred**2).sum()
        approximation = losses(fit.reshape(n * n, n), labels)
        for name, chosen in splits.items():
            found[f"cosine_loss_{name}"] = approximation[chosen].mean()

    # W_L = sum of u_k cos + v_k sin over the classes: what that leaves, and how far what u_k reads off the neurons is a
    # cosine over the pairs, and what v_k reads a sine.
    w_l = model.w_l[:, circle.residues]
    line = waves_over(n, numpy.arange(n))[[k - 1 for k in keys]].reshape(-1, n)  # rows cos, sin of each key
    directions = w_l @ line.T  # neuron, 2 per key
    found["rank_residual"] = numpy.linalg.norm(w_l - directions @ line) / numpy.linalg.norm(w_l)
    read = model.neurons[circle.pairs] @ directions
    read -= read.mean(axis=0)
    for place, name in enumerate(["fve_u", "fve_v"]):
        found[name] = [
            (over_pairs[k - 1, place] @ read[:, 2 * i + place]) ** 2 / (read[:, 2 * i + place] ** 2).sum()
            for i, k in enumerate(keys)
        ]
    found["ablations"] = ablations(model, circle, keys, basis(keys), directions)
    found["ablations"]["only_key_frequencies"] = restricted.mean()
    found["ablations"] |= {f"without_frequency {k}": each.mean() for k, each in without.items()}
    return found


def ablations(model, circle, keys, basis, directions):
    """Mean losses, over the pairs and classes on the circle, of altered models (section 4.4)."""
    n, neurons = circle.n, model.neurons[circle.pairs]
    logits = model.logits[circle.pairs][:, circle.residues]
    constant, line = numpy.full((1, n), n**-0.5), waves_over(n, numpy.arange(n))

    def loss_with(neurons, skip=True):
        changed = model.logits_of(neurons, circle.pairs, skip)
        return losses(changed[:, circle.residues], circle.s).mean()

    # Each neuron's own best frequency: const, cos, sin of a times const, cos, sin of b.
    frequency, _ = best_blocks(neurons, n)
    polynomial = numpy.empty_like(neurons)
    for neuron, k in enumerate(frequency):
        one = numpy.concatenate([constant, line[k - 1]])
        grid = neurons[:, neuron].reshape(n, n)
        polynomial[:, neuron] = (one.T @ (one @ grid @ one.T) @ one).ravel()

    # The blocks of different keys share the constant, which is counted once.
    rows = numpy.concatenate([constant, *(line[k - 1] for k in keys)])
    owner = numpy.array([0, *(i + 1 for i in range(len(keys)) for _ in range(2))])
    in_a_block = (owner[:, None] == owner) | (owner[:, None] == 0) | (owner == 0)
    blocks = numpy.empty_like(logits)
    for c in range(n):
        coefficients = rows @ logits[:, c].reshape(n, n) @ rows.T
        blocks[:, c] = (rows.T @ (coefficients * in_a_block) @ rows).ravel()

    q = numpy.linalg.qr(directions)[0]
    kept = neurons @ q @ q.T
    return {
        "original": losses(logits, circle.s).mean(),
        "neuron_polynomials": loss_with(polynomial),
        "neuron_waves": loss_with(neurons.mean(axis=0) + project(neurons, basis)),
        "logit_blocks": losses(blocks, circle.s).mean(),
        "key_directions": loss_with(kept),
        "key_directions_complement": loss_with(neurons - kept),
        "no_skip": loss_with(neurons, skip=False),
    }


def off(ours, theirs):
    """The largest difference, relative to the largest magnitude; 0 for equal things, infinite for other shapes."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if set(map(str, ours)) != set(map(str, theirs)):
            return numpy.inf
        return max((off(ours[name], theirs[name]) for name in ours), default=0.0)
    x, y = numpy.atleast_1d(numpy.array(ours, float)), numpy.atleast_1d(numpy.array(theirs, float))
    if x.shape != y.shape:
        return numpy.inf
    size = max(numpy.abs(x).max(initial=0), numpy.abs(y).max(initial=0))
    return float(numpy.abs(x - y).max(initial=0) / size) if size > 0 else 0.0


def theirs_by_name(report):
    """The report with its lists of objects as the names used here."""
    report = dict(report)
    if isinstance(report.get("ablations"), list):
        report["ablations"] = {
            f"{each['name']} {each['frequency']}" if "frequency" in each else each["name"]: each["loss"]
            for each in report["ablations"]
        }
    return report


def compare(recomputed, report):
    """Prints a line per name; returns the names that differ or that the report lacks."""
    report, failures = theirs_by_name(report), []
    for name, value in recomputed.items():
        difference = off(value, report[name]) if name in report else None
        if difference is not None and difference <= TOLERANCE:
            print(f"  {name:32} ok, {difference:.1e} off")
        else:
            failures.append(name)
            print(f"  {name:32} {'MISSING' if difference is None else f'DIFFERS, {difference:.1e} off'}")
    return failures


def check(program, path, operation, activation):
    """Recomputes one model beside the program's report; returns the names that differ or are missing."""
    command = [program, "analyze", str(path), "--json", "--operation", operation, "--activation", activation]
    report = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    model = Model(path, activation)
    recomputed = measures(model, operation)
    print(f"{path}, p = {model.p}, {operation}, {activation}:")
    failures = compare(recomputed, report)
    expected = Path(path).parent / "expected.json"
    if operation == "add" and expected.exists():
        # What a third implementation found (the waves of the fixtures are those of a + b whatever was learned).
        print("  beside expected.json:")
        known = json.loads(expected.read_text())["measures_of_end"]
        failures += compare({name: value for name, value in recomputed.items() if name in known}, known)
    return failures


def check_all(program):
    """The fixtures' models, and small ones trained now."""
    fixtures = Path(__file__).resolve().parent.parent / "GrokkingTests" / "Fixtures"
    failures = []
    for name, operation in [("grokked", "add"), ("tiny", "add"), ("small", "subtract"), ("quadratic", "x2xyy2")]:
        failures += check(program, fixtures / name / "end.safetensors", operation, "relu")
    with tempfile.TemporaryDirectory() as folder:
        for p, operation, activation in SMALL:
            sweep, weights = Path(folder) / "small.yaml", Path(folder) / f"p{p}.safetensors"
            sweep.write_text(SWEEP.format(p=p, operation=operation, activation=activation))
            subprocess.run([program, "train", sweep, "--save", weights], stdout=subprocess.DEVNULL, check=True)
            failures += check(program, weights, operation, activation)
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("groksweep", help="the program")
    parser.add_argument("model", nargs="?", help="a safetensors file; without one, the fixtures and models trained now")
    parser.add_argument("--operation", default="add", choices=["add", "subtract", "multiply", "x2xyy2"])
    parser.add_argument("--activation", default="relu", choices=["relu", "gelu"])
    options = parser.parse_args()
    if options.model:
        failures = check(options.groksweep, options.model, options.operation, options.activation)
    else:
        failures = check_all(options.groksweep)
    print(f"{len(failures)} differ or are missing: {', '.join(failures)}" if failures else "all agree")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
