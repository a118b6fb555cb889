// `groksweep version`: what two machines must agree on, and what a bug report should say.

import ArgumentParser
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

  @Flag(help: "One JSON object.") var json = false

  private struct Versions: Encodable {
    let build: String
    let protocol_version: Int
    let engine_semantics: Int
    let measure_version: Int
    let kernel_path: String
    let libzmq: String
    let sqlite: String
  }

  func run() throws {
    let versions = Versions(
      build: Build.version, protocol_version: WireProtocol.version, engine_semantics: Engine.semanticsVersion,
      measure_version: Engine.measureVersion, kernel_path: try chosenKernels().rawValue,
      libzmq: Context.libraryVersion, sqlite: Store.sqliteVersion)
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
    }
  }
}
