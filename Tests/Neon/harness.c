// Every kernel of one instruction set on fixed pseudo-random inputs, one line per case with a hash of the bits it gave:
// run.sh compares the lines of all instruction sets. Without an argument it names the sets that can run here.
//
//   harness avx512|avx2|neon
//
// Lines that start with # are for people and are not compared. Two things are known to differ, and only these:
//
// - Which NaN. A NaN made from numbers is negative on x86 and positive on ARM, and which of several NaNs passes through
//   a fused multiply-add differs even between AVX2 and AVX-512. So every NaN is hashed as the same one. That something
//   is NaN never differs.
// - Flushing in a band of 2^-151 right below the smallest normal number 2^-126. ARM looks at the exact result and makes
//   it zero; x86 looks at the rounded result, which is 2^-126 there, and keeps it. Sums, differences, quotients and
//   roots of normal floats never fall into the band, products and fused multiply-adds can: one in 2^25 of those between
//   2^-126 / e and 2^-126, if their logarithms are spread evenly. `edges` shows that the band is where this says, that
//   products differ nowhere else, and that AdamW's moments agree again one step after they decayed through it, their
//   weights all the time. Added to any float above 2^-101 the difference is lost.

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ckernels.h"

static const ck_kernels *k;

// What inputs look like.
enum { UNIT, TIES, WIDE, TINY, LARGE, KINDS };
static const char *const kind_names[] = {"unit", "ties", "wide", "tiny", "large"};
static int kind, flushing;

// MARK: Numbers, memory and lines

static uint64_t seed;

static uint64_t draw(void) {
  uint64_t z = (seed += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static long below(long limit) { return (long)((draw() >> 33) % (uint64_t)limit); }

static float from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}

/// A float with a random sign and fraction and an exponent field from `low` to `high`; field 0 is subnormal.
static float with_exponent(long low, long high) {
  uint32_t exponent = (uint32_t)(low + below(high - low + 1));
  return from_bits((uint32_t)(draw() & 0x807fffff) | exponent << 23);
}

static float number_of(int of_kind) {
  switch (of_kind) {
    case TIES: return (float)(below(5) - 2) * 0.25f;
    // Every finite float, subnormals included.
    case WIDE: return with_exponent(0, 254);
    // Products fall around the smallest normal number; one in eight is subnormal itself, one in sixteen zero.
    case TINY: return below(16) == 0 ? 0 : below(8) == 0 ? with_exponent(0, 0) : with_exponent(58, 70);
    // Beyond what exp can take, and now and then beyond everything.
    case LARGE:
      if (below(64) == 0) return from_bits(below(2) ? 0x7f800000 : 0xff800000);
      if (below(64) == 0) return with_exponent(200, 254);
      return with_exponent(124, 135);
    default: return (float)((int32_t)(draw() >> 40) - 8388608) * 0x1p-23f;
  }
}

#define GUARD 64
#define GUARD_BITS 0x7fedcba9u
static struct { float *base; long count; } buffers[32];
static int buffer_count;

/// Inputs of the current kind, with NaNs behind: what is read there must not matter, and nothing may be written there.
static float *numbers(long count) {
  float *x = malloc((size_t)(count + GUARD) * sizeof(float));
  if (!x || buffer_count == 32) abort();
  for (long i = 0; i < count; i++) x[i] = number_of(kind);
  for (long i = 0; i < GUARD; i++) memcpy(x + count + i, &(uint32_t){GUARD_BITS}, 4);
  buffers[buffer_count].base = x;
  buffers[buffer_count++].count = count;
  return x;
}

static float *positive(long count) {
  float *x = numbers(count);
  for (long i = 0; i < count; i++) x[i] = fabsf(x[i]);
  return x;
}

static float *zeros(long count) {
  float *x = numbers(count);
  for (long i = 0; i < count; i++) x[i] = 0;
  return x;
}

static int32_t *tokens_below(long limit, long count) {
  int32_t *x = malloc((size_t)(count + 1) * sizeof(int32_t));
  if (!x) abort();
  for (long i = 0; i < count; i++) x[i] = (int32_t)below(limit);
  return x;
}

#define PRIME 0x100000001b3u
#define BASIS 0xcbf29ce484222325u
static uint64_t hash;
static char label[160];

static void fail(const char *what) {
  fprintf(stderr, "harness: %s: %s\n", label, what);
  exit(1);
}

static void see_word(uint32_t word) { hash = (hash ^ word) * PRIME; }

static void see(const float *x, long count) {
  for (long i = 0; i < count; i++) {
    uint32_t bits = bits_of(x[i]);
    see_word((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : bits);
  }
}

static void case_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void case_of(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(label, sizeof label, format, arguments);
  va_end(arguments);
  snprintf(label + length, sizeof label - (size_t)length, " %s %s", kind_names[kind], flushing ? "flushed" : "gradual");
  seed = BASIS;
  for (const char *c = label; *c; c++) seed = (seed ^ (uint64_t)*c) * PRIME;
  hash = BASIS;
}

static void end_case(void) {
  for (int i = 0; i < buffer_count; i++) {
    for (long j = 0; j < GUARD; j++)
      if (bits_of(buffers[i].base[buffers[i].count + j]) != GUARD_BITS) fail("wrote behind the end");
    free(buffers[i].base);
  }
  buffer_count = 0;
  printf("%s %016llx\n", label, (unsigned long long)hash);
}

#define EACH(ITEM, ...) \
  for (size_t ITEM##_at = 0; ITEM##_at < sizeof((long[]){__VA_ARGS__}) / sizeof(long); ITEM##_at++) \
    for (long ITEM = ((long[]){__VA_ARGS__})[ITEM##_at], ITEM##_once = 1; ITEM##_once; ITEM##_once = 0)

// MARK: One kernel each

static void multiplied(long m, long n, long depth, int accumulate, int transposed, int finish, int own_gate) {
  case_of("multiply m=%ld n=%ld k=%ld accumulate=%d transposed=%d finish=%d%s", m, n, depth, accumulate, transposed,
          finish, own_gate ? " own-gate" : "");
  float *a = numbers(m * depth + 1), *b = numbers(depth * (n + 3) + 1), *c = numbers(m * (n + 5) + 2);
  float *gate = own_gate ? c + 2 : numbers(m * (n + 1));
  // One and two floats off: nothing is aligned.
  k->multiply(m, n, depth, a + 1, transposed ? 1 : depth, transposed ? m : 1, b + 1, n + 3, c + 2, n + 5, accumulate,
              finish, finish == CK_PLAIN ? 0 : gate, own_gate ? n + 5 : n + 1);
  see(c, m * (n + 5) + 2);
  end_case();
}

static void products(void) {
  static const long shapes[][3] = {
    {0, 5, 4}, {3, 0, 4}, {5, 33, 0}, {1, 1, 1}, {5, 15, 3}, {6, 16, 7}, {7, 17, 1}, {13, 64, 9}, {12, 65, 33},
    {23, 130, 40}, {4, 47, 2}, {2, 32, 5}, {8, 49, 11}, {9, 81, 6}, {10, 97, 3}, {11, 113, 24},
  };
  for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
    for (int variant = 0; variant < 16; variant++) {
      int own = variant % 4 == 3;
      multiplied(shapes[s][0], shapes[s][1], shapes[s][2], variant / 4 % 2, variant / 8,
                 own ? CK_WHERE_POSITIVE : variant % 4, own);
    }
}

/// Products that leave out the zeros of their left factor; about half of it is made zero, some of them negative.
static void active(long m, long n, long depth, int transposed) {
  case_of("multiply-active m=%ld n=%ld k=%ld transposed=%d", m, n, depth, transposed);
  float *a = numbers(m * depth + 1), *b = numbers(depth * (n + 3) + 1), *c = numbers(m * (n + 5) + 2);
  for (long i = 0; i <= m * depth; i++)
    if (a[i] < 0) a[i] = i % 3 ? 0.0f : -0.0f;
  if (transposed) k->multiply_active_transposed(m, n, depth, a + 1, m, b + 1, n + 3, c + 2, n + 5);
  else k->multiply_active(m, n, depth, a + 1, depth, b + 1, n + 3, c + 2, n + 5);
  see(c, m * (n + 5) + 2);
  end_case();
}

static void active_products(void) {
  static const long shapes[][3] = {
    {0, 16, 4}, {3, 16, 0}, {1, 16, 1}, {5, 32, 15}, {16, 48, 16}, {17, 64, 31}, {7, 80, 33}, {13, 96, 63},
    {33, 112, 64}, {20, 128, 65}, {4, 144, 130}, {9, 416, 40},
  };
  for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
    for (int transposed = 0; transposed < 2; transposed++)
      active(shapes[s][0], shapes[s][1], shapes[s][2], transposed);
}

/// The three products of a block, and two of the tables, at the paper's size and at a small one.
static void paper_products(void) {
  multiplied(128, 114, 512, 1, 0, CK_PLAIN, 0);
  multiplied(128, 512, 114, 0, 0, CK_WHERE_POSITIVE, 1);
  multiplied(128, 512, 114, 0, 0, CK_TIMES, 0);
  multiplied(512, 114, 128, 1, 1, CK_PLAIN, 0);
  multiplied(113, 640, 32, 0, 0, CK_PLAIN, 0);
  multiplied(114, 128, 113, 0, 1, CK_PLAIN, 0);
  multiplied(128, 60, 256, 1, 0, CK_PLAIN, 0);
  multiplied(256, 60, 128, 1, 1, CK_PLAIN, 0);
  multiplied(13, 70, 300, 1, 0, CK_PLAIN, 0);
  active(128, 128, 512, 0);
  active(512, 112, 128, 1);
}

static void matrices(void) {
  EACH(rows, 0, 1, 7, 16, 33, 128) EACH(columns, 1, 15, 16, 17, 64, 65, 79, 114, 130, 512, 640) {
    case_of("transpose rows=%ld columns=%ld", rows, columns);
    float *x = numbers(rows * (columns + 3)), *to = numbers(columns * (rows + 1));
    k->transpose(rows, columns, x, columns + 3, to, rows + 1);
    see(to, columns * (rows + 1));
    end_case();

    case_of("column_sums rows=%ld columns=%ld", rows, columns);
    x = numbers(rows * (columns + 3) + 1);
    float *sums = numbers(columns);
    k->column_sums(rows, columns, x + 1, columns + 3, sums);
    see(sums, columns);
    end_case();

    case_of("add_row rows=%ld columns=%ld", rows, columns);
    x = numbers(rows * (columns + 3) + 1), to = numbers(rows * (columns + 2));
    float *shift = numbers(columns);
    k->add_row(rows, columns, x + 1, columns + 3, shift, to, columns + 2);
    see(to, rows * (columns + 2));
    end_case();
  }
  EACH(count, 0, 1, 15, 16, 17, 100, 1027) {
    case_of("add count=%ld", count);
    float *x = numbers(count + 1), *y = numbers(count), *to = numbers(count);
    k->add(count, x + 1, y, to);
    see(to, count);
    end_case();
  }
}

static void exponentials(void) {
  EACH(count, 0, 1, 15, 16, 17, 113, 1027) {
    case_of("exp_shifted count=%ld", count);
    float *x = numbers(count), *to = numbers(count), shift = 0;
    for (long i = 0; i < count; i++) shift = x[i] > shift ? x[i] : shift;
    k->exp_shifted(count, x, shift, to);
    see(to, count);
    end_case();
  }
  // Every step of a millionth of the range, its edge float by float, and what is no number.
  case_of("exp_shifted range");
  float *x = zeros(4096), *to = zeros(4096);
  for (long from = 0; from < 256; from++) {
    for (long i = 0; i < 4096; i++) x[i] = (float)(from * 4096 + i) * (-100.0f / 1048576);
    k->exp_shifted(4096, x, 0, to);
    see(to, 4096);
  }
  for (long i = 0; i < 4096; i++) x[i] = from_bits(bits_of(-87.0f) - 2048 + (uint32_t)i);
  k->exp_shifted(4096, x, 0, to);
  see(to, 4096);
  static const uint32_t special[] = {
    0x80000000, 0x80000001, 0x807fffff, 0xff800000, 0x7fc00000, 0xff7fffff, 0xb3800000, 0xb3800001,
  };
  for (long i = 0; i < 8; i++) x[i] = from_bits(special[i]);
  k->exp_shifted(8, x, 0, to);
  see(to, 8);
  end_case();
}

static void attentions(void) {
  EACH(raw, 0, 1) EACH(tokens, 3, 59, 113) EACH(heads, 1, 3, 4, 7) EACH(count, 0, 1, 15, 16, 17, 128) {
    case_of("attention count=%ld heads=%ld tokens=%ld raw=%ld", count, heads, tokens, raw);
    long row = count + 9;
    float *t0 = raw ? numbers(heads * (tokens + 2)) : positive(heads * (tokens + 2));
    float *t1 = raw ? numbers(heads * (tokens + 2)) : positive(heads * (tokens + 2));
    float *equals = raw ? numbers(heads) : positive(heads), *w0 = numbers(heads * row), *w1 = numbers(heads * row);
    int32_t *first = tokens_below(tokens, count), *second = tokens_below(tokens, count);
    k->attention(count, first, second, heads, t0, t1, tokens + 2, equals, (int)raw, w0, w1, row);
    see(w0, heads * row);
    see(w1, heads * row);
    free(first);
    free(second);
    end_case();
  }
  EACH(heads, 1, 3, 4) EACH(count, 0, 1, 15, 16, 17, 128) {
    case_of("attention_backward count=%ld heads=%ld", count, heads);
    long row = count + 3;
    float *w0 = positive(heads * row), *w1 = positive(heads * row);
    float *g0 = numbers(heads * row), *g1 = numbers(heads * row);
    k->attention_backward(count, heads, w0, w1, g0, g1, row);
    see(g0, heads * row);
    see(g1, heads * row);
    end_case();
  }
}

static void mixed(long count, long heads, long hidden, long width, long tokens) {
  for (int activation = CK_RELU; activation <= CK_GELU; activation++) {
    case_of("mix count=%ld heads=%ld hidden=%ld width=%ld %s", count, heads, hidden, width,
            activation == CK_GELU ? "gelu" : "relu");
    float *t0 = numbers(tokens * heads * width), *t1 = numbers(tokens * heads * width), *constant = numbers(width);
    float *w0 = positive(heads * (count + 1)), *w1 = positive(heads * (count + 1)), *out = numbers(count * (width + 5));
    float *slopes = activation == CK_GELU ? numbers(count * (hidden + 1)) : 0;
    int32_t *first = tokens_below(tokens, count), *second = tokens_below(tokens, count);
    k->mix(count, first, second, heads, hidden, width, t0, t1, constant, w0, w1, count + 1, activation, out, width + 5,
           slopes, hidden + 1);
    see(out, count * (width + 5));
    if (slopes) see(slopes, count * (hidden + 1));
    free(first);
    free(second);
    end_case();
  }
}

static void mixes(void) {
  mixed(0, 2, 16, 32, 3);
  mixed(1, 1, 16, 32, 3);
  mixed(2, 4, 0, 16, 3);
  mixed(3, 2, 48, 64, 5);
  mixed(5, 5, 64, 80, 7);
  mixed(17, 3, 80, 112, 59);
  mixed(19, 1, 144, 144, 23);
  mixed(31, 8, 256, 320, 59);
}

static void activated(long count, long columns) {
  for (int activation = CK_RELU; activation <= CK_GELU; activation++) {
    case_of("activate count=%ld columns=%ld %s", count, columns, activation == CK_GELU ? "gelu" : "relu");
    float *x = numbers(count * (columns + 5) + 1), *shift = numbers(columns + 1);
    float *slopes = activation == CK_GELU ? numbers(count * (columns + 1)) : 0;
    k->activate(count, columns, x + 1, columns + 5, shift + 1, activation, slopes, columns + 1);
    see(x, count * (columns + 5) + 1);
    if (slopes) see(slopes, count * (columns + 1));
    end_case();
  }
}

static void activations(void) {
  EACH(count, 0, 1, 7, 17) EACH(columns, 16, 48, 64, 144) activated(count, columns);
}

/// GELU and its derivative on a sweep of -16 to 16, at the edges of exp, and on what is no number.
static void gelu_range(void) {
  case_of("mix gelu range");
  float *constant = zeros(4096), *weight = zeros(1), *out = zeros(4096), *slopes = zeros(4096);
  float *table = zeros(4096);
  int32_t token = 0;
  static const uint32_t special[] = {0, 1, 0x7fffff, 0x800000, 0x7f800000, 0x7fc00000, 0x7f7fffff, 0x5f800000};
  for (long from = 0; from < 65; from++) {
    for (long i = 0; i < 4096; i++) constant[i] = (float)(from * 4096 + i) * (32.0f / 262144) - 16.0f;
    if (from == 64)
      for (long i = 0; i < 4096; i++) constant[i] = i < 16 ? from_bits(special[i % 8] | (uint32_t)(i / 8) << 31) : 1;
    k->mix(1, &token, &token, 1, 4096, 4096, table, table, constant, weight, weight, 1, CK_GELU, out, 4096, slopes,
           4096);
    see(out, 4096);
    see(slopes, 4096);
  }
  end_case();
}

/// Groups examples by token, in ascending order; returns how many runs.
static long runs_of(const int32_t *token, long count, long tokens, ck_run *runs, int32_t *rows) {
  long found = 0, place = 0;
  for (int32_t t = 0; t < tokens; t++) {
    long begin = place;
    for (long e = 0; e < count; e++)
      if (token[e] == t) rows[place++] = (int32_t)e;
    if (place > begin) runs[found++] = (ck_run){t, (int32_t)begin, (int32_t)place};
  }
  return found;
}

static void spread(long count, long heads, long width, long tokens) {
  int32_t *token, *rows = malloc((size_t)(count + 1) * sizeof *rows);
  ck_run *runs = malloc((size_t)(tokens + 1) * sizeof *runs);
  if (!rows || !runs) abort();

  case_of("scatter count=%ld heads=%ld width=%ld tokens=%ld", count, heads, width, tokens);
  float *x = numbers(count * (width + 7)), *weights = positive(heads * (count + 1));
  float *table = numbers(tokens * heads * width);
  token = tokens_below(tokens, count);
  long found = runs_of(token, count, tokens, runs, rows);
  k->scatter(found, runs, rows, heads, width, weights, count + 1, x, width + 7, table);
  see(table, tokens * heads * width);
  free(token);
  end_case();

  case_of("dots count=%ld heads=%ld width=%ld tokens=%ld", count, heads, width, tokens);
  x = numbers(count * (width + 7)), table = numbers(tokens * heads * width);
  float *dots = numbers(heads * (count + 1));
  token = tokens_below(tokens, count);
  found = runs_of(token, count, tokens, runs, rows);
  k->dots(found, runs, rows, heads, width, table, x, width + 7, dots, count + 1);
  see(dots, heads * (count + 1));
  free(token);
  end_case();

  free(rows);
  free(runs);
}

static void spreads(void) {
  EACH(heads, 1, 2, 3, 4, 5, 7, 8) EACH(width, 16, 48, 64, 80, 144) EACH(count, 0, 1, 7, 40)
    spread(count, heads, width, count == 40 ? 3 : 11);
}

static void losses(long count, long classes) {
  for (int gradients = 0; gradients < 2; gradients++) {
    case_of("cross_entropy count=%ld classes=%ld gradients=%d", count, classes, gradients);
    long row = (classes + 15) / 16 * 16 + 5;
    float *logits = numbers(count * row), *loss = numbers(count);
    int32_t *labels = tokens_below(classes, count), *correct = tokens_below(9, count);
    k->cross_entropy(count, classes, logits, row, labels, gradients, 1.0f / 3830, loss, correct);
    see(logits, count * row);
    see(loss, count);
    for (long e = 0; e < count; e++) see_word((uint32_t)correct[e]);
    free(labels);
    free(correct);
    end_case();
  }
}

static void all_losses(void) {
  EACH(count, 0, 1, 15, 16, 17, 40) EACH(classes, 1, 2, 15, 16, 17, 59, 60, 114) losses(count, classes);
}

/// Two classes with a margin from 0 to 110 either way: log(1 + x) and exp over all that a loss can be.
static void loss_range(void) {
  case_of("cross_entropy range");
  float *logits = zeros(512 * 16), *loss = zeros(512);
  int32_t *labels = tokens_below(1, 512), *correct = tokens_below(1, 512);
  for (long from = 0; from < 512; from++) {
    for (long e = 0; e < 512; e++) {
      logits[e * 16] = (float)(from * 512 + e - 131072) * (110.0f / 131072);
      logits[e * 16 + 1] = 0;
      labels[e] = (int32_t)(e & 1);
    }
    k->cross_entropy(512, 2, logits, 16, labels, from & 1, 1, loss, correct);
    see(logits, 512 * 16);
    see(loss, 512);
    for (long e = 0; e < 512; e++) see_word((uint32_t)correct[e]);
  }
  free(labels);
  free(correct);
  end_case();
}

static ck_adamw step_of(double rate, double decay, double beta1, double beta2, double power1, double power2) {
  return (ck_adamw){
    (float)(1 - rate * decay), (float)beta1, (float)(1 - beta1), (float)beta2, (float)(1 - beta2),
    (float)(rate / (1 - power1)), (float)(1 / sqrt(1 - power2)), 1e-8f,
  };
}

static void optimizer(void) {
  EACH(count, 0, 1, 15, 16, 17, 1027) {
    case_of("adamw count=%ld", count);
    float *g = numbers(count), *w = numbers(count), *m = numbers(count), *v = positive(count);
    double power1 = 1, power2 = 1;
    for (int t = 0; t < 5; t++) {
      power1 *= 0.9, power2 *= 0.98;
      k->adamw(count, step_of(1e-3, 1, 0.9, 0.98, power1, power2), g, w, m, v);
    }
    see(w, count);
    see(m, count);
    see(v, count);
    end_case();
  }
  EACH(count, 0, 1, 15, 16, 17, 1027) {
    EACH(filtered, 0, 1) {
      case_of("sgd count=%ld filtered=%ld", count, filtered);
      float *g = numbers(count), *w = numbers(count), *v = numbers(count), *slow = numbers(count);
      ck_gradient_step step = {1e-3f, 0.98f, (float)(1 - 0.98), 2, 0.5f};
      for (int t = 0; t < 5; t++) {
        k->prepare_gradients(count, step, w, g, filtered ? slow : 0);
        k->sgd(count, 0.9f, 1e-3f, g, w, v);
      }
      see(w, count);
      see(g, count);
      see(v, count);
      see(slow, count);
      end_case();
    }
  }
}

// MARK: Flushing, and the band where it may differ

#if defined(__aarch64__)
static const int keeps_band = 0;
#else
static const int keeps_band = 1;
#endif

/// The exact product of two floats that rounds to the smallest normal number although it is below.
static int in_band(double product) {
  double magnitude = fabs(product);
  return magnitude < 0x1p-126 && magnitude >= 0x1p-126 - 0x1p-151;
}

static void modes(void) {
  kind = UNIT, flushing = 0;
  case_of("flush mode");
  float *x = zeros(16), *y = zeros(16), *to = zeros(16);
  for (int turn = 0; turn < 3; turn++) {
    uint64_t state = turn == 1 ? ck_flush_to_zero() : 0;
    x[0] = from_bits(0x00400000), y[0] = x[0];  // operands that are subnormal, a sum that is not
    x[1] = from_bits(0x00800001), y[1] = from_bits(0x80800000);  // the other way round
    x[2] = from_bits(0x80400000), y[2] = from_bits(0x80000001);
    k->add(16, x, y, to);
    see(to, 16);
    if ((to[0] == 0) != (turn == 1) || (to[1] == 0) != (turn == 1)) fail("tiny numbers are not treated as promised");
    if (turn == 1) ck_restore(state);
  }
  end_case();
}

static void edges(void) {
  kind = UNIT, flushing = 1;
  uint64_t state = ck_flush_to_zero();

  // Products next to 2^-126: a is random, b is the float next to 2^-126 / a or one of its neighbours.
  case_of("multiply edge");
  long inside = 0, outside = 0;
  float *a = numbers(1), *b = zeros(16), *c = zeros(16);
  for (long n = 0; n < 200000; n++) {
    a[0] = with_exponent(58, 70);
    float near = (float)(0x1p-126 / (double)a[0]);
    for (uint32_t i = 0; i < 16; i++) b[i] = from_bits(bits_of(near) - 8 + i);
    k->multiply(1, 16, 1, a, 1, 1, b, 16, c, 16, 0, CK_PLAIN, 0, 0);
    for (int i = 0; i < 16; i++) {
      double exact = (double)a[0] * (double)b[i];
      if (in_band(exact)) {
        inside++;
        if (fabsf(c[i]) != (keeps_band ? 0x1p-126f : 0)) fail("the band is not treated as documented");
      } else {
        outside++;
        if (c[i] != (fabs(exact) < 0x1p-126 ? 0 : (float)exact)) fail("differs outside the band");
        see(c + i, 1);
      }
    }
  }
  see_word((uint32_t)inside);
  printf("# %ld of %ld products next to 2^-126 lie in the band and are %s here; the others are as everywhere\n", inside,
         inside + outside, keeps_band ? "kept" : "zero");
  end_case();

  // Moments that decay through the band: equal from the second step on, the weight from the first.
  case_of("adamw edge");
  long crossings = 0;
  float *g = zeros(1), *w = numbers(1), *m = zeros(1), *v = zeros(1);
  for (int n = 0; n < 4000; n++) {
    double beta1 = 0.8 + n * 5e-5, beta2 = 0.9 + n * 2.4e-5;
    m[0] = (float)(0x1p-126 / (double)(float)beta1);
    v[0] = (float)(0x1p-126 / (double)(float)beta2);
    crossings += in_band((double)(float)beta1 * (double)m[0]) + in_band((double)(float)beta2 * (double)v[0]);
    w[0] = 0.25f;
    for (int t = 0; t < 2; t++) {
      k->adamw(1, step_of(1e-3, 1, beta1, beta2, 0.5, 0.5), g, w, m, v);
      see(w, 1);
    }
    see(m, 1);
    see(v, 1);
  }
  see_word((uint32_t)crossings);
  printf("# %ld moments decayed into the band: weights as everywhere, moments after one more step\n", crossings);
  end_case();
  ck_restore(state);
}

// MARK: Training with all of them

/// Trains tables, scores, the output matrix and a bias, as a run's folded model does, on a share of all pairs of
/// numbers below p; one line every `every` epochs with the bits of losses, weights and moments.
static void train(long p, long heads, long hidden, int activation, int raw, long epochs, long every) {
  kind = UNIT, flushing = 1;
  uint64_t state = ck_flush_to_zero();
  const long block = 128, classes = p + 1, columns = (classes + 15) / 16 * 16, width = hidden + columns;
  const long table = p * heads * width, scores = heads * p;
  const long at0 = 0, at1 = table, at_constant = at1 + table, at_scores0 = at_constant + width;
  const long at_scores1 = at_scores0 + scores, at_out = at_scores1 + scores, at_bias = at_out + hidden * columns;
  const long all = at_bias + columns;

  case_of("train");
  float *w = numbers(all), *g = zeros(all), *m = zeros(all), *v = zeros(all);
  for (long i = 0; i < all; i++) w[i] *= i >= at_out ? 0.1f : 0.3f;
  float *equals_scores = zeros(heads), *equals = zeros(heads), *exp0 = zeros(scores), *exp1 = zeros(scores);
  float *w0 = zeros(heads * block), *w1 = zeros(heads * block), *g0 = zeros(heads * block), *g1 = zeros(heads * block);
  float *x = zeros(block * width), *slopes = zeros(block * hidden), *out_turned = zeros(columns * hidden);
  float *sums = zeros(width), *loss = zeros(block);

  int32_t *first = tokens_below(1, p * p), *second = tokens_below(1, p * p), *labels = tokens_below(1, p * p);
  int32_t *rows = tokens_below(1, block), *correct = tokens_below(1, block);
  ck_run *runs = malloc((size_t)block * sizeof *runs);
  if (!runs) abort();
  long examples = 0;
  for (long pair = 0; pair < p * p; pair++)
    if (below(100) < 40) {
      first[examples] = (int32_t)(pair / p), second[examples] = (int32_t)(pair % p);
      labels[examples++] = (int32_t)((pair / p + pair % p) % p);
    }

  double power1 = 1, power2 = 1;
  uint64_t running = BASIS;
  for (long epoch = 1; epoch <= epochs; epoch++) {
    memset(g, 0, (size_t)all * sizeof(float));
    float shift = 0;
    for (long i = 0; i < 2 * scores; i++) shift = w[at_scores0 + i] > shift ? w[at_scores0 + i] : shift;
    k->exp_shifted(scores, w + at_scores0, shift, exp0);
    k->exp_shifted(scores, w + at_scores1, shift, exp1);
    k->exp_shifted(heads, equals_scores, shift, equals);
    k->transpose(hidden, columns, w + at_out, columns, out_turned, hidden);
    double total = 0;
    long right = 0;
    for (long e = 0; e < examples; e += block) {
      long count = examples - e < block ? examples - e : block;
      float *logits = x + hidden;
      k->attention(count, first + e, second + e, heads, raw ? w + at_scores0 : exp0, raw ? w + at_scores1 : exp1, p,
                   raw ? equals_scores : equals, raw, w0, w1, block);
      k->mix(count, first + e, second + e, heads, hidden, width, w + at0, w + at1, w + at_constant, w0, w1, block,
             activation, x, width, activation == CK_GELU ? slopes : 0, hidden);
      k->multiply(count, classes, hidden, x, width, 1, w + at_out, columns, logits, width, 1, CK_PLAIN, 0, 0);
      k->add_row(count, classes, logits, width, w + at_bias, logits, width);
      k->cross_entropy(count, classes, logits, width, labels + e, 1, (float)(1.0 / (double)examples), loss, correct);
      k->multiply(hidden, classes, count, x, 1, width, logits, width, g + at_out, columns, 1, CK_PLAIN, 0, 0);
      if (activation == CK_GELU)
        k->multiply(count, hidden, classes, logits, width, 1, out_turned, hidden, x, width, 0, CK_TIMES, slopes,
                    hidden);
      else
        k->multiply(count, hidden, classes, logits, width, 1, out_turned, hidden, x, width, 0, CK_WHERE_POSITIVE, x,
                    width);
      memset(sums, 0, (size_t)width * sizeof(float));
      k->column_sums(count, width, x, width, sums);
      k->add(width, g + at_constant, sums, g + at_constant);
      k->add(columns, g + at_bias, sums + hidden, g + at_bias);
      for (int side = 0; side < 2; side++) {
        const int32_t *token = (side ? second : first) + e;
        long found = runs_of(token, count, p, runs, rows);
        k->scatter(found, runs, rows, heads, width, side ? w1 : w0, block, x, width, g + (side ? at1 : at0));
        k->dots(found, runs, rows, heads, width, w + (side ? at1 : at0), x, width, side ? g1 : g0, block);
      }
      k->attention_backward(count, heads, w0, w1, g0, g1, block);
      for (long h = 0; h < heads; h++)
        for (long i = 0; i < count; i++) {
          g[at_scores0 + h * p + first[e + i]] += g0[h * block + i];
          g[at_scores1 + h * p + second[e + i]] += g1[h * block + i];
        }
      for (long i = 0; i < count; i++) total += (double)loss[i], right += correct[i];
      hash = running;
      see(loss, count);
      running = hash;
    }
    power1 *= 0.9, power2 *= 0.98;
    k->adamw(all, step_of(1e-3, 1, 0.9, 0.98, power1, power2), g, w, m, v);
    if (epoch % every == 0) {
      hash = running;
      see(w, all);
      see(m, all);
      see(v, all);
      printf("train p=%ld heads=%ld hidden=%ld %s%s epoch=%ld %016llx\n", p, heads, hidden,
             activation == CK_GELU ? "gelu" : "relu", raw ? " raw" : "", epoch, (unsigned long long)hash);
      if (epoch == epochs)
        printf("# trained to a loss of %.6g, %ld of %ld right\n", total / (double)examples, right, examples);
      fflush(stdout);
    }
  }
  for (int i = 0; i < buffer_count; i++) free(buffers[i].base);
  buffer_count = 0;
  free(first), free(second), free(labels), free(rows), free(correct), free(runs);
  ck_restore(state);
}

// MARK: All of it

int main(int count, char **arguments) {
  static const char *const names[] = {"avx512", "avx2", "neon"};
  if (count < 2) {
    for (int set = 0; set < 3; set++)
      if (ck_kernels_of(set)) printf("%s\n", names[set]);
    return 0;
  }
  for (int set = 0; set < 3; set++)
    if (!strcmp(arguments[1], names[set])) k = ck_kernels_of(set);
  if (!k) return fprintf(stderr, "harness: this machine cannot run the %s kernels\n", arguments[1]), 1;

  modes();
  for (flushing = 0; flushing < 2; flushing++) {
    uint64_t state = flushing ? ck_flush_to_zero() : 0;
    for (kind = 0; kind < KINDS; kind++) {
      products();
      active_products();
      matrices();
      exponentials();
      attentions();
      mixes();
      activations();
      spreads();
      all_losses();
      optimizer();
    }
    kind = UNIT;
    gelu_range();
    loss_range();
    EACH(of_kind, UNIT, TINY) {
      kind = (int)of_kind;
      paper_products();
      mixed(128, 4, 512, 640, 113);
      activated(128, 512);
      spread(128, 4, 640, 29);
      losses(128, 114);
      losses(20, 402);
    }
    if (flushing) ck_restore(state);
  }
  edges();
  train(23, 4, 48, CK_RELU, 0, 600, 100);
  train(17, 3, 32, CK_GELU, 1, 600, 100);
  train(113, 4, 512, CK_RELU, 0, 2, 1);
  return 0;
}
