// Every kernel once, in vectors of 16 virtual lanes; included by one file per instruction set.
//
// The includer sets the table's name and the tile that fits its registers: CK_ROWS rows by CK_VECTORS vectors,
// and CK_ACTIVE vectors of a single row.

#pragma STDC FP_CONTRACT OFF
// Vectors are passed between functions that are always inlined, so no calling convention is involved.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpsabi"

#include "lanes.h"
#include "products.h"
#include "active.h"
#include "tables.h"
#include "loss.h"
#include "peak.h"

const ck_kernels CK_TABLE = {
    multiply, transpose, column_sums,        add_row, add,         exp_shifted, attention, mix, scatter,
    dots,     attention_backward, cross_entropy, adamw, peak,
    multiply_active, multiply_active_transposed, activate, prepare_gradients, sgd,
};

#pragma clang diagnostic pop
