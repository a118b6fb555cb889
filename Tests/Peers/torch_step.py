"""The same step in PyTorch, written well: queries, MLP and logits of the last position only, plain matrix products,
fused AdamW. Weights are float32, the loss is float64."""

import torch
import torch.nn.functional as F

import peer


class Step:
    def __init__(self, problem):
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        self.tokens = torch.tensor(problem.tokens)
        self.labels = torch.tensor(problem.labels)
        self.weights = {name: torch.tensor(array).requires_grad_() for name, array in problem.weights.items()}
        self.optimizer = torch.optim.AdamW(
            self.weights.values(),
            lr=peer.LEARNING_RATE,
            betas=peer.BETAS,
            eps=peer.EPSILON,
            weight_decay=peer.WEIGHT_DECAY,
            fused=True,
        )
        self.steps = 0

    def logits(self):
        """(pairs, d_vocab_out), at `=`."""
        w = self.weights
        w_q, w_k, w_v, w_o = (w[f"blocks.0.attn.W_{name}"] for name in "QKVO")
        heads, d_model, d_head = w_q.shape

        def flat(per_head):  # (head, d_model, d_head) -> (d_model, head * d_head)
            return per_head.permute(1, 0, 2).reshape(d_model, heads * d_head)

        x = F.embedding(self.tokens, w["embed.W_E"]) + w["pos_embed.W_pos"]
        last = x[:, -1]
        q = (last @ flat(w_q)).view(-1, 1, heads, d_head)
        k, v = ((x.view(-1, d_model) @ flat(matrix)).view(-1, 3, heads, d_head) for matrix in (w_k, w_v))
        # The last position may look at all three. At this size products and sums beat einsum and fused attention.
        pattern = torch.softmax((q * k).sum(-1) / d_head**0.5, dim=1)
        z = (pattern[..., None] * v).sum(1)
        last = last + z.reshape(-1, heads * d_head) @ w_o.reshape(heads * d_head, d_model)
        hidden = torch.relu(torch.addmm(w["blocks.0.mlp.b_in"], last, w["blocks.0.mlp.W_in"]))
        last = last + torch.addmm(w["blocks.0.mlp.b_out"], hidden, w["blocks.0.mlp.W_out"])
        return last @ w["unembed.W_U"]

    def run(self, epochs):
        losses = []
        for _ in range(epochs):
            loss = F.cross_entropy(self.logits().double(), self.labels)
            losses.append(loss.item())
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.param_groups[0]["lr"] = peer.LEARNING_RATE * min(self.steps / peer.WARMUP, 1)
            self.optimizer.step()
            self.steps += 1
        return losses


if __name__ == "__main__":
    peer.main(Step)
