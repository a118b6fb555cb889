// Vectors of 16 virtual lanes, the one tree in which they are summed, and the polynomials for exp and log.
//
// Multiplications and additions are only ever fused where `fused` says so. Included by kernels.h alone.

#define CK_INLINE static inline __attribute__((always_inline))
#define CK_LANES 16

typedef float lanes __attribute__((vector_size(64)));
typedef int32_t whole __attribute__((vector_size(64)));
typedef uint32_t bits __attribute__((vector_size(64)));
typedef float loose_lanes __attribute__((vector_size(64), aligned(4)));

CK_INLINE lanes load(const float *from) { return *(const loose_lanes *)from; }
CK_INLINE void store(float *to, lanes x) { *(loose_lanes *)to = x; }
CK_INLINE lanes all(float x) { return (lanes){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
CK_INLINE whole all_whole(int32_t x) { return (whole){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
CK_INLINE whole lane_numbers(void) { return (whole){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}; }
CK_INLINE lanes fused(lanes x, lanes y, lanes sum) { return __builtin_elementwise_fma(x, y, sum); }
/// test ? yes : no, lane by lane; test is a comparison's result.
CK_INLINE lanes choose(whole test, lanes yes, lanes no) {
  return (lanes)((test & (whole)yes) | (~test & (whole)no));
}

CK_INLINE void store_some(float *to, lanes x, long count) {
  if (count >= CK_LANES) return store(to, x);
  for (long i = 0; i < count; i++) to[i] = x[i];
}

/// The fixed tree: lane i meets lane i + 8, then i + 4, i + 2, i + 1.
CK_INLINE float sum_lanes(lanes x) {
  typedef float eight __attribute__((vector_size(32)));
  typedef float four __attribute__((vector_size(16)));
  eight a = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) +
            __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
  four b = __builtin_shufflevector(a, a, 0, 1, 2, 3) + __builtin_shufflevector(a, a, 4, 5, 6, 7);
  return (b[0] + b[2]) + (b[1] + b[3]);
}

CK_INLINE lanes larger(lanes x, lanes y) { return choose(x > y, x, y); }

CK_INLINE float largest_lane(lanes x) {
  float most = x[0];
  for (int i = 1; i < CK_LANES; i++) most = x[i] > most ? x[i] : most;
  return most;
}

/// exp(x) for x from -87 to 87, 0 below -87; about 1 unit in the last place. NaN stays NaN.
CK_INLINE lanes exponential(lanes x) {
  // x = n ln 2 + r with |r| <= ln 2 / 2; adding 1.5 * 2^23 rounds to the whole number n.
  lanes rounder = all(12582912.0f);
  lanes shifted = fused(x, all(1.44269504088896341f), rounder);
  lanes n = shifted - rounder;
  lanes r = fused(n, all(-0.693359375f), x);
  r = fused(n, all(2.12194440e-4f), r);
  lanes y = all(1.9875691500e-4f);
  y = fused(y, r, all(1.3981999507e-3f));
  y = fused(y, r, all(8.3334519073e-3f));
  y = fused(y, r, all(4.1665795894e-2f));
  y = fused(y, r, all(1.6666665459e-1f));
  y = fused(y, r, all(5.0000001201e-1f));
  y = fused(y, r * r, r) + all(1.0f);
  bits power = ((bits)shifted - (bits)rounder + 127) << 23;
  return choose(x < all(-87.0f), all(0.0f), y * (lanes)power);
}

/// log(1 + x) for x >= 0, relative error about 1e-7 however small x is. Infinity and NaN give NaN.
CK_INLINE lanes log_one_plus(lanes x) {
  lanes u = all(1.0f) + x;
  // u = 2^n * m with m from sqrt(1/2) to sqrt(2).
  whole n = (whole)((bits)u - 0x3f3504f3u) >> 23;
  lanes m = (lanes)((bits)u - ((bits)n << 23));
  // Where n is 0 the fraction is x itself, free of the rounding of 1 + x.
  lanes f = choose(n == 0, x, m - all(1.0f));
  lanes s = f / (all(2.0f) + f);
  lanes z = s * s;
  // log(1 + f) = 2 atanh(s) = 2 s (1 + z/3 + z^2/5 + ...)
  lanes y = all(0.22222222f);
  y = fused(y, z, all(0.28571429f));
  y = fused(y, z, all(0.4f));
  y = fused(y, z, all(0.66666667f));
  y = fused(s * z, y, s + s);
  lanes count = __builtin_convertvector(n, lanes);
  y = fused(count, all(-2.12194440e-4f), y);
  y = fused(count, all(0.693359375f), y);
  return y + (x - x);
}
