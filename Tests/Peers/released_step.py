"""A training step as the code released with Nanda et al. 2023 does it, written anew.

Every position goes through the whole model, einsum by einsum; logits of all three positions are computed and the loss
takes the last. Weights are float32 in that code's layouts, which put the output axis first; the loss is float64. As
there, the pairs are a list of tuples that indexes the embedding, and every epoch works out their labels anew, pair by
pair (its `transformers.py`: `full_loss`, `Config.fn`). Activations pass through modules that do nothing but allow
hooks. Metrics and saving are left out, and so is the test loss, which that code also takes at every epoch, with its
graph; `with_test_loss_step.py` has it.
"""

import numpy
import torch
from torch import nn

import peer


def parameter(array):
    return nn.Parameter(torch.tensor(numpy.ascontiguousarray(array)))


class HookPoint(nn.Module):
    def forward(self, x):
        return x


class Embed(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.W_E = parameter(weights["embed.W_E"].T)

    def forward(self, tokens):
        return torch.einsum("dbp->bpd", self.W_E[:, tokens])


class PosEmbed(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.W_pos = parameter(weights["pos_embed.W_pos"])

    def forward(self, x):
        return x + self.W_pos[: x.shape[-2]]


class Attention(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.W_Q, self.W_K, self.W_V = (
            parameter(weights[f"blocks.0.attn.W_{name}"].transpose(0, 2, 1)) for name in "QKV"
        )
        w_o = weights["blocks.0.attn.W_O"]  # (head, d_head, d_model)
        self.W_O = parameter(w_o.reshape(-1, w_o.shape[2]).T)
        positions = len(weights["pos_embed.W_pos"])
        self.register_buffer("mask", torch.tril(torch.ones(positions, positions)))
        self.d_head = w_o.shape[1]
        self.hook_q, self.hook_k, self.hook_v, self.hook_z = (HookPoint() for _ in range(4))
        self.hook_scores, self.hook_pattern = HookPoint(), HookPoint()

    def forward(self, x):
        k = self.hook_k(torch.einsum("ihd,bpd->biph", self.W_K, x))
        q = self.hook_q(torch.einsum("ihd,bpd->biph", self.W_Q, x))
        v = self.hook_v(torch.einsum("ihd,bpd->biph", self.W_V, x))
        scores = torch.einsum("biph,biqh->biqp", k, q)
        size = x.shape[-2]
        masked = torch.tril(scores) - 1e10 * (1 - self.mask[:size, :size])
        pattern = self.hook_pattern(torch.softmax(self.hook_scores(masked / self.d_head**0.5), dim=-1))
        z = self.hook_z(torch.einsum("biph,biqp->biqh", v, pattern))
        flat = z.transpose(1, 2).flatten(start_dim=2)
        return torch.einsum("df,bqf->bqd", self.W_O, flat)


class MLP(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.W_in = parameter(weights["blocks.0.mlp.W_in"].T)
        self.b_in = parameter(weights["blocks.0.mlp.b_in"])
        self.W_out = parameter(weights["blocks.0.mlp.W_out"].T)
        self.b_out = parameter(weights["blocks.0.mlp.b_out"])
        self.hook_pre, self.hook_post = HookPoint(), HookPoint()

    def forward(self, x):
        hidden = self.hook_pre(torch.einsum("md,bpd->bpm", self.W_in, x) + self.b_in)
        hidden = self.hook_post(torch.relu(hidden))
        return torch.einsum("dm,bpm->bpd", self.W_out, hidden) + self.b_out


class Unembed(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.W_U = parameter(weights["unembed.W_U"])

    def forward(self, x):
        return x @ self.W_U


class Transformer(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.embed = Embed(weights)
        self.pos_embed = PosEmbed(weights)
        self.attention = Attention(weights)
        self.mlp = MLP(weights)
        self.unembed = Unembed(weights)
        self.hook_resid_pre, self.hook_resid_mid, self.hook_resid_post = (HookPoint() for _ in range(3))
        self.hook_attn_out, self.hook_mlp_out = HookPoint(), HookPoint()

    def forward(self, pairs):
        x = self.pos_embed(self.embed(pairs))
        x = self.hook_resid_mid(x + self.hook_attn_out(self.attention(self.hook_resid_pre(x))))
        x = self.hook_resid_post(x + self.hook_mlp_out(self.mlp(x)))
        return self.unembed(x)


def cross_entropy_in_float64(logits, labels):
    log_probabilities = torch.log_softmax(logits.to(torch.float64), dim=-1)
    return -log_probabilities.gather(-1, labels[:, None]).mean()


class Labelling:
    """The operation of one problem, looked up anew for every pair, as that code's configuration does."""

    def __init__(self, problem):
        self.operation = problem.operation
        self.p = problem.p

    @property
    def functions(self):
        return {
            "add": lambda a, b: (a + b) % self.p,
            "subtract": lambda a, b: (a - b) % self.p,
            "x2xyy2": lambda a, b: (a**2 + a * b + b**2) % self.p,
        }

    @property
    def function(self):
        return self.functions[self.operation]


class Step:
    takes_test_loss = False

    def __init__(self, problem):
        torch.set_num_threads(1)
        self.train = [tuple(pair) for pair in problem.tokens.tolist()]
        self.test = [tuple(pair) for pair in problem.test_tokens.tolist()]
        self.labelling = Labelling(problem)
        self.model = Transformer(problem.weights)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=peer.LEARNING_RATE,
            betas=peer.BETAS,
            eps=peer.EPSILON,
            weight_decay=peer.WEIGHT_DECAY,
        )
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda step: min(step / peer.WARMUP, 1))

    def loss(self, pairs):
        logits = self.model(pairs)[:, -1]
        labels = torch.tensor([self.labelling.function(a, b) for a, b, _ in pairs])
        return cross_entropy_in_float64(logits, labels)

    def run(self, epochs):
        losses = []
        for _ in range(epochs):
            loss = self.loss(self.train)
            if self.takes_test_loss:
                self.loss(self.test).item()
            losses.append(loss.item())
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            self.optimizer.zero_grad()
        return losses


if __name__ == "__main__":
    peer.main(Step)
