// Which kernels this machine can run, and the floating-point state that they run in.

#include "ckernels.h"

#if defined(__x86_64__)
#include <xmmintrin.h>

extern const ck_kernels ck_avx512;
extern const ck_kernels ck_avx2;

const ck_kernels *ck_kernels_of(int instruction_set) {
  __builtin_cpu_init();
  // The compiler's checks include that the operating system saves the wide registers.
  int fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  int wide = fma && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  if (instruction_set == CK_AVX512 && wide) return &ck_avx512;
  if (instruction_set == CK_AVX2 && fma) return &ck_avx2;
  return 0;
}

// Flush-to-zero and denormals-are-zero of MXCSR.
uint64_t ck_flush_to_zero(void) {
  uint64_t state = _mm_getcsr();
  _mm_setcsr((unsigned)state | 0x8040u);
  return state;
}

void ck_restore(uint64_t state) { _mm_setcsr((unsigned)state); }

#elif defined(__aarch64__)

extern const ck_kernels ck_neon;

const ck_kernels *ck_kernels_of(int instruction_set) { return instruction_set == CK_NEON ? &ck_neon : 0; }

// FZ of FPCR.
uint64_t ck_flush_to_zero(void) {
  uint64_t state;
  __asm__ volatile("mrs %0, fpcr" : "=r"(state));
  __asm__ volatile("msr fpcr, %0" : : "r"(state | (1ull << 24)));
  return state;
}

void ck_restore(uint64_t state) { __asm__ volatile("msr fpcr, %0" : : "r"(state)); }

#else

const ck_kernels *ck_kernels_of(int instruction_set) {
  (void)instruction_set;
  return 0;
}

uint64_t ck_flush_to_zero(void) { return 0; }
void ck_restore(uint64_t state) { (void)state; }

#endif
