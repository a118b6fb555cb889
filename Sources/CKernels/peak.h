// What the benchmark holds the other kernels against: nothing but fused multiply-adds. Included by kernels.h alone.

// Sums that do not wait for each other: more registers of them than the units' latency times their number (8 to 10 on
// x86, 16 on ARM), and few enough that they and two factors stay in registers.
#if CK_VECTORS >= 4
#define CK_CHAINS 12
#else
#define CK_CHAINS 6
#endif

static long peak(long rounds, float *values) {
  lanes sum[CK_CHAINS];
#pragma clang loop unroll(full)
  for (int i = 0; i < CK_CHAINS; i++) sum[i] = load(values + i * CK_LANES);
  // From memory, so that the compiler can neither merge chains nor compute ahead.
  lanes left = all(values[12 * CK_LANES]), right = all(values[12 * CK_LANES + 1]);
  for (long round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < CK_CHAINS; i++) sum[i] = fused(left, right, sum[i]);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < CK_CHAINS; i++) store(values + i * CK_LANES, sum[i]);
  return rounds * CK_CHAINS * CK_LANES;
}
