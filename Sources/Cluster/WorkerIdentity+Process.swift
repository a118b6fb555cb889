// What a worker process says of itself: read from the machine, with a fresh random name for this life of the process.

import Foundation
import Kernels
import Sweeps

extension WorkerIdentity {
  /// A name for one life of a process: 32 hexadecimal digits.
  package static func newBoot() -> String {
    let words = [UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max)]
    return words.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  /// - Parameters:
  ///   - build: groksweep's version, for people.
  ///   - boot: what whoever started this process calls it; nil: nobody calls it anything.
  package static func ofThisProcess(kernels: KernelPath, build: String, boot: String? = nil) -> WorkerIdentity {
    WorkerIdentity(
      boot: boot ?? newBoot(), host: hostName, processID: getpid(), cpu: processorName,
      cores: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), kernelPath: kernels.rawValue, build: build)
  }

  /// This machine's name, or `localhost`.
  static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static var processorName: String {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    for line in text.split(separator: "\n") where line.hasPrefix("model name") || line.hasPrefix("Model") {
      if let colon = line.firstIndex(of: ":") {
        return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
      }
    }
    return "unknown"
  }
}
