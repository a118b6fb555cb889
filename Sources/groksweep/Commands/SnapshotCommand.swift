// `groksweep snapshot`: a copy of a store, whatever happens to it meanwhile.

import ArgumentParser
import Results

struct SnapshotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "snapshot",
    abstract: "Copy a store to one file, also while a sweep writes to it.",
    discussion: """
      The copy is the store as of one moment, in a single file without free space. It is a store like any other: to be \
      asked, moved, merged, or gone on with. Checkpoints of points under way are not part of it.

        groksweep snapshot --store weight-decay.sqlite -o copy.sqlite
      """)

  @Option(help: "The store. May be left out when the working folder holds just one.") var store: String?
  @Option(name: .shortAndLong, help: "The file to make, which must not be there yet.") var output: String

  func run() throws {
    let results = try Store(path: try store ?? onlyStoreHere(), mode: .readOnly)
    try checkOutput(output)
    try results.snapshot(to: output)
    Console.remark("\(output): a copy of \(results.path)")
  }
}
