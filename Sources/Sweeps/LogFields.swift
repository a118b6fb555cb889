// What a line of the log is about. The machines say sentences, for people first; what they name always has the same form
// in them, so that it can be told apart for programs: `point 3f9a12ab90cd`, `worker 12`, `lease 7`, `sweep NAME`.

package enum LogFields {
  /// The first of each that the line names, by the key that it has in JSON; in this order.
  package static func of(_ line: String) -> [(key: String, value: String)] {
    var fields: [(key: String, value: String)] = []
    if let match = line.firstMatch(of: /\bpoint ([0-9a-f]{12,64})\b/) { fields.append(("point", String(match.1))) }
    if let match = line.firstMatch(of: /\bworker (\d+)\b/) { fields.append(("worker", String(match.1))) }
    if let match = line.firstMatch(of: /\blease (\d+)\b/) { fields.append(("lease", String(match.1))) }
    if let match = line.firstMatch(of: /\bsweep ([A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9])(?= (is|has|no longer)\b|:)/) {
      fields.append(("sweep", String(match.1)))
    }
    return fields
  }
}
