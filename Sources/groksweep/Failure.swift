// Which exit code an error deserves. The words are the error's own; this file only sorts them.

import ArgumentParser
import Cluster
import Dashboard
import Grokking
import Kernels
import Launchers
import Reports
import Results
import Sweeps
import ZeroMQ

/// The exit codes that interface and scripts may rely on.
enum ExitStatus: Int32 {
  case done = 0
  case failed = 1
  case usage = 64
  case badInput = 65
  case noCoordinator = 69
  case notAllowed = 77
  case interrupted = 130

  /// As a thrown, silent end of a command.
  var thrown: ExitCode { ExitCode(rawValue) }
}

/// An end with words.
struct Failure: Error {
  let message: String
  let status: ExitStatus

  init(_ message: String, _ status: ExitStatus) {
    self.message = message
    self.status = status
  }

  /// nil for ArgumentParser's own errors, which print themselves.
  init?(of error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case is ExitCode, is CleanExit, is ValidationError: return nil
    default:
      guard let status = Self.status(of: error) else { return nil }
      self.init("\(error)", status)
    }
  }

  private static func status(of error: any Error) -> ExitStatus? {
    switch error {
    case is SweepFileError, is ModelFileError, is AnalysisError, is ExperimentProblem, is RunError: .badInput
    case is ReproductionError: .usage
    case let error as StoreError: Self.isBadInput(error.kind) ? .badInput : .failed
    case let error as SlurmError: Self.statusOfSlurm(error)
    case let error as EndpointRefused: error.isMalformed ? .usage : .notAllowed
    case is KernelPathError: .notAllowed
    case let error as LauncherError: error.isBadInput ? .badInput : .failed
    case is NoCoordinator: .noCoordinator
    case is NotLetIn: .notAllowed
    case is WireError, is KeyFileError, is RunFigureError, is DiagramAxesError: .badInput
    case is ZeroMQError, is LocalWorkersError, is OnlyHostBarred, is SpawnError, is SocketFolderError,
      is SealedFileError, is ScratchUnwritable, is DashboardError, is SnapshotMissing:
      .failed
    default: nil
    }
  }

  private static func statusOfSlurm(_ error: SlurmError) -> ExitStatus {
    switch error {
    case .usage: .usage
    case .missing, .refused, .gaveUp: .failed
    case .unreachable: .noCoordinator
    }
  }

  private static func isBadInput(_ kind: StoreError.Kind) -> Bool {
    switch kind {
    case .refused, .sweepChanged, .unknown, .badCondition: true
    case .locked, .rejected, .unavailable: false
    }
  }
}
