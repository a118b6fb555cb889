// Elementary functions from additions, multiplications, divisions and square roots only, so that every machine gives
// the same bits.
//
// The C library's exp and log differ between versions and processors in the last bit, and a run's digest would differ
// with them. Swift never fuses `a * b + c`, so these few lines mean the same arithmetic everywhere. This file calls
// nothing of libm. Errors stay near one unit in the last place (tested to 1e-15 against Foundation).
//
// exp never gives a subnormal: below the smallest normal number it is zero, so a thread that flushes subnormals to
// zero sees the same values as one that does not.

/// Double-precision functions with the same bits on every machine.
package enum DeterministicMath {
  /// e^x. Infinity above 709.78; zero where e^x is below the smallest normal number; NaN for NaN.
  package static func exp(_ x: Double) -> Double {
    if x.isNaN { return x }
    if x > greatestExponent { return .infinity }
    if x < leastExponent { return 0 }
    let (k, t) = reducedExp(x)
    let half = k >> 1  // two factors, as 2^1024 alone would be infinite
    return (t + 1) * powerOfTwo(half) * powerOfTwo(k - half)
  }

  /// e^x of eight numbers, each with the same bits as the scalar function.
  @inlinable
  package static func exp(_ x: SIMD8<Double>) -> SIMD8<Double> {
    let shifted = x * inverseLn2 + roundingShift
    let whole = shifted - roundingShift
    let r = (x - whole * ln2High) - whole * ln2Low
    var q = SIMD8<Double>(repeating: 1 / 6_227_020_800)
    q = q * r + (1 / 479_001_600)
    q = q * r + (1 / 39_916_800)
    q = q * r + (1 / 3_628_800)
    q = q * r + (1 / 362_880)
    q = q * r + (1 / 40_320)
    q = q * r + (1 / 5_040)
    q = q * r + (1 / 720)
    q = q * r + (1 / 120)
    q = q * r + (1 / 24)
    q = q * r + (1 / 6)
    q = q * r + 0.5
    let t = r + r * r * q
    let k = unsafeBitCast(shifted, to: SIMD8<Int64>.self) &- Int64(bitPattern: roundingShift.bitPattern)
    let half = k &>> 1
    let bias: Int64 = 1023
    let first = unsafeBitCast((half &+ bias) &<< 52, to: SIMD8<Double>.self)
    let second = unsafeBitCast((k &- half &+ bias) &<< 52, to: SIMD8<Double>.self)
    var result = (t + 1) * first * second
    result.replace(with: .infinity, where: x .> greatestExponent)
    result.replace(with: 0, where: x .< leastExponent)
    result.replace(with: x, where: x .!= x)
    return result
  }

  /// ln x. −infinity for 0, NaN below 0 and for NaN.
  ///
  /// x = 2^k·(1 + f) with 1 + f in [√½, √2]; with s = f / (2 + f), ln(1 + f) = 2·artanh s, summed so that f itself is
  /// added last.
  package static func log(_ x: Double) -> Double {
    if x.isNaN || x < 0 { return .nan }
    if x == 0 { return -.infinity }
    if x == .infinity { return x }
    var (mantissa, k) = (x, 0)
    if x < Double.leastNormalMagnitude {
      mantissa = x * 0x1p54
      k = -54
    }
    k += Int(mantissa.bitPattern >> 52) - 1023
    mantissa = Double(bitPattern: mantissa.bitPattern & 0x000F_FFFF_FFFF_FFFF | 0x3FF0_0000_0000_0000)
    if mantissa > 1.4142135623730951 {
      mantissa *= 0.5
      k += 1
    }
    let f = mantissa - 1
    let s = f / (2 + f)
    let z = s * s
    // 2·artanh(s)/s − 2 = 2(z/3 + z²/5 + …); |s| ≤ 0.1716, so the first term left out is below 1e-19.
    var series = 0.0
    for n in stride(from: 23, through: 3, by: -2) { series = (series + 2 / Double(n)) * z }
    let halfSquare = 0.5 * f * f
    let exponent = Double(k)
    let small = s * (halfSquare + series) + exponent * ln2Low
    return exponent * ln2High - ((halfSquare - small) - f)
  }

  /// ln(1 + x), accurate for tiny x. −infinity for −1, NaN below −1 and for NaN.
  package static func log1p(_ x: Double) -> Double {
    if x == .infinity { return x }
    let u = 1 + x
    if u <= 0 || u.isNaN { return log(u) }
    // What rounding 1 + x to u lost; its effect on the logarithm is lost/u to first order.
    let lost = x.magnitude < 1 ? x - (u - 1) : 1 - (u - x)
    return log(u) + lost / u
  }

  /// Hyperbolic tangent, from e^2x − 1 without cancellation.
  package static func tanh(_ x: Double) -> Double {
    if x.isNaN { return x }
    let magnitude = x.magnitude
    var result = 1.0
    if magnitude < 22 {
      let (k, t) = reducedExp(2 * magnitude)
      let scale = powerOfTwo(k)
      let expMinusOne = scale * t + (scale - 1)
      result = expMinusOne / (expMinusOne + 2)
    }
    return x.sign == .minus ? -result : result
  }

  /// cos(2πk/n) for n ≥ 1. The same bits for k, −k and k + n, and the negative of them half a turn on.
  package static func cosine(turn k: Int, of n: Int) -> Double {
    sine(quarters: 4 * turnRemainder(k, n) + n, of: n)
  }

  /// sin(2πk/n) for n ≥ 1. Exactly 0 and ±1 at the quarter turns; −k gives the negative of the same bits.
  package static func sine(turn k: Int, of n: Int) -> Double {
    sine(quarters: 4 * turnRemainder(k, n), of: n)
  }

  /// k mod n in 0 ..< n.
  private static func turnRemainder(_ k: Int, _ n: Int) -> Int {
    precondition(n >= 1, "a turn of \(n) parts")
    let remainder = k % n
    return remainder < 0 ? remainder + n : remainder
  }

  /// sin of q/n quarter turns, folded in whole numbers into the first eighth of a turn.
  private static func sine(quarters q: Int, of n: Int) -> Double {
    let (quarter, rest) = (q / n % 4, q % n)
    let magnitude = quarter % 2 == 0 ? foldedSine(rest, n) : foldedSine(n - rest, n)
    return quarter < 2 || magnitude == 0 ? magnitude : -magnitude
  }

  /// sin(π/2 · m/n) for 0 ≤ m ≤ n, by Taylor series on at most π/4.
  private static func foldedSine(_ m: Int, _ n: Int) -> Double {
    if 2 * m == n { return 0.5.squareRoot() }
    let usesCosine = 2 * m > n
    let x = Double.pi / 2 * (Double(usesCosine ? n - m : m) / Double(n))
    let z = x * x
    var series = 0.0
    if usesCosine {
      // cos x = 1 − z/2! + z²/4! − …, to x^20.
      for i in stride(from: 20, to: 0, by: -2) { series = (1 - series) * z / Double(i * (i - 1)) }
      return 1 - series
    }
    // sin x = x − x·(z/3! − z²/5! + …), to x^21.
    for i in stride(from: 21, to: 1, by: -2) { series = (1 - series) * z / Double(i * (i - 1)) }
    return x - x * series
  }

  /// k and t with e^x = 2^k·(1 + t): x = k·ln 2 + r with |r| ≤ ln 2 / 2, and t = e^r − 1 by its Taylor series to
  /// degree 13 (what is left out is below 5e-18).
  private static func reducedExp(_ x: Double) -> (k: Int64, t: Double) {
    let shifted = x * inverseLn2 + roundingShift
    let whole = shifted - roundingShift
    let r = (x - whole * ln2High) - whole * ln2Low
    var q = 1 / 6_227_020_800.0  // 1/13!
    q = q * r + (1 / 479_001_600)
    q = q * r + (1 / 39_916_800)
    q = q * r + (1 / 3_628_800)
    q = q * r + (1 / 362_880)
    q = q * r + (1 / 40_320)
    q = q * r + (1 / 5_040)
    q = q * r + (1 / 720)
    q = q * r + (1 / 120)
    q = q * r + (1 / 24)
    q = q * r + (1 / 6)
    q = q * r + 0.5
    let k = Int64(bitPattern: shifted.bitPattern) &- Int64(bitPattern: roundingShift.bitPattern)
    return (k, r + r * r * q)
  }

  /// 2^k for −1022 ≤ k ≤ 1023.
  private static func powerOfTwo(_ k: Int64) -> Double { Double(bitPattern: UInt64(k + 1023) << 52) }

  /// ln 2 in two parts: the first ends in 21 zero bits, so its product with an exponent is exact.
  @usableFromInline static var ln2High: Double { Double(bitPattern: 0x3FE6_2E42_FEE0_0000) }
  @usableFromInline static var ln2Low: Double { Double(bitPattern: 0x3DEA_39EF_3579_3C76) }
  @usableFromInline static var inverseLn2: Double { 1.4426950408889634 }
  /// 1.5·2^52: added and subtracted again it rounds to a whole number, which stands in the low bits in between.
  @usableFromInline static var roundingShift: Double { 6_755_399_441_055_744 }
  /// ln of the greatest finite and of the least normal number.
  @usableFromInline static var greatestExponent: Double { 709.782712893384 }
  @usableFromInline static var leastExponent: Double { -708.3964185322641 }
}
