// Flags that several commands share, and how a sweep file gets from the disk into memory.

import ArgumentParser
import Foundation
import Grokking
import Kernels
import Sweeps

/// `--set key=value…`, for every command that takes a sweep file.
struct Overrides: ParsableArguments {
  @Option(
    name: .customLong("set"), parsing: .upToNextOption,
    help: ArgumentHelp(
      "Replace values of the file, as in training.epochs=2000 or axes.training.weight_decay=[1,2].",
      valueName: "key=value"))
  var values: [String] = []
}

/// Reads `path` and expands it; errors name the file and the line.
func readSweepFile(_ path: String, _ overrides: Overrides) throws -> SweepFile {
  try SweepFile(bytes: readInput(path), fileName: path, overrides: overrides.values)
}

/// The whole of a file that somebody named on the command line.
func readInput(_ path: String) throws -> [UInt8] {
  var isFolder: ObjCBool = false
  guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
    throw Failure("\(path): no such file", .badInput)
  }
  guard !isFolder.boolValue else { throw Failure("\(path): is a folder; name a file in it", .badInput) }
  guard let data = FileManager.default.contents(atPath: path) else {
    throw Failure("\(path): cannot be read (permission?)", .badInput)
  }
  return [UInt8](data)
}

/// Writes a file whole or not at all: a temporary file beside it, then a rename.
func writeOutput(_ bytes: [UInt8], to path: String) throws {
  do {
    try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
  } catch {
    throw Failure("\(path): cannot be written: \((error as NSError).localizedDescription)", .failed)
  }
}

/// `GROKSWEEP_KERNELS`, or the best of this machine.
func chosenKernels() throws -> KernelPath {
  let named = ProcessInfo.processInfo.environment["GROKSWEEP_KERNELS"]
  return try KernelPath.choose(named: named.flatMap { $0.isEmpty ? nil : $0 })
}

/// The path of this very binary, for starting workers.
func ownExecutable() -> String {
  (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
}

/// JSON as `--json` prints it: one line, sorted keys, snake_case.
func jsonLine(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}

/// The value that a JSON text holds.
func parseJSON<Value: Decodable>(_ type: Value.Type, from text: String) throws -> Value {
  try JSONDecoder().decode(type, from: Data(text.utf8))
}
