// Starting and reaping a child process, with what Foundation.Process leaves to chance: its own process group, no
// inherited signal mask or ignored signals, and nothing to read on stdin.

import Foundation

/// How a child process ended.
package enum ProcessEnding: Hashable, Sendable, CustomStringConvertible {
  case exited(code: Int32)
  case killed(signal: Int32)

  /// Of what `waitpid` reports.
  init(status: Int32) {
    self = status & 0x7f == 0 ? .exited(code: (status >> 8) & 0xff) : .killed(signal: status & 0x7f)
  }

  package var description: String {
    switch self {
    case .exited(let code): "exited with code \(code)"
    case .killed(let signal): "killed by signal \(signal) (\(String(cString: strsignal(signal))))"
    }
  }
}

/// A program that could not be started; prints as a sentence.
package struct SpawnError: Error, Hashable, Sendable, CustomStringConvertible {
  package let executable: String
  package let reason: String
  package var description: String { "cannot start \(executable): \(reason)" }
}

package enum ChildProcess {
  /// Open files of this process that become the child's own.
  package struct Streams {
    /// nil: nothing to read.
    package var input: Int32?
    package var output: Int32
    package var errors: Int32

    package init(input: Int32? = nil, output: Int32, errors: Int32) {
      self.input = input
      self.output = output
      self.errors = errors
    }
  }

  /// Starts `executable` with `arguments` (without its own name). The environment is this process', and so are stdout
  /// and stderr without `streams`.
  ///
  /// Its own process group keeps the terminal's Ctrl-C from it: the parent decides what becomes of its children.
  ///
  /// - Parameters:
  ///   - descriptor: an open file of this process, which the child finds as `SupervisorPipe.childDescriptor`.
  ///   - isDetached: in a session of its own, which no terminal's end reaches.
  package static func start(
    _ executable: String, _ arguments: [String], passing descriptor: Int32? = nil, streams: Streams? = nil,
    isDetached: Bool = false
  ) throws(SpawnError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let input = streams?.input {
      posix_spawn_file_actions_adddup2(&actions, input, 0)
    } else {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    if let streams {
      posix_spawn_file_actions_adddup2(&actions, streams.output, 1)
      posix_spawn_file_actions_adddup2(&actions, streams.errors, 2)
    }
    if let descriptor {
      posix_spawn_file_actions_adddup2(&actions, descriptor, SupervisorPipe.childDescriptor)
    }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var (none, defaults) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    sigemptyset(&defaults)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT] { sigaddset(&defaults, number) }
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setpgroup(&attributes, 0)
    // POSIX_SPAWN_SETSID, which glibc shows to C only where GNU's names are asked for. A session's first process leads a
    // group of its own already.
    let group = isDetached ? 0x80 : Int(POSIX_SPAWN_SETPGROUP)
    posix_spawnattr_setflags(
      &attributes, Int16(group | Int(POSIX_SPAWN_SETSIGDEF) | Int(POSIX_SPAWN_SETSIGMASK)))

    var words = ([executable] + arguments).map { strdup($0) }
    words.append(nil)
    defer { for word in words { free(word) } }
    var process = pid_t()
    let code = posix_spawn(&process, executable, &actions, &attributes, words, environ)
    guard code == 0 else { throw SpawnError(executable: executable, reason: String(cString: strerror(code))) }
    return process
  }

  /// How `process` ended; nil while it runs.
  package static func reap(_ process: pid_t) -> ProcessEnding? {
    var status: Int32 = 0
    while true {
      let ended = waitpid(process, &status, WNOHANG)
      if ended == process { return ProcessEnding(status: status) }
      if ended == 0 { return nil }
      // Not our child (any more): somebody else reaped it, which says nothing about how it ended.
      if errno != EINTR { return .exited(code: 1) }
    }
  }
}
