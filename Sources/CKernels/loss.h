// Cross-entropy in its exact small-loss form, and the optimizers. Included by kernels.h alone.

static void cross_entropy(
    long count, long classes, float *logits, long logits_row, const int32_t *labels, int gradients, float scale,
    float *losses, int32_t *correct) {
  long vectors = (classes + CK_LANES - 1) / CK_LANES;
  lanes nothing = all(-__builtin_inff());
  for (long e0 = 0; e0 < count; e0 += CK_LANES) {
    long some = count - e0 < CK_LANES ? count - e0 : CK_LANES;
    float others[CK_LANES] = {0}, own[CK_LANES] = {0}, behind[CK_LANES] = {0};
    for (long i = 0; i < some; i++) {
      float *row = logits + (e0 + i) * logits_row;
      int32_t label = labels[e0 + i];
      lanes most = nothing;
      for (long v = 0; v < vectors; v++) {
        whole number = lane_numbers() + all_whole((int32_t)(v * CK_LANES));
        whole counts = (number < all_whole((int32_t)classes)) & (number != all_whole(label));
        most = larger(choose(counts, load(row + v * CK_LANES), nothing), most);
      }
      float rival = largest_lane(most), mine = row[label];
      correct[e0 + i] = mine > rival;
      float top = rival > mine ? rival : mine;
      lanes sum = all(0.0f);
      for (long v = 0; v < vectors; v++) {
        whole number = lane_numbers() + all_whole((int32_t)(v * CK_LANES));
        whole counts = (number < all_whole((int32_t)classes)) & (number != all_whole(label));
        lanes e = choose(counts, exponential(load(row + v * CK_LANES) - all(top)), all(0.0f));
        sum += e;
        if (gradients) store(row + v * CK_LANES, e);
      }
      float rest = sum_lanes(sum), label_exp = exponential(all(mine - top))[0];
      others[i] = rest;
      own[i] = label_exp;
      behind[i] = top - mine;
      if (gradients) {
        float factor = scale / (rest + label_exp);
        for (long v = 0; v < vectors; v++) store(row + v * CK_LANES, load(row + v * CK_LANES) * all(factor));
        row[label] = -(rest * factor);
      }
    }
    // Label on top: log1p of the others' sum. Otherwise the sum is at least 1 and its logarithm is well conditioned.
    lanes gap = load(behind), rest = load(others);
    lanes x = choose(gap == all(0.0f), rest, (rest + load(own)) - all(1.0f));
    store_some(losses + e0, gap + log_one_plus(x), some);
  }
}

static void adamw(long count, ck_adamw step, const float *gradients, float *weights, float *first, float *second) {
  for (long i = 0; i < count; i += CK_LANES) {
    lanes g = load(gradients + i);
    lanes m = fused(all(step.beta1), load(first + i), all(step.one_minus_beta1) * g);
    lanes v = fused(all(step.beta2), load(second + i), (all(step.one_minus_beta2) * g) * g);
    lanes size = fused(__builtin_elementwise_sqrt(v), all(step.variance_scale), all(step.epsilon));
    lanes w = load(weights + i) * all(step.keep);
    w = w - (all(step.step_size) * m) / size;
    store_some(first + i, m, count - i);
    store_some(second + i, v, count - i);
    store_some(weights + i, w, count - i);
  }
}

static void prepare_gradients(long count, ck_gradient_step step, const float *weights, float *gradients, float *slow) {
  lanes zero = all(0.0f), l1 = all(step.l1);
  for (long i = 0; i < count; i += CK_LANES) {
    lanes w = load(weights + i);
    lanes g = load(gradients + i) + choose(w > zero, l1, choose(w < zero, -l1, zero));
    if (slow) {
      lanes h = fused(all(step.alpha), load(slow + i), all(step.one_minus_alpha) * g);
      store_some(slow + i, h, count - i);
      g = fused(all(step.lambda), h, g);
    }
    store_some(gradients + i, fused(all(step.decay), w, g), count - i);
  }
}

static void sgd(
    long count, float momentum, float learning_rate, const float *gradients, float *weights, float *velocity) {
  for (long i = 0; i < count; i += CK_LANES) {
    lanes v = fused(all(momentum), load(velocity + i), load(gradients + i));
    store_some(velocity + i, v, count - i);
    store_some(weights + i, fused(all(-learning_rate), v, load(weights + i)), count - i);
  }
}
