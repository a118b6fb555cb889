"""A training step as the code released with Nanda et al. 2023 does it, written anew.

Every position goes through the whole model, einsum by einsum; logits of all three positions are computed and the loss
takes the last. Weights are float32 in that code's layouts, which put the output axis first; the loss is float64. Hooks
and the evaluation of the test pairs at every epoch are left out: only the step is timed.
"""

import numpy
import torch
from torch import nn

import peer


def parameter(array):
    return nn.Parameter(torch.tensor(numpy.ascontiguousarray(array)))


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

    def forward(self, x):
        q = torch.einsum("ihd,bpd->biph", self.W_Q, x)
        k = torch.einsum("ihd,bpd->biph", self.W_K, x)
        v = torch.einsum("ihd,bpd->biph", self.W_V, x)
        scores = torch.einsum("biqh,bikh->biqk", q, k) / q.shape[-1] ** 0.5
        size = x.shape[-2]
        masked = torch.tril(scores) - 1e10 * (1 - self.mask[:size, :size])
        pattern = torch.softmax(masked, dim=-1)
        z = torch.einsum("biqk,bikh->biqh", pattern, v)
        flat = z.transpose(1, 2).flatten(start_dim=2)
        return torch.einsum("df,bqf->bqd", self.W_O, flat)


class MLP(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.W_in = parameter(weights["blocks.0.mlp.W_in"].T)
        self.b_in = parameter(weights["blocks.0.mlp.b_in"])
        self.W_out = parameter(weights["blocks.0.mlp.W_out"].T)
        self.b_out = parameter(weights["blocks.0.mlp.b_out"])

    def forward(self, x):
        hidden = torch.relu(torch.einsum("md,bpd->bpm", self.W_in, x) + self.b_in)
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

    def forward(self, tokens):
        x = self.pos_embed(self.embed(tokens))
        x = x + self.attention(x)
        x = x + self.mlp(x)
        return self.unembed(x)


def cross_entropy_in_float64(logits, labels):
    log_probabilities = torch.log_softmax(logits.to(torch.float64), dim=-1)
    return -log_probabilities.gather(-1, labels[:, None]).mean()


class Step:
    def __init__(self, problem):
        torch.set_num_threads(1)
        self.tokens = torch.tensor(problem.tokens)
        self.labels = torch.tensor(problem.labels)
        self.model = Transformer(problem.weights)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=peer.LEARNING_RATE,
            betas=peer.BETAS,
            eps=peer.EPSILON,
            weight_decay=peer.WEIGHT_DECAY,
        )
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda step: min(step / peer.WARMUP, 1))

    def run(self, epochs):
        losses = []
        for _ in range(epochs):
            loss = cross_entropy_in_float64(self.model(self.tokens)[:, -1], self.labels)
            losses.append(loss.item())
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            self.optimizer.zero_grad()
        return losses


if __name__ == "__main__":
    peer.main(Step)
