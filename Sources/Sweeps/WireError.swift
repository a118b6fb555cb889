// What can be wrong with a message from the net, in words.

/// Why frames are not a message of this protocol.
package enum WireError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A groksweep message of another protocol version.
  case otherVersion(Int)
  /// Too many or too large frames; refused before anything in them is read.
  case tooLarge(String)
  /// Not a message: which part, and what was expected.
  case malformed(String)

  package var description: String {
    switch self {
    case .otherVersion(let version):
      "this message speaks groksweep protocol \(version), but protocol \(WireProtocol.version) is spoken here; "
        + "use the same build of groksweep on both sides"
    case .tooLarge(let what), .malformed(let what): what
    }
  }
}
