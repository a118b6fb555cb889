// The innermost loops, compiled once per instruction set and chosen when the program starts.
//
// Nothing here allocates, decides or knows the model. Whatever the instruction set, the bits are the same: every
// element accumulates over k in ascending order with one fused multiply-add per step, every horizontal sum runs over
// 16 virtual lanes in one fixed tree, and exp and log are the polynomials of lanes.h. Pointers may be unaligned.
// Where a matrix is read in vectors of 16, up to 15 floats behind a row's end are read (never used, never written).

#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdint.h>

/// The instruction sets that the kernels are compiled for.
enum { CK_AVX512 = 0, CK_AVX2 = 1, CK_NEON = 2 };

/// What ck_kernels.multiply does with a finished element.
enum {
  CK_PLAIN = 0,
  /// c = (gate > 0) ? product : 0; the gate may be c itself.
  CK_WHERE_POSITIVE = 1,
  /// c = gate * product.
  CK_TIMES = 2,
};

/// What ck_kernels.mix and activate do with pre-activations.
enum { CK_RELU = 0, CK_GELU = 1 };

/// Rows rows[begin..<end] that belong to one token.
typedef struct {
  int32_t token;
  int32_t begin;
  int32_t end;
} ck_run;

/// Constants of one AdamW step, computed in float64 by the caller.
typedef struct {
  /// 1 - lr * weight_decay
  float keep;
  float beta1, one_minus_beta1;
  float beta2, one_minus_beta2;
  /// lr / (1 - beta1^t)
  float step_size;
  /// 1 / sqrt(1 - beta2^t)
  float variance_scale;
  float epsilon;
} ck_adamw;

/// What becomes of a gradient before the optimizer's step; a factor of zero leaves its part out.
typedef struct {
  /// Times the sign of the weight.
  float l1;
  /// Grokfast's average: slow = alpha * slow + one_minus_alpha * g, then g + lambda * slow.
  float alpha, one_minus_alpha, lambda;
  /// Times the weight, last of all: L2.
  float decay;
} ck_gradient_step;

typedef struct {
  /// c[i,j] = (accumulate ? c[i,j] : 0) + sum over l of a[i,l] * b[l,j], for m by n elements and l ascending.
  /// a[i,l] is a[i * a_row + l * a_column]; b and c have unit column stride. The gate shares c's shape.
  void (*multiply)(
      long m, long n, long k, const float *a, long a_row, long a_column, const float *b, long b_row, float *c,
      long c_row, int accumulate, int finish, const float *gate, long gate_row);

  /// to[j,i] = from[i,j] for rows by columns elements of from.
  void (*transpose)(long rows, long columns, const float *from, long from_row, float *to, long to_row);

  /// sums[j] += sum over rows (ascending) of x[i,j]
  void (*column_sums)(long rows, long columns, const float *x, long x_row, float *sums);

  /// to[i,j] = x[i,j] + shift[j]
  void (*add_row)(long rows, long columns, const float *x, long x_row, const float *shift, float *to, long to_row);

  /// to[i] = x[i] + y[i]
  void (*add)(long count, const float *x, const float *y, float *to);

  /// to[i] = exp(x[i] - shift), for x[i] <= shift; 0 where that is below -87.
  void (*exp_shifted)(long count, const float *x, float shift, float *to);

  /// Attention of each example and head to its first and second token; the third position gets the rest.
  /// tables0, tables1 hold a value per [head][table_row] token and `equals` one per head: exp(score - shift), or, when
  /// `raw`, the scores themselves, whose largest of each example is then subtracted first. weights: [head][weights_row].
  void (*attention)(
      long count, const int32_t *first, const int32_t *second, long heads, const float *tables0, const float *tables1,
      long table_row, const float *equals, int raw, float *weights0, float *weights1, long weights_row);

  /// out[e,:] = constant + sum over heads of weights0[h,e] * table0[first[e],h,:] + weights1[h,e] * table1[second[e],h,:],
  /// then the activation on the first `hidden` columns (a multiple of 16, as is `width`), with its derivative when
  /// GELU. Tables are [token][head][width].
  void (*mix)(
      long count, const int32_t *first, const int32_t *second, long heads, long hidden, long width,
      const float *table0, const float *table1, const float *constant, const float *weights0, const float *weights1,
      long weights_row, int activation, float *out, long out_row, float *derivative, long derivative_row);

  /// For every run and head: table[token,h,:] += sum over the run's rows r of weights[h,r] * x[r,:].
  void (*scatter)(
      long runs, const ck_run *run, const int32_t *rows, long heads, long width, const float *weights,
      long weights_row, const float *x, long x_row, float *table);

  /// For every run, head and row r of the run: dots[h,r] = sum over columns of table[token,h,:] * x[r,:].
  void (*dots)(
      long runs, const ck_run *run, const int32_t *rows, long heads, long width, const float *table, const float *x,
      long x_row, float *dots, long dots_row);

  /// Back through the softmax: the gradients of attention weights become those of scores, in place. A gradient is
  /// relative to that of the third position.
  void (*attention_backward)(
      long count, long heads, const float *weights0, const float *weights1, float *gradients0, float *gradients1,
      long row);

  /// Cross-entropy of `classes` logits per row in the exact small-loss form; losses[e] in nats, correct[e] 1 when the
  /// label's logit is above all others, else 0. When `gradients`, the logits are replaced by scale * d loss / d logit
  /// and the columns up to the next multiple of 16 by 0.
  void (*cross_entropy)(
      long count, long classes, float *logits, long logits_row, const int32_t *labels, int gradients, float scale,
      float *losses, int32_t *correct);

  void (*adamw)(long count, ck_adamw step, const float *gradients, float *weights, float *first, float *second);

  /// `rounds` of independent fused multiply-adds in registers, for measuring how fast they can be at all: the first
  /// 192 values are the sums, which the product of the two values behind them is added to. Fewer sums are used where
  /// vectors are narrow. Returns how many multiply-adds that were.
  long (*peak)(long rounds, float *values);

  /// c[i,j] += sum over l, ascending, of a[i,l] * b[l,j] with the steps left out where a[i,l] is zero; b is finite and n
  /// a multiple of 16. a has unit column stride.
  void (*multiply_active)(
      long m, long n, long k, const float *a, long a_row, const float *b, long b_row, float *c, long c_row);

  /// The same for an `a` with unit row stride: a[i,l] is a[i + l * a_column].
  void (*multiply_active_transposed)(
      long m, long n, long k, const float *a, long a_column, const float *b, long b_row, float *c, long c_row);

  /// x[e,j] = activation of x[e,j] + shift[j], for a multiple of 16 columns, with its derivative when GELU.
  void (*activate)(
      long count, long columns, float *x, long x_row, const float *shift, int activation, float *derivative,
      long derivative_row);

  /// gradients[i] as ck_gradient_step says, in place; `slow` may be NULL, and is then no part of it.
  void (*prepare_gradients)(long count, ck_gradient_step step, const float *weights, float *gradients, float *slow);

  /// velocity = momentum * velocity + gradient; weights -= learning_rate * velocity
  void (*sgd)(long count, float momentum, float learning_rate, const float *gradients, float *weights, float *velocity);
} ck_kernels;

/// The kernels of one instruction set; NULL when this machine or this build lacks it.
const ck_kernels *ck_kernels_of(int instruction_set);

/// Makes tiny results and operands zero on this thread; returns the state to give back to ck_restore.
uint64_t ck_flush_to_zero(void);
void ck_restore(uint64_t state);

#endif
