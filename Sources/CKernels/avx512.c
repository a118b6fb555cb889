// The kernels for AVX-512: 32 registers of 16 floats, so 6 rows by 4 vectors of sums stay in registers.

#if defined(__x86_64__)
#include "ckernels.h"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,bmi,bmi2"))), apply_to = function)
#define CK_TABLE ck_avx512
#define CK_ROWS 6
#define CK_VECTORS 4
#define CK_ACTIVE 8
#include "kernels.h"
#pragma clang attribute pop

#endif
