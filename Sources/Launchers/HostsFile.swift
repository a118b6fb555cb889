// The hosts of a cluster as people write them down (cluster/hosts.yaml): a list, and what all have in common.
//
//   defaults: {slots: 8, copy: true}
//   hosts:
//     - ada                            # [USER@]HOST[:SLOTS]
//     - {host: box.example.org, name: box, port: 2222}
//
// All that is wrong is told at once, by file and line; nothing is guessed.

import Sweeps

package struct HostsFile: Hashable, Sendable {
  package let defaults: HostSettings
  /// With what `defaults` say filled in; in the order of the file, at least one.
  package let hosts: [ClusterHost]

  /// More would only be a slip of the pen: each is one connection of ssh.
  package static let mostHosts = 512

  /// - Parameter fileName: for errors.
  package init(text: String, fileName: String) throws(SweepFileError) {
    var reader = HostsReader()
    do throws(SweepFileProblem) {
      guard let root = try YAMLTree.parse(text, place: { .line($0) }) else {
        throw SweepFileProblem(.file, "is empty; list machines below hosts:")
      }
      reader.read(root)
    } catch {
      reader.problems.append(error)
    }
    guard reader.problems.isEmpty else { throw SweepFileError(file: fileName, problems: reader.problems) }
    defaults = reader.defaults
    hosts = reader.hosts.map { host in
      var host = host
      host.settings = host.settings.completed(by: reader.defaults)
      return host
    }
  }
}

/// Goes on after a problem, so that all of them are found.
private struct HostsReader {
  var problems: [SweepFileProblem] = []
  var defaults = HostSettings()
  var hosts: [ClusterHost] = []
  private var linesOfNames: [String: SweepFilePlace] = [:]

  private static let settings = [
    "user", "port", "slots", "binary", "folder", "scratch", "deadline", "copy", "ssh_options",
  ]

  mutating func read(_ root: YAMLTree) {
    guard case .mapping(let pairs) = root.content else {
      return complain(root, "is no list of hosts; write hosts: and below it a - HOST on each line")
    }
    var hasHosts = false
    for pair in pairs {
      switch pair.key.text {
      case "defaults": defaults = readSettings(pair.value, of: "defaults", beside: []) { _, _ in }
      case "hosts":
        hasHosts = true
        readHosts(pair.value)
      default: complainOfKey(pair.key, among: ["defaults", "hosts"], "at the top")
      }
    }
    // Not beside a key that was meant to be it.
    if !hasHosts && problems.isEmpty {
      problems.append(SweepFileProblem(.file, "names no hosts; list them below hosts:"))
    }
  }

  private mutating func readHosts(_ list: YAMLTree) {
    guard case .list(let items) = list.content, !items.isEmpty else {
      return complain(list, "hosts is no list of hosts; write a - HOST on each line below it")
    }
    guard items.count <= HostsFile.mostHosts else {
      return complain(list, "has \(items.count) hosts; at most \(HostsFile.mostHosts) can be reached from one machine")
    }
    for item in items {
      guard let host = readHost(item) else { continue }
      if let other = linesOfNames[host.name] {
        let line = if case .line(let line) = other { " on line \(line)" } else { "" }
        complain(item, "a second host is called \(host.name), as the one\(line); give it a name of its own (name: …)")
      }
      linesOfNames[host.name] = item.place
      hosts.append(host)
    }
  }

  private mutating func readHost(_ item: YAMLTree) -> ClusterHost? {
    if let text = item.text, !item.isNull {
      do throws(ClusterHost.Problem) {
        return try ClusterHost(text: text)
      } catch {
        complain(item, error.description)
        return nil
      }
    }
    var (address, name): (YAMLTree?, YAMLTree?)
    let settings = readSettings(item, of: "a host", beside: ["host", "name"]) { key, value in
      if key == "host" { address = value } else { name = value }
    }
    guard case .mapping = item.content else { return nil }
    guard let address else {
      complain(item, "a host without a name; write {host: NAME, …}")
      return nil
    }
    guard let text = address.text, ClusterHost.isAddress(text) else {
      complain(address, "host is no host; write a name or an address, and user, port and slots under their own keys")
      return nil
    }
    if let name {
      guard let called = name.text, ClusterHost.isName(called) else {
        complain(name, "name is none; use up to 40 letters, digits, -, _ and ., and neither operator nor coordinator")
        return nil
      }
      return ClusterHost(name: called, address: text, settings: settings)
    }
    return ClusterHost(name: ClusterHost.name(of: text), address: text, settings: settings)
  }

  /// - Parameter others: keys that may stand there too, and are handed to `read`.
  private mutating func readSettings(
    _ tree: YAMLTree, of what: String, beside others: [String], _ read: (String, YAMLTree) -> Void
  ) -> HostSettings {
    var settings = HostSettings()
    guard case .mapping(let pairs) = tree.content else {
      if !tree.isNull || what != "defaults" {
        complain(tree, "\(what) is no set of values; write {\((others + ["slots"]).first ?? ""): …}")
      }
      return settings
    }
    for pair in pairs {
      let (key, value) = (pair.key.text ?? "", pair.value)
      switch key {
      case "user": settings.user = word(value, key, "a user's name there", where: ClusterHost.isUser)
      case "port": settings.port = number(value, key, 1...65_535)
      case "slots": settings.slots = number(value, key, 1...1024)
      case "binary": settings.binary = word(value, key, "the path of groksweep there", where: Self.isProgram)
      case "folder": settings.folder = word(value, key, "a folder there, from / or from ~/", where: Self.isPath)
      case "scratch": settings.scratch = word(value, key, "a folder there, from / or from ~/", where: Self.isPath)
      case "deadline":
        settings.deadline = word(value, key, "a time as in 8h, 90m, 3600s or 2d") {
          $0.wholeMatch(of: /[0-9]+(\.[0-9]+)?[smhd]?/) != nil
        }
      case "copy": settings.copy = truth(value, key)
      case "ssh_options": settings.sshOptions = words(value, key)
      case let key where others.contains(key): read(key, value)
      default: complainOfKey(pair.key, among: others + Self.settings, "in \(what)")
      }
    }
    return settings
  }

  /// Absolute, or of the home there.
  private static func isPath(_ text: String) -> Bool {
    (text.hasPrefix("/") || text.hasPrefix("~/")) && !text.unicodeScalars.contains { $0.value < 32 }
  }

  /// A path, or a bare name.
  private static func isProgram(_ text: String) -> Bool {
    isPath(text) || ClusterHost.isName(text)
  }

  private mutating func word(
    _ tree: YAMLTree, _ key: String, _ what: String, where holds: (String) -> Bool
  ) -> String? {
    if let text = tree.text, !tree.isNull, holds(text) { return text }
    complain(tree, "\(key) has to be \(what)")
    return nil
  }

  private mutating func number(_ tree: YAMLTree, _ key: String, _ range: ClosedRange<Int>) -> Int? {
    if case .scalar(let text, quoted: false) = tree.content, let number = Int(text), range.contains(number) {
      return number
    }
    complain(tree, "\(key) has to be a whole number from \(range.lowerBound) to \(range.upperBound)")
    return nil
  }

  private mutating func truth(_ tree: YAMLTree, _ key: String) -> Bool? {
    switch tree.text {
    case "true"?: return true
    case "false"?: return false
    default:
      complain(tree, "\(key) has to be true or false")
      return nil
    }
  }

  private mutating func words(_ tree: YAMLTree, _ key: String) -> [String]? {
    if case .list(let items) = tree.content {
      let words = items.compactMap(\.text)
      if words.count == items.count { return words }
    }
    complain(tree, "\(key) has to be a list of words, as in [\"-F\", \"lab.ssh\"]")
    return nil
  }

  private mutating func complain(_ tree: YAMLTree, _ message: String) {
    problems.append(SweepFileProblem(tree.place, message))
  }

  private mutating func complainOfKey(_ key: YAMLTree, among known: [String], _ whereabouts: String) {
    let text = key.text ?? ""
    let hint =
      SweepText.nearest(to: text, among: known).map { "did you mean \($0)?" }
      ?? "there are \(SweepText.alternatives(known))"
    complain(key, "unknown key \(SweepText.quoted(text)) \(whereabouts); \(hint)")
  }
}
