// One host of a cluster, as somebody named it: what ssh is told, and what is to run there.

/// What may be said of one host, or of all (`defaults`). nil: nothing was said.
package struct HostSettings: Hashable, Sendable, Codable {
  package var user: String?
  package var port: Int?
  /// Worker processes; nil: one per core there.
  package var slots: Int?
  /// The program there; nil: `groksweep` where shells look, in `~/.local/bin` or in `/usr/local/bin`.
  package var binary: String?
  /// For all that groksweep puts there; `~/` is the home there.
  package var folder: String?
  /// Of the workers; nil: their own choice.
  package var scratch: String?
  /// As `worker --deadline` takes it.
  package var deadline: String?
  /// Whether the program is copied there.
  package var copy: Bool?
  /// For ssh, before what we add.
  package var sshOptions: [String]?

  package init() {}

  /// These, and what they leave open as `others` have it.
  package func completed(by others: HostSettings) -> HostSettings {
    var result = self
    result.user = user ?? others.user
    result.port = port ?? others.port
    result.slots = slots ?? others.slots
    result.binary = binary ?? others.binary
    result.folder = folder ?? others.folder
    result.scratch = scratch ?? others.scratch
    result.deadline = deadline ?? others.deadline
    result.copy = copy ?? others.copy
    result.sshOptions = sshOptions ?? others.sshOptions
    return result
  }
}

package struct ClusterHost: Hashable, Sendable, Codable {
  /// What people call it, different for each host of a cluster: letters, digits, `.`, `_` and `-`.
  package let name: String
  /// What ssh is told: a name of its configuration, of the network, or an address.
  package let address: String
  package var settings: HostSettings

  package init(name: String, address: String, settings: HostSettings = HostSettings()) {
    self.name = name
    self.address = address
    self.settings = settings
  }

  package static let defaultFolder = "~/.cache/groksweep/cluster"
  package var folder: String { settings.folder ?? Self.defaultFolder }

  /// What is wrong with a host as somebody typed it; a sentence.
  package struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
  }

  /// `[USER@]HOST[:SLOTS]`, an IPv6 address in brackets. Its name is the host's.
  package init(text: String) throws(Problem) {
    var settings = HostSettings()
    var rest = text[...]
    if let at = rest.lastIndex(of: "@") {
      settings.user = String(rest[..<at])
      rest = rest[rest.index(after: at)...]
      guard let user = settings.user, Self.isUser(user) else {
        throw Problem(description: "\"\(text)\" has no user's name before the @")
      }
    }
    let host: Substring
    let slots: Substring?
    if rest.hasPrefix("["), let bracket = rest.firstIndex(of: "]") {
      host = rest[rest.index(after: rest.startIndex)..<bracket]
      let tail = rest[rest.index(after: bracket)...]
      guard tail.isEmpty || tail.first == ":" else {
        throw Problem(description: "\"\(text)\" goes on after the bracket; write [ADDRESS]:SLOTS")
      }
      slots = tail.isEmpty ? nil : tail.dropFirst()
    } else {
      let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count <= 2 else {
        throw Problem(description: "\"\(text)\" has several colons; write an IPv6 address in brackets, [ADDRESS]:SLOTS")
      }
      host = parts[0]
      slots = parts.count == 2 ? parts[1] : nil
    }
    if let slots {
      guard let number = Self.slots(slots) else {
        throw Problem(description: "\"\(text)\": after the colon stand slots, a number from 1 to 1024")
      }
      settings.slots = number
    }
    guard Self.isAddress(host) else { throw Problem(description: "\"\(text)\" is no host; write [USER@]HOST[:SLOTS]") }
    self.init(name: Self.name(of: String(host)), address: String(host), settings: settings)
  }

  static func slots(_ text: Substring) -> Int? {
    guard let number = Int(text), (1...1024).contains(number) else { return nil }
    return number
  }

  /// A name that ssh would take for an option is none.
  static func isAddress(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.count <= 255 && !text.hasPrefix("-")
      && text.unicodeScalars.allSatisfy { isPlain($0) || $0 == ":" || $0 == "%" }
  }

  static func isUser(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.count <= 64 && !text.hasPrefix("-") && text.unicodeScalars.allSatisfy(isPlain)
  }

  /// Names are parts of files' names and of keys' names.
  static func isName(_ text: some StringProtocol) -> Bool {
    (1...40).contains(text.utf8.count) && !text.hasPrefix("-") && !text.hasPrefix(".") && !isTaken(text)
      && text.unicodeScalars.allSatisfy(isPlain)
  }

  /// A name for a host that was given none.
  static func name(of address: String) -> String {
    let plain = String(String.UnicodeScalarView(address.unicodeScalars.map { isPlain($0) ? $0 : "_" }))
    return String((plain.hasPrefix(".") || isTaken(plain) ? "_" + plain : plain).prefix(40))
  }

  /// Files of the cluster itself are called so.
  private static func isTaken(_ text: some StringProtocol) -> Bool { text == "operator" || text == "coordinator" }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-": true
    default: false
    }
  }
}
