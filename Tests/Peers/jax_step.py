"""The same step in JAX: one jitted function that takes the last position only and updates its buffers in place.
Weights are float32; the log-softmax of the loss is float64."""

import functools

import jax
import jax.numpy as jnp

import peer

jax.config.update("jax_enable_x64", True)


def loss_of(weights, tokens, labels):
    w_q, w_k, w_v, w_o = (weights[f"blocks.0.attn.W_{name}"] for name in "QKVO")
    heads, d_model, d_head = w_q.shape

    def flat(per_head):  # (head, d_model, d_head) -> (d_model, head * d_head)
        return per_head.transpose(1, 0, 2).reshape(d_model, heads * d_head)

    x = weights["embed.W_E"][tokens] + weights["pos_embed.W_pos"]
    last = x[:, -1]
    q = (last @ flat(w_q)).reshape(-1, 1, heads, d_head)
    k, v = ((x.reshape(-1, d_model) @ flat(matrix)).reshape(-1, 3, heads, d_head) for matrix in (w_k, w_v))
    # The last position may look at all three.
    pattern = jax.nn.softmax((q * k).sum(-1) / d_head**0.5, axis=1)
    z = (pattern[..., None] * v).sum(1)
    last = last + z.reshape(-1, heads * d_head) @ w_o.reshape(heads * d_head, d_model)
    hidden = jax.nn.relu(last @ weights["blocks.0.mlp.W_in"] + weights["blocks.0.mlp.b_in"])
    last = last + hidden @ weights["blocks.0.mlp.W_out"] + weights["blocks.0.mlp.b_out"]
    logits = last @ weights["unembed.W_U"]
    log_probabilities = jax.nn.log_softmax(logits.astype(jnp.float64))
    return -jnp.take_along_axis(log_probabilities, labels[:, None], axis=1).mean()


@functools.partial(jax.jit, donate_argnums=0)
def train(state, tokens, labels):
    """The state after one step, and the loss before it."""
    weights, means, squares, steps = state
    loss, gradients = jax.value_and_grad(loss_of)(weights, tokens, labels)
    beta1, beta2 = peer.BETAS
    means = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, means, gradients)
    squares = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, squares, gradients)
    # Scalars are float32 here, or the whole update would be promoted to float64.
    rate = (peer.LEARNING_RATE * jnp.minimum(steps / peer.WARMUP, 1)).astype(jnp.float32)
    correction1 = (1 - beta1 ** (steps + 1)).astype(jnp.float32)
    correction2 = (1 - beta2 ** (steps + 1)).astype(jnp.float32)

    def updated(w, m, v):
        decayed = w * (1 - rate * peer.WEIGHT_DECAY)
        return decayed - rate * (m / correction1) / (jnp.sqrt(v / correction2) + peer.EPSILON)

    weights = jax.tree.map(updated, weights, means, squares)
    return (weights, means, squares, steps + 1), loss


class Step:
    def __init__(self, problem):
        self.tokens = jnp.asarray(problem.tokens, jnp.int32)
        self.labels = jnp.asarray(problem.labels, jnp.int32)
        weights = jax.tree.map(jnp.asarray, problem.weights)
        zeros = jax.tree.map(jnp.zeros_like, weights)
        self.state = (weights, zeros, jax.tree.map(jnp.copy, zeros), jnp.asarray(0))

    def run(self, epochs):
        losses = []
        for _ in range(epochs):
            self.state, loss = train(self.state, self.tokens, self.labels)
            losses.append(loss)
        jax.block_until_ready(self.state)
        return [float(loss) for loss in losses]


if __name__ == "__main__":
    peer.main(Step)
