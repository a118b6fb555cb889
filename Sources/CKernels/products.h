// Matrix products in register tiles, and the sums and transposes around them. Included by kernels.h alone.

/// Rows of a right factor that stay in the first-level cache: 128 by 64 floats are 32 KiB.
#define CK_DEPTH 128

CK_INLINE void tile(
    const int rows, const int vectors, long k, const float *a, long a_row, long a_column, const float *b, long b_row,
    float *c, long c_row, long last, int accumulate, int finish, const float *gate, long gate_row) {
  // last: how many lanes of the last vector exist.
  lanes sum[CK_ROWS][CK_VECTORS];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sum[i][v] = accumulate ? load(c + i * c_row + v * CK_LANES) : all(0.0f);
  for (long l = 0; l < k; l++) {
    lanes right[CK_VECTORS];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) right[v] = load(b + v * CK_LANES);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      lanes left = all(a[i * a_row]);
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sum[i][v] = fused(left, right[v], sum[i][v]);
    }
    a += a_column;
    b += b_row;
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      lanes x = sum[i][v];
      if (finish == CK_WHERE_POSITIVE)
        x = choose(load(gate + i * gate_row + v * CK_LANES) > all(0.0f), x, all(0.0f));
      else if (finish == CK_TIMES)
        x = load(gate + i * gate_row + v * CK_LANES) * x;
      float *to = c + i * c_row + v * CK_LANES;
      if (v == vectors - 1) store_some(to, x, last);
      else store(to, x);
    }
}

/// All rows of one panel of `vectors` vectors of columns.
CK_INLINE void panel(
    const int vectors, long m, long k, const float *a, long a_row, long a_column, const float *b, long b_row, float *c,
    long c_row, long last, int accumulate, int finish, const float *gate, long gate_row) {
  long i = 0;
#define CK_TILE(ROWS) \
  tile(ROWS, vectors, k, a + i * a_row, a_row, a_column, b, b_row, c + i * c_row, c_row, last, accumulate, finish, \
       gate ? gate + i * gate_row : 0, gate_row)
  for (; i + CK_ROWS <= m; i += CK_ROWS) CK_TILE(CK_ROWS);
  switch (m - i) {
    case 1: CK_TILE(1); break;
    case 2: CK_TILE(2); break;
    case 3: CK_TILE(3); break;
    case 4: CK_TILE(4); break;
    case 5: CK_TILE(5); break;
    default: break;
  }
#undef CK_TILE
}

static void multiply(
    long m, long n, long k, const float *a, long a_row, long a_column, const float *b, long b_row, float *c, long c_row,
    int accumulate, int finish, const float *gate, long gate_row) {
  for (long j = 0; j < n; j += CK_VECTORS * CK_LANES) {
    long left = n - j < CK_VECTORS * CK_LANES ? n - j : CK_VECTORS * CK_LANES;
    long vectors = (left + CK_LANES - 1) / CK_LANES;
    long last = left - (vectors - 1) * CK_LANES;
    const float *gates = gate ? gate + j : 0;
    // The right factor's panel is met by every tile of rows, so as much of it as the first-level cache holds at a time.
    // A gate may be c itself, which must then stay whole until the last step.
    long most = gate ? k : CK_DEPTH;
    long l = 0;
    do {
      long depth = k - l < most ? k - l : most;
      int more = accumulate || l > 0;
#define CK_PANEL(VECTORS) \
  panel(VECTORS, m, depth, a + l * a_column, a_row, a_column, b + j + l * b_row, b_row, c + j, c_row, last, more, \
        finish, gates, gate_row)
      switch (vectors) {
        case 1: CK_PANEL(1); break;
#if CK_VECTORS >= 4
        case 2: CK_PANEL(2); break;
        case 3: CK_PANEL(3); break;
        case 4: CK_PANEL(4); break;
#endif
        default: break;
      }
#undef CK_PANEL
      l += depth;
    } while (l < k);
  }
}

/// 16 by 16 floats: four rounds in which row i meets row i + 8 and their lanes are dealt out in turn.
CK_INLINE void transpose_square(const float *from, long from_row, float *to, long to_row) {
  lanes x[CK_LANES], y[CK_LANES];
#pragma clang loop unroll(full)
  for (int i = 0; i < CK_LANES; i++) x[i] = load(from + i * from_row);
#pragma clang loop unroll(full)
  for (int round = 0; round < 4; round++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < CK_LANES / 2; i++) {
      y[2 * i] = __builtin_shufflevector(x[i], x[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      y[2 * i + 1] =
          __builtin_shufflevector(x[i], x[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < CK_LANES; i++) x[i] = y[i];
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < CK_LANES; i++) store(to + i * to_row, x[i]);
}

static void transpose(long rows, long columns, const float *from, long from_row, float *to, long to_row) {
  // Blocks of 16 by 16 keep both sides' cache lines at hand.
  for (long j0 = 0; j0 < columns; j0 += CK_LANES) {
    long j1 = j0 + CK_LANES < columns ? j0 + CK_LANES : columns;
    for (long i0 = 0; i0 < rows; i0 += CK_LANES) {
      long i1 = i0 + CK_LANES < rows ? i0 + CK_LANES : rows;
      if (i1 - i0 == CK_LANES && j1 - j0 == CK_LANES) {
        transpose_square(from + i0 * from_row + j0, from_row, to + j0 * to_row + i0, to_row);
        continue;
      }
      for (long j = j0; j < j1; j++)
        for (long i = i0; i < i1; i++) to[j * to_row + i] = from[i * from_row + j];
    }
  }
}

static void column_sums(long rows, long columns, const float *x, long x_row, float *sums) {
  long j = 0;
  for (; j + 4 * CK_LANES <= columns; j += 4 * CK_LANES) {
    lanes s0 = load(sums + j), s1 = load(sums + j + 16), s2 = load(sums + j + 32), s3 = load(sums + j + 48);
    for (long i = 0; i < rows; i++) {
      const float *row = x + i * x_row + j;
      s0 += load(row);
      s1 += load(row + 16);
      s2 += load(row + 32);
      s3 += load(row + 48);
    }
    store(sums + j, s0);
    store(sums + j + 16, s1);
    store(sums + j + 32, s2);
    store(sums + j + 48, s3);
  }
  for (; j < columns; j += CK_LANES) {
    lanes s = load(sums + j);
    for (long i = 0; i < rows; i++) s += load(x + i * x_row + j);
    store_some(sums + j, s, columns - j);
  }
}

static void add_row(long rows, long columns, const float *x, long x_row, const float *shift, float *to, long to_row) {
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < columns; j += CK_LANES)
      store_some(to + i * to_row + j, load(x + i * x_row + j) + load(shift + j), columns - j);
}

static void add(long count, const float *x, const float *y, float *to) {
  for (long i = 0; i < count; i += CK_LANES) store_some(to + i, load(x + i) + load(y + i), count - i);
}
