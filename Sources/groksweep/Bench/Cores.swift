// Which processors this process may use, and keeping a thread on one of them. Linux only.

import Foundation

enum Cores {
  private typealias GetAffinity = @convention(c) (pid_t, Int, UnsafeMutablePointer<cpu_set_t>) -> Int32
  private typealias SetAffinity = @convention(c) (pid_t, Int, UnsafePointer<cpu_set_t>) -> Int32

  /// One processor of each core that this process may use, the last first: the first one gets most interrupts. Empty
  /// when the system does not say.
  static let separate: [Int] = {
    var seen: Set<String> = []
    return allowed.reversed().filter { processor in
      let path = "/sys/devices/system/cpu/cpu\(processor)/topology/thread_siblings_list"
      let siblings = try? String(contentsOfFile: path, encoding: .utf8)
      return seen.insert(siblings ?? "\(processor)").inserted
    }
  }()

  /// Keeps the calling thread, and threads and processes that it starts, on one processor; false when that fails.
  @discardableResult
  static func stay(on processor: Int) -> Bool {
    guard let set: SetAffinity = function("sched_setaffinity") else { return false }
    var mask = cpu_set_t()
    withUnsafeMutableBytes(of: &mask) { $0[processor / 8] |= 1 << UInt8(processor % 8) }
    return set(0, MemoryLayout<cpu_set_t>.size, &mask) == 0
  }

  private static var allowed: [Int] {
    var mask = cpu_set_t()
    guard let get: GetAffinity = function("sched_getaffinity"), get(0, MemoryLayout<cpu_set_t>.size, &mask) == 0 else {
      return []
    }
    return withUnsafeBytes(of: &mask) { bytes in
      (0..<bytes.count * 8).filter { bytes[$0 / 8] & 1 << UInt8($0 % 8) != 0 }
    }
  }

  /// A function of the C library by its name: glibc's headers show these two only to those who define _GNU_SOURCE, and
  /// Swift does not.
  private static func function<Function>(_ name: String) -> Function? {
    dlsym(nil, name).map { unsafeBitCast($0, to: Function.self) }
  }
}
