// The memory of a process that does nothing but one run, so that nobody else's buffers count.

import Foundation
import Grokking
import Kernels

enum ResidentMemory {
  /// Trains the paper's shape for some epochs and analyses it, as a worker does with a point.
  ///
  /// - Returns: the most bytes that this process ever had in memory; nil where the system does not say.
  static func afterRun(kernels: KernelPath) throws -> Int? {
    var experiment = Experiment()
    experiment.training.epochs = 20
    experiment.measure.evaluateEvery = 10
    let run = try Run(experiment, kernels: kernels, snapshots: .inMemory())
    while !run.isFinished { try run.advance() }
    return ofThisProcess
  }

  /// What a process started with `arguments` prints of itself.
  static func ofChild(_ executable: String, _ arguments: [String]) throws -> Int? {
    let (child, output) = (Process(), Pipe())
    child.executableURL = URL(fileURLWithPath: executable)
    child.arguments = arguments
    child.standardInput = FileHandle.nullDevice
    child.standardOutput = output
    do {
      try child.run()
    } catch {
      throw Failure("cannot start \(executable): \((error as NSError).localizedDescription)", .failed)
    }
    let words = output.fileHandleForReading.readDataToEndOfFile()
    child.waitUntilExit()
    guard child.terminationStatus == 0 else {
      throw Failure("the process whose memory is measured ended with \(child.terminationStatus)", .failed)
    }
    return Int(String(decoding: words, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
  }

  /// VmHWM of /proc/self/status, in bytes.
  private static var ofThisProcess: Int? {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return nil }
    for line in status.split(separator: "\n") where line.hasPrefix("VmHWM:") {
      return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
    }
    return nil
  }
}
