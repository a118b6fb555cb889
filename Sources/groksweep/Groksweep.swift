// The command line. Logic lives in the modules below; a command reads flags, calls one of them, and prints.

import ArgumentParser
import Foundation

@main
struct Groksweep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "groksweep",
    abstract: "Sweeps of grokking experiments, on one machine or many.",
    discussion: """
      A sweep file names hyperparameters and seeds. A coordinator hands its points to worker processes, each of which \
      trains a one-layer transformer on modular arithmetic and takes it apart (Nanda et al. 2023); when each model \
      grokked, and its progress measures, end up in one SQLite file.

        groksweep sweep configs/quickstart.yaml
        sqlite3 quickstart.sqlite "SELECT setting, median_grokking_epoch FROM grokking_times"

      Exit codes: 0 done; 1 something failed or points ended without a result; 64 wrong usage; 65 bad input; \
      69 no coordinator; 77 not allowed; 130 interrupted.
      """,
    subcommands: [
      PlanCommand.self, SweepCommand.self, CoordinatorCommand.self, WorkerCommand.self, StatusCommand.self,
      TopCommand.self, DashboardCommand.self,
      SubmitCommand.self, PauseCommand.self, ResumeCommand.self, CancelCommand.self, DrainCommand.self,
      AdmitCommand.self, DoctorCommand.self,
      ExplainCommand.self, RetryCommand.self, VerifyCommand.self, AuditCommand.self, TrainCommand.self,
      ExtendCommand.self, AnalyzeCommand.self, ReportCommand.self, PlotCommand.self, ExportCommand.self,
      WeightsCommand.self, SnapshotCommand.self, MergeCommand.self,
      ReproduceCommand.self, ClusterCommand.self, KeysCommand.self, BenchCommand.self,
      SimulateCommand.self, VersionCommand.self,
    ])

  /// As ArgumentParser's own, but our errors end with their own exit code and without the usage lines.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      Console.flush()
      if let failure = Failure(of: error) {
        Console.complain(failure.message)
        Foundation.exit(failure.status.rawValue)
      }
      exit(withError: error)
    }
  }
}
