// Why a host does no work: as cases, with sentences that say what to do. What ssh says is sorted by its words, since its
// exit code is 255 for everything.

package enum HostTrouble: Error, Hashable, Sendable, CustomStringConvertible {
  /// Nobody answers there, or not as ssh does.
  case unreachable(String)
  case authenticationRefused(String)
  case unknownHostKey(String)
  /// Its sshd forwards no sockets.
  case noTunnel(String)
  case noProgram(String)
  /// The program there does not run.
  case brokenProgram(String)
  case otherVersion(String)
  case noDisk(String)
  /// A copy arrived otherwise than it was sent.
  case badCopy(String)
  /// The workers ended at once; their last words.
  case workersEnded([String])
  case other(String)

  package var description: String {
    switch self {
    case .unreachable(let words): "unreachable: \(words)"
    case .authenticationRefused(let words):
      "authentication refused: \(words); ssh has to come in without asking (a key in ssh-agent, or ssh-copy-id)"
    case .unknownHostKey(let words):
      "its key is not the known one, or not known yet: \(words); try ssh to it by hand once"
    case .noTunnel(let words):
      "its sshd forwards no socket: \(words); allow it there (AllowStreamLocalForwarding), or let workers connect "
        + "directly (--address with --keys)"
    case .noProgram(let words):
      "no groksweep there: \(words); install it, say where it is (binary: …), or copy it (--copy)"
    case .brokenProgram(let words): "groksweep does not run there: \(words)"
    case .otherVersion(let words): "another version there: \(words); install the same one, or copy it (--copy)"
    case .noDisk(let words): "no disk: \(words)"
    case .badCopy(let words): "a copy went wrong: \(words)"
    case .workersEnded(let lines):
      "its workers ended: " + (lines.isEmpty ? "without a word" : lines.joined(separator: " | "))
    case .other(let words): words
    }
  }

  /// A word for programs.
  package var kind: String {
    switch self {
    case .unreachable: "unreachable"
    case .authenticationRefused: "authentication_refused"
    case .unknownHostKey: "unknown_host_key"
    case .noTunnel: "no_tunnel"
    case .noProgram: "no_program"
    case .brokenProgram: "broken_program"
    case .otherVersion: "other_version"
    case .noDisk: "no_disk"
    case .badCopy: "bad_copy"
    case .workersEnded: "workers_ended"
    case .other: "other"
    }
  }

  /// What ssh's words mean. nil words: it was ended, since nothing came within its time.
  package init(ofSSH words: String?, _ seconds: Double) {
    guard let words else {
      self = .unreachable("no answer within \(Int(seconds)) s")
      return
    }
    let lines = words.split(whereSeparator: \.isNewline).map(String.init).filter {
      !$0.hasPrefix("Warning: Permanently")
    }
    let text = lines.joined(separator: "\n").lowercased()
    // The line that says why is mostly the last, and never the farewell of a proxy.
    let last = (lines.last { !$0.hasPrefix("kex_exchange") } ?? lines.last ?? "ssh gave no reason")
      .bare
    func has(_ parts: String...) -> Bool { parts.contains { text.contains($0) } }
    if has("host key verification failed", "remote host identification has changed") {
      self = .unknownHostKey(last)
    } else if has("permission denied (", "too many authentication failures", "no supported authentication") {
      self = .authenticationRefused(last)
    } else if has("forwarding request failed", "forward request failed", "remote port forwarding failed") {
      self = .noTunnel(lines.first ?? last)
    } else if has(
      "could not resolve", "connection refused", "timed out", "no route to host", "unreachable", "connection closed",
      "connection reset", "banner exchange", "kex_exchange", "broken pipe", "lost connection")
    {
      self = .unreachable(last)
    } else {
      self = .other("ssh: \(last)")
    }
  }
}

extension String {
  /// Without the program's name before it and the full stop after it: it becomes part of a sentence.
  fileprivate var bare: String {
    let words = hasPrefix("ssh: ") ? dropFirst(5) : self[...]
    return String(words.hasSuffix(".") ? words.dropLast() : words)
  }
}
