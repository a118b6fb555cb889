// `groksweep version`: what two machines must agree on, and what a bug report should say.

import ArgumentParser
import Cluster
import Grokking
import Kernels
import Results
import Sweeps
import ZeroMQ

/// The release; the CHANGELOG's newest heading.
enum Build {
  static let version = "0.1.0"
}

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version",
    abstract: "Print the build, the protocol, the engine's semantics, the kernel path, libzmq and SQLite.")

  @Flag(help: "Train a tiny model too, and fail unless it has the digest that it has everywhere.") var selfTest = false
  @Flag(help: "One JSON object.") var json = false

  private struct Versions: Encodable {
    let build: String
    let protocol_version: Int
    let engine_semantics: Int
    let measure_version: Int
    let kernel_path: String
    let libzmq: String
    let sqlite: String
    let self_test: String?
  }

  func run() throws {
    let kernels = try chosenKernels()
    let digest = selfTest ? try SelfTest.run(kernels) : nil
    let versions = Versions(
      build: Build.version, protocol_version: WireProtocol.version, engine_semantics: Engine.semanticsVersion,
      measure_version: Engine.measureVersion, kernel_path: kernels.rawValue,
      libzmq: Context.libraryVersion, sqlite: Store.sqliteVersion, self_test: digest)
    if json {
      Console.print(try jsonLine(versions))
    } else {
      Console.print(
        """
        groksweep \(versions.build)
        protocol \(versions.protocol_version), engine semantics \(versions.engine_semantics), \
        measures \(versions.measure_version)
        kernels \(versions.kernel_path)
        libzmq \(versions.libzmq), SQLite \(versions.sqlite)
        """)
      if let digest { Console.print("self-test \(digest)") }
    }
    if let digest, digest != SelfTest.digest {
      throw Failure(
        "the self-test should have given \(SelfTest.digest): this machine or build computes wrongly, and no coordinator "
          + "gives it points", .failed)
    }
  }
}
