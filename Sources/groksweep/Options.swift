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

/// Reads `path`, with the files that it includes, and expands it; errors name the file and the line.
func readSweepFile(_ path: String, _ overrides: Overrides? = nil) throws -> SweepFile {
  try SweepFile(bytes: readInput(path), fileName: path, overrides: overrides?.values ?? []) { name in
    do {
      return .bytes(try readInput(name))
    } catch {
      // "x.csv: no such file": the file's name stands in the sentence already.
      let words = (error as? Failure)?.message ?? "\(error)"
      return .unreadable(words.hasPrefix("\(name): ") ? String(words.dropFirst(name.utf8.count + 2)) : words)
    }
  }
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

/// The store of the working folder, when there is just one.
func onlyStoreHere() throws -> String {
  let here = try FileManager.default.contentsOfDirectory(atPath: ".").filter { $0.hasSuffix(".sqlite") }.sorted()
  switch here.count {
  case 1: return here[0]
  case 0: throw Failure("no .sqlite file in this folder; name the store with --store", .usage)
  default: throw Failure("several stores here: \(here.joined(separator: ", ")); name one with --store", .usage)
  }
}

/// Refuses to replace a database, or what SQLite keeps beside one.
func refuseDatabase(_ path: String) throws {
  let stem = ["-wal", "-shm", "-journal", ".lock"].first(where: path.hasSuffix).map { String(path.dropLast($0.count)) }
  for file in [path, stem].compactMap({ $0 }) {
    guard let handle = FileHandle(forReadingAtPath: file) else { continue }
    defer { try? handle.close() }
    if (try? handle.read(upToCount: 16)) == Data("SQLite format 3\0".utf8) {
      throw Failure("\(path): is a store or belongs to one, and would be lost; name another file", .badInput)
    }
  }
}

/// Refuses a path at which no file can be written: to be asked before the work whose result is to go there.
func checkOutput(_ path: String) throws {
  func refused(_ message: String) -> Failure { Failure("\(path): \(message)", .badInput) }
  guard !path.isEmpty else { throw Failure("the name of the file to write is empty; name a file", .badInput) }
  var status = stat()
  if stat(path, &status) == 0 {
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw refused("is a folder; name a file")
    default: throw refused("is not a regular file; name another one")
    }
  }
  let slash = path.lastIndex(of: "/")
  let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
  guard slash != path.index(before: path.endIndex) else { throw refused("names a folder; name a file") }
  guard stat(folder, &status) == 0 else { throw refused("there is no folder \(folder); make it first") }
  guard status.st_mode & S_IFMT == S_IFDIR else { throw refused("\(folder) is not a folder") }
  guard access(folder, W_OK | X_OK) == 0 else {
    throw refused("no permission to write in \(folder); choose another folder")
  }
}

/// Writes a file whole or not at all: a temporary file beside it, then a rename.
func writeOutput(_ bytes: [UInt8], to path: String) throws {
  do {
    try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
  } catch {
    let why =
      switch (error as? CocoaError)?.code {
      case .fileWriteOutOfSpace?: "the disk is full; make room"
      case .fileWriteNoPermission?, .fileWriteVolumeReadOnly?: "no permission; choose another folder"
      default: "check that its folder is there and may be written"
      }
    throw Failure("\(path): cannot be written: \(why)", .failed)
  }
}

/// `GROKSWEEP_KERNELS`, or the best of this machine.
func chosenKernels() throws -> KernelPath { try KernelPath.choose(named: forcedKernels) }

/// `GROKSWEEP_KERNELS`; nil when it is empty or not set.
var forcedKernels: String? {
  ProcessInfo.processInfo.environment["GROKSWEEP_KERNELS"].flatMap { $0.isEmpty ? nil : $0 }
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
