// How long this program takes for a command, from its start to its end. Foundation's Process looks for an end every 50 ms
// only, which is longer than some commands take.

import Foundation

enum TimedCommand {
  /// Runs this program with `arguments`, its output thrown away.
  ///
  /// - Throws: `Failure` when it cannot be started, or fails.
  static func seconds(_ arguments: [String]) throws -> Double {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (descriptor, mode) in [(Int32(0), O_RDONLY), (1, O_WRONLY), (2, O_WRONLY)] {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", mode, 0)
    }
    let executable = ownExecutable()
    var words = ([executable] + arguments).map { strdup($0) }
    words.append(nil)
    defer { for word in words { free(word) } }
    var process = pid_t()
    var lap = Stopwatch.Lap()
    let code = posix_spawn(&process, executable, &actions, nil, words, environ)
    guard code == 0 else { throw Failure("cannot start \(executable): \(String(cString: strerror(code)))", .failed) }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { throw Failure("`groksweep \(arguments[0])` was lost sight of", .failed) }
    }
    let seconds = lap.seconds()
    guard status == 0 else { throw Failure("`groksweep \(arguments[0])` failed", .failed) }
    return seconds
  }
}
