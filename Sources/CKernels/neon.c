// The kernels for 64-bit ARM: 32 registers of 4 floats; a virtual vector of 16 is four of them.

#if defined(__aarch64__)
#include "ckernels.h"

#define CK_TABLE ck_neon
#define CK_ROWS 6
#define CK_VECTORS 1
#define CK_ACTIVE 4
#include "kernels.h"

#endif
