// Spans of time as people say them.

package enum InWords {
  /// "40 s", "10 minutes", "6 hours".
  package static func seconds(_ seconds: Double) -> String {
    if seconds < 120 { return "\(Int(max(0, seconds).rounded(.up))) s" }
    let minutes = (seconds / 60).rounded(.up)
    return minutes < 120 ? "\(Int(minutes)) minutes" : "\(Int((seconds / 3600).rounded())) hours"
  }
}
