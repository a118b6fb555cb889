// Kernels over examples and table rows: attention, mixing, spreading, dotting. Included by kernels.h alone.

static void exp_shifted(long count, const float *x, float shift, float *to) {
  for (long i = 0; i < count; i += CK_LANES)
    store_some(to + i, exponential(load(x + i) - all(shift)), count - i);
}

static void attention(
    long count, const int32_t *first, const int32_t *second, long heads, const float *tables0, const float *tables1,
    long table_row, const float *equals, int raw, float *weights0, float *weights1, long weights_row) {
  for (long h = 0; h < heads; h++) {
    const float *table0 = tables0 + h * table_row, *table1 = tables1 + h * table_row;
    for (long e = 0; e < count; e += CK_LANES) {
      long some = count - e < CK_LANES ? count - e : CK_LANES;
      float scores0[CK_LANES] = {0}, scores1[CK_LANES] = {0};
      for (long i = 0; i < some; i++) scores0[i] = table0[first[e + i]];
      for (long i = 0; i < some; i++) scores1[i] = table1[second[e + i]];
      lanes x = load(scores0), y = load(scores1), z = all(equals[h]);
      if (raw) {
        lanes most = larger(larger(x, y), z);
        x = exponential(x - most);
        y = exponential(y - most);
        z = exponential(z - most);
      }
      lanes total = (x + y) + z;
      store_some(weights0 + h * weights_row + e, x / total, some);
      store_some(weights1 + h * weights_row + e, y / total, some);
    }
  }
}

static void attention_backward(
    long count, long heads, const float *weights0, const float *weights1, float *gradients0, float *gradients1,
    long row) {
  for (long h = 0; h < heads; h++)
    for (long e = 0; e < count; e += CK_LANES) {
      long at = h * row + e;
      lanes w0 = load(weights0 + at), w1 = load(weights1 + at);
      lanes g0 = load(gradients0 + at), g1 = load(gradients1 + at);
      lanes mean = fused(w0, g0, w1 * g1);
      store_some(gradients0 + at, w0 * (g0 - mean), count - e);
      store_some(gradients1 + at, w1 * (g1 - mean), count - e);
    }
}

/// tanh-form GELU of x, and its derivative.
CK_INLINE lanes gelu(lanes x, lanes *derivative) {
  // gelu(x) = x s with s = 1 / (1 + exp(-2u)), u = sqrt(2/pi) (x + 0.044715 x^3): no difference of near-equals.
  lanes square = x * x;
  lanes u2 = all(1.5957691216057308f) * x * fused(square, all(0.044715f), all(1.0f));
  // exp of minus the magnitude never overflows; both signs follow from it.
  lanes small = exponential(choose(u2 > all(0.0f), -u2, u2));
  lanes one = all(1.0f);
  lanes big_share = one / (one + small), small_share = small / (one + small);
  lanes s = choose(u2 > all(0.0f), big_share, small_share);
  lanes slope = all(1.5957691216057308f) * fused(square, all(0.134145f), one);
  *derivative = fused(x * (big_share * small_share), slope, s);
  return x * s;
}

/// Written so that NaN passes: a diverged run must not look alive.
CK_INLINE lanes relu(lanes x) { return choose(x < all(0.0f), all(0.0f), x); }

CK_INLINE void mix_columns(
    const int vectors, long from, long heads, long width, const float *row0, const float *row1, const float *constant,
    const float *weights0, const float *weights1, long weights_row, int activate, int activation, float *out,
    float *derivative) {
  lanes sum[4];
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) sum[v] = load(constant + from + v * CK_LANES);
  for (long h = 0; h < heads; h++) {
    lanes w0 = all(weights0[h * weights_row]), w1 = all(weights1[h * weights_row]);
    const float *x0 = row0 + h * width + from, *x1 = row1 + h * width + from;
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sum[v] = fused(w0, load(x0 + v * CK_LANES), sum[v]);
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sum[v] = fused(w1, load(x1 + v * CK_LANES), sum[v]);
  }
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    lanes x = sum[v];
    if (activate && activation == CK_GELU) {
      lanes slope;
      x = gelu(x, &slope);
      store(derivative + from + v * CK_LANES, slope);
    } else if (activate) {
      x = relu(x);
    }
    store(out + from + v * CK_LANES, x);
  }
}

static void mix(
    long count, const int32_t *first, const int32_t *second, long heads, long hidden, long width, const float *table0,
    const float *table1, const float *constant, const float *weights0, const float *weights1, long weights_row,
    int activation, float *out, long out_row, float *derivative, long derivative_row) {
  for (long e = 0; e < count; e++) {
    const float *row0 = table0 + first[e] * heads * width, *row1 = table1 + second[e] * heads * width;
    float *to = out + e * out_row, *slopes = derivative ? derivative + e * derivative_row : 0;
#define CK_MIX(VECTORS, FROM, ACTIVATE) \
  mix_columns(VECTORS, FROM, heads, width, row0, row1, constant, weights0 + e, weights1 + e, weights_row, ACTIVATE, \
              activation, to, slopes)
    long j = 0;
    for (; j + 64 <= hidden; j += 64) CK_MIX(4, j, 1);
    for (; j < hidden; j += 16) CK_MIX(1, j, 1);
    for (; j + 64 <= width; j += 64) CK_MIX(4, j, 0);
    for (; j < width; j += 16) CK_MIX(1, j, 0);
#undef CK_MIX
  }
}

static void activate(
    long count, long columns, float *x, long x_row, const float *shift, int activation, float *derivative,
    long derivative_row) {
  for (long e = 0; e < count; e++) {
    float *row = x + e * x_row;
    for (long j = 0; j < columns; j += CK_LANES) {
      lanes y = load(row + j) + load(shift + j);
      if (activation == CK_GELU) {
        lanes slope;
        y = gelu(y, &slope);
        store(derivative + e * derivative_row + j, slope);
      } else {
        y = relu(y);
      }
      store(row + j, y);
    }
  }
}

CK_INLINE void scatter_columns(
    const int heads, const int vectors, const int32_t *rows, long count, long width, const float *weights,
    long weights_row, const float *x, long x_row, float *table) {
  lanes sum[4][4];
#pragma clang loop unroll(full)
  for (int h = 0; h < heads; h++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sum[h][v] = load(table + h * width + v * CK_LANES);
  for (long i = 0; i < count; i++) {
    long r = rows[i];
    lanes right[4];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) right[v] = load(x + r * x_row + v * CK_LANES);
#pragma clang loop unroll(full)
    for (int h = 0; h < heads; h++) {
      lanes left = all(weights[h * weights_row + r]);
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sum[h][v] = fused(left, right[v], sum[h][v]);
    }
  }
#pragma clang loop unroll(full)
  for (int h = 0; h < heads; h++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) store(table + h * width + v * CK_LANES, sum[h][v]);
}

static void scatter(
    long runs, const ck_run *run, const int32_t *rows, long heads, long width, const float *weights, long weights_row,
    const float *x, long x_row, float *table) {
  for (long n = 0; n < runs; n++) {
    const int32_t *mine = rows + run[n].begin;
    long count = run[n].end - run[n].begin;
    for (long h = 0; h < heads; h += 4) {
      float *to = table + (run[n].token * heads + h) * width;
      const float *w = weights + h * weights_row;
#define CK_SCATTER(HEADS, VECTORS) \
  scatter_columns(HEADS, VECTORS, mine, count, width, w, weights_row, x + j, x_row, to + j)
      long j = 0;
      switch (heads - h) {
        case 1:
          for (; j + 64 <= width; j += 64) CK_SCATTER(1, 4);
          for (; j < width; j += 16) CK_SCATTER(1, 1);
          break;
        case 2:
          for (; j + CK_VECTORS * 16 <= width; j += CK_VECTORS * 16) CK_SCATTER(2, CK_VECTORS);
          for (; j < width; j += 16) CK_SCATTER(2, 1);
          break;
        case 3:
          for (; j + CK_VECTORS * 16 <= width; j += CK_VECTORS * 16) CK_SCATTER(3, CK_VECTORS);
          for (; j < width; j += 16) CK_SCATTER(3, 1);
          break;
        default:
          for (; j + CK_VECTORS * 16 <= width; j += CK_VECTORS * 16) CK_SCATTER(4, CK_VECTORS);
          for (; j < width; j += 16) CK_SCATTER(4, 1);
          break;
      }
#undef CK_SCATTER
    }
  }
}

CK_INLINE void dot_rows(
    const int heads, const int count, const int32_t *rows, long width, const float *table, const float *x, long x_row,
    float *dots, long dots_row) {
  lanes sum[4][4];
#pragma clang loop unroll(full)
  for (int h = 0; h < heads; h++)
#pragma clang loop unroll(full)
    for (int i = 0; i < count; i++) sum[h][i] = all(0.0f);
  for (long j = 0; j < width; j += CK_LANES) {
    lanes left[4];
#pragma clang loop unroll(full)
    for (int i = 0; i < count; i++) left[i] = load(x + rows[i] * x_row + j);
#pragma clang loop unroll(full)
    for (int h = 0; h < heads; h++) {
      lanes right = load(table + h * width + j);
#pragma clang loop unroll(full)
      for (int i = 0; i < count; i++) sum[h][i] = fused(left[i], right, sum[h][i]);
    }
  }
#pragma clang loop unroll(full)
  for (int h = 0; h < heads; h++)
#pragma clang loop unroll(full)
    for (int i = 0; i < count; i++) dots[h * dots_row + rows[i]] = sum_lanes(sum[h][i]);
}

static void dots(
    long runs, const ck_run *run, const int32_t *rows, long heads, long width, const float *table, const float *x,
    long x_row, float *dots, long dots_row) {
  for (long n = 0; n < runs; n++) {
    long h = 0;
#define CK_DOTS(HEADS) \
  for (; h + HEADS <= heads; h += HEADS) { \
    const float *from = table + (run[n].token * heads + h) * width; \
    long i = run[n].begin; \
    for (; i + CK_VECTORS <= run[n].end; i += CK_VECTORS) \
      dot_rows(HEADS, CK_VECTORS, rows + i, width, from, x, x_row, dots + h * dots_row, dots_row); \
    for (; i < run[n].end; i++) \
      dot_rows(HEADS, 1, rows + i, width, from, x, x_row, dots + h * dots_row, dots_row); \
  }
    CK_DOTS(4)
    CK_DOTS(1)
#undef CK_DOTS
  }
}
