// Products whose left factor is half zeros, as the outputs of a ReLU are: a zero's step is left out, not multiplied.
//
// fma(0, y, sum) is sum for every finite y, so the bits are those of `multiply` (the sign of a sum that is itself zero
// apart, which no weight can show). The caller sees to it that the right factor is finite. A row keeps its sums in
// registers and walks the bits of a 64-bit mask, while 64 rows of the right factor stay in the first-level cache.
// Included by kernels.h alone.

/// Bit i is whether from[i] is other than zero, for 16 lanes; NaN is.
CK_INLINE uint64_t active_lanes(const float *from) {
  typedef _Bool flags __attribute__((ext_vector_type(CK_LANES)));
  flags found = __builtin_convertvector(load(from) != all(0.0f), flags);
  uint16_t packed;
  __builtin_memcpy(&packed, &found, sizeof packed);
  return packed;
}

/// c[v] += sum over the mask's bits l, ascending, of a[l * a_column] * b[l,v].
CK_INLINE void active_row(
    const int vectors, uint64_t mask, const float *a, long a_column, const float *b, long b_row, float *c) {
  lanes sum[CK_ACTIVE];
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) sum[v] = load(c + v * CK_LANES);
  for (; mask; mask &= mask - 1) {
    long l = __builtin_ctzll(mask);
    lanes left = all(a[l * a_column]);
    const float *right = b + l * b_row;
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sum[v] = fused(left, load(right + v * CK_LANES), sum[v]);
  }
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) store(c + v * CK_LANES, sum[v]);
}

/// The steps of 64 or fewer rows of b for all rows of c.
CK_INLINE void active_panel(
    const int vectors, long m, long k, const float *a, long a_row, const float *b, long b_row, float *c, long c_row) {
  for (long i0 = 0; i0 < m; i0 += CK_LANES) {
    // The masks of some rows first, so that no row's steps wait for its mask.
    uint64_t masks[CK_LANES];
    long rows = m - i0 < CK_LANES ? m - i0 : CK_LANES;
    for (long r = 0; r < rows; r++) {
      const float *left = a + (i0 + r) * a_row;
      uint64_t mask = 0;
      for (long w = 0; w < k; w += CK_LANES) mask |= active_lanes(left + w) << w;
      masks[r] = k < 64 ? mask & ((1ull << k) - 1) : mask;
    }
    for (long r = 0; r < rows; r++)
      active_row(vectors, masks[r], a + (i0 + r) * a_row, 1, b, b_row, c + (i0 + r) * c_row);
  }
}

/// The same for a transposed left factor.
CK_INLINE void active_panel_transposed(
    const int vectors, long m, long k, const float *a, long a_column, const float *b, long b_row, float *c,
    long c_row) {
  for (long i = 0; i < m; i += CK_LANES) {
    // Bit l of lane r: whether a[i+r,l] counts. Rows of the mask come out of whole vectors, without turning anything.
    bits low = {0}, high = {0};
    for (long l = 0; l < k; l++) {
      bits active = (bits)(load(a + l * a_column + i) != all(0.0f));
      if (l < 32) low |= active & (1u << l);
      else high |= active & (1u << (l - 32));
    }
    for (long r = 0; r < CK_LANES && i + r < m; r++)
      active_row(
          vectors, low[r] | (uint64_t)high[r] << 32, a + i + r, a_column, b, b_row, c + (i + r) * c_row);
  }
}

#if CK_ACTIVE > 4
#define CK_FIVE_TO_EIGHT(CALL) case 5: CALL(5); break; case 6: CALL(6); break; case 7: CALL(7); break; \
  case 8: CALL(8); break;
#else
#define CK_FIVE_TO_EIGHT(CALL)
#endif
/// Columns in even shares of at most CK_ACTIVE vectors, then 64 steps at a time: what is read again stays in the cache.
#define CK_ACTIVE_PANELS(CALL) \
  long vectors = n / CK_LANES, shares = (vectors + CK_ACTIVE - 1) / CK_ACTIVE; \
  for (long share = 0; share < shares; share++) { \
    long j = vectors * share / shares * CK_LANES, share_end = vectors * (share + 1) / shares; \
    for (long l = 0; l < k; l += 64) { \
      long some = k - l < 64 ? k - l : 64; \
      switch (share_end - j / CK_LANES) { \
        case 1: CALL(1); break; \
        case 2: CALL(2); break; \
        case 3: CALL(3); break; \
        case 4: CALL(4); break; \
        CK_FIVE_TO_EIGHT(CALL) \
        default: break; \
      } \
    } \
  }

static void multiply_active(
    long m, long n, long k, const float *a, long a_row, const float *b, long b_row, float *c, long c_row) {
#define CK_CALL(VECTORS) active_panel(VECTORS, m, some, a + l, a_row, b + l * b_row + j, b_row, c + j, c_row)
  CK_ACTIVE_PANELS(CK_CALL)
#undef CK_CALL
}

static void multiply_active_transposed(
    long m, long n, long k, const float *a, long a_column, const float *b, long b_row, float *c, long c_row) {
#define CK_CALL(VECTORS) \
  active_panel_transposed(VECTORS, m, some, a + l * a_column, a_column, b + l * b_row + j, b_row, c + j, c_row)
  CK_ACTIVE_PANELS(CK_CALL)
#undef CK_CALL
}
#undef CK_ACTIVE_PANELS
#undef CK_FIVE_TO_EIGHT
