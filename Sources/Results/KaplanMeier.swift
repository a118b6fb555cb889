// When half of the runs have done something, as far as is known: Kaplan and Meier's estimate (1958), and the interval of
// Brookmeyer and Crowley (1982). The twin in Swift of what the view `grokking_times` does in SQL, and the curve behind it.

import Foundation

/// Epochs of runs that did it, and of runs that were watched so long and did not (right-censored).
package struct KaplanMeier: Hashable, Sendable {
  /// From an epoch on, until the next step.
  package struct Step: Hashable, Sendable {
    package let epoch: Int
    /// The estimated share of runs that has not done it, and its pointwise 95 % interval: that of ln(−ln S), with Greenwood's
    /// variance. There is none when S is 0.
    package let share: Double
    package let low: Double?
    package let high: Double?
  }

  /// The first epoch by which the estimated share that has not done it is at most one half; nil when it stays above.
  package let median: Int?
  /// The first and the last end of a 95 % interval of the median; nil where the runs do not bound it.
  package let low: Int?
  package let high: Int?
  /// Where the share falls, in order.
  package let steps: [Step]

  private static let quantile = 1.959963984540054

  /// A run that is censored at the epoch at which another did it counts as having been there.
  package init(events: [Int], censored: [Int]) {
    let events = events.sorted()
    let censored = censored.sorted()
    var (median, low, high): (Int?, Int?, Int?)
    var steps: [Step] = []
    // ln S, and Greenwood's sum: the variance of S divided by S².
    var (lnSurvival, greenwood) = (0.0, 0.0)
    var (next, gone) = (0, 0)
    while next < events.count {
      let epoch = events[next]
      let count = events[next...].prefix { $0 == epoch }.count
      while gone < censored.count && censored[gone] < epoch { gone += 1 }
      let atRisk = events.count - next + censored.count - gone
      next += count
      // All that were left: S is 0, which has no variance, and bounds nothing from above.
      guard count < atRisk else {
        steps.append(Step(epoch: epoch, share: 0, low: nil, high: nil))
        median = median ?? epoch
        low = low ?? epoch
        break
      }
      lnSurvival += log1p(-Double(count) / Double(atRisk))
      greenwood += Double(count) / (Double(atRisk) * Double(atRisk - count))
      // Of ln(−ln S).
      let halfWidth = KaplanMeier.quantile * greenwood.squareRoot() / -lnSurvival
      steps.append(
        Step(
          epoch: epoch, share: exp(lnSurvival), low: exp(lnSurvival * exp(halfWidth)),
          high: exp(lnSurvival * exp(-halfWidth))))
      // A billionth for rounding, since S is a product of fractions.
      if lnSurvival <= 1e-9 - M_LN2 { median = median ?? epoch }
      // Intervals of ln(−ln S), whose standard error is √greenwood / −ln S.
      let distance = (log(-lnSurvival) - log(M_LN2)) * -lnSurvival
      let reach = KaplanMeier.quantile * greenwood.squareRoot()
      if distance >= -reach { low = low ?? epoch }
      if distance >= reach { high = high ?? epoch }
    }
    self.median = median
    self.low = low
    self.high = high
    self.steps = steps
  }
}
