// The kernels for AVX2 with FMA: 16 registers of 8 floats; a virtual vector of 16 is a pair of them.

#if defined(__x86_64__)
#include "ckernels.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2"))), apply_to = function)
#define CK_TABLE ck_avx2
#define CK_ROWS 6
#define CK_VECTORS 1
#define CK_ACTIVE 4
#include "kernels.h"
#pragma clang attribute pop

#endif
