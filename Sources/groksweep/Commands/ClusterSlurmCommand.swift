// `groksweep cluster slurm`: workers in the allocations of a Slurm cluster, as many as asked for or as many as there is
// work for.

import ArgumentParser
import Cluster
import Foundation
import Launchers
import Results
import Sweeps

extension ClusterCommand {
  struct Slurm: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Submit workers to Slurm, or keep as many there as there is work for.",
      discussion: """
        Writes and submits an array of jobs, each one allocation with a worker process per core. Before the walltime \
        ends, each checkpoints, hands its checkpoint and its point over and leaves; a requeued one starts anew. With \
        --autoscale it stays, and submits and takes back until everything is done.

          groksweep cluster slurm --workers 20 --time 8:00:00 --join lab.join --partition long
          groksweep cluster slurm --autoscale 2:64 --time 4:00:00 --join lab.join --ask-join me.join
          groksweep cluster slurm --workers 20 --time 8:00:00 --join lab.join --dry-run > workers.sbatch
        """)

    @Option(help: "Worker processes in all: one core and one point each.") var workers: Int?
    @Option(
      help: ArgumentHelp(
        "Stay, and keep between so many worker processes in the queue, by what is left to do.", valueName: "min:max"))
    var autoscale: String?
    @Option(help: "Walltime of an allocation, as for sbatch: 8:00:00, 1-12, or minutes.") var time: String
    @Option(help: "Worker processes of one allocation, with a core each.") var cpusPerTask = 1
    @Option(help: "As for sbatch.") var partition: String?
    @Option(help: "As for sbatch.") var account: String?
    @Option(help: "As for sbatch.") var qos: String?
    @Option(help: "Memory of one allocation, as for sbatch.") var mem: String?
    @Option(
      parsing: .unconditionalSingleValue,
      help: ArgumentHelp(
        "One more option for sbatch, as in '--constraint=zen4'; may be given again.", valueName: "option"))
    var sbatchOption: [String] = []
    @Option(help: "Name of the jobs. Autoscaling knows its own by it, also after it was started again.")
    var name = "groksweep"
    @Option(
      help: "Seconds before the end of an allocation at which workers hand back (default: 120, or a quarter of --time)."
    )
    var margin: Int?
    @Option(help: "The workers' join file, readable on the nodes.") var join: String?
    @Option(help: "The coordinator's address for the workers (default: the join file's).") var connect: String?
    @Flag(help: "Let the workers join without keys, unencrypted.") var insecure = false
    @Option(help: "Folder for what the workers say; made if need be.") var logs = "groksweep-logs"
    @Option(
      help:
        "Folder on the nodes for checkpoints, with one per node in it; $NAME is a variable there (default: in $TMPDIR or /tmp)."
    )
    var scratch: String?
    @Option(help: "Seconds between two checkpoints of a run.") var checkpointSeconds: Double?
    @Option(help: "The program on the nodes (default: this one).") var groksweep: String?
    @Flag(help: "Print the script and submit nothing.") var dryRun = false
    @Option(help: "With --autoscale: the store to see what is left in, when the coordinator does not say.")
    var store: String?
    @Option(help: "With --autoscale: your own join file (role reader or operator), to ask the coordinator with.")
    var askJoin: String?
    @Option(help: "With --autoscale: seconds between two looks.") var roundSeconds = 30.0

    func validate() throws {
      guard (workers != nil) != (autoscale != nil) else {
        throw ValidationError("give --workers N, or --autoscale MIN:MAX")
      }
      if let workers, !(1...100_000).contains(workers) {
        throw ValidationError("--workers \(workers): give a number from 1 to 100000")
      }
      if autoscale != nil { _ = try bounds() }
      guard join != nil || connect != nil else {
        throw ValidationError("say where the coordinator is: --join FILE, or --connect tcp://HOST:PORT")
      }
      if join != nil && insecure { throw ValidationError("give --join or --insecure, not both") }
      if autoscale == nil, store != nil || askJoin != nil {
        throw ValidationError("--store and --ask-join are for --autoscale")
      }
      if !(0.1...3600).contains(roundSeconds) {
        throw ValidationError("--round-seconds \(roundSeconds): give a number from 0.1 to 3600")
      }
    }

    private func bounds() throws -> (least: Int, most: Int) {
      let numbers = (autoscale ?? "").split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
      guard numbers.count == 2, let least = numbers[0], let most = numbers[1], least >= 0, most >= max(1, least),
        most <= 100_000
      else {
        throw ValidationError(
          "--autoscale \(autoscale ?? ""): write MIN:MAX, two numbers of workers such as 0:64, the first not the larger one"
        )
      }
      return (least, most)
    }

    func run() throws {
      let job = try job()
      guard autoscale == nil else { return try keepUp(job) }
      let tasks = job.tasks(forWorkers: workers!)
      let script = try job.script(tasks: tasks)
      guard !dryRun else { return Console.print(String(script.dropLast())) }
      let tools = try SlurmTools()
      try makeLogs()
      Console.print(try tools.submit(script))
      let allocations = tasks == 1 ? "1 allocation" : "\(tasks) allocations"
      Console.remark(
        "submitted \(allocations) of \(job.time.text), workers say what they do in \(job.logs); end them with: "
          + "scancel --batch --signal=TERM --name=\(ShellWords.quoted(name)) (in good order), or scancel --name=\(ShellWords.quoted(name))"
      )
    }

    private func job() throws -> SlurmJob {
      let joining = try join.map { path throws(KeyFileError) in try JoinFile(path: path) }
      if let joining, joining.role != .worker {
        throw Failure("\(join!): is of a key of \(joining.role.title); workers need a key of a worker", .notAllowed)
      }
      guard let address = connect ?? joining?.address else {
        throw Failure("\(join!): does not say where the coordinator is; give --connect tcp://HOST:PORT", .usage)
      }
      try EndpointPolicy.check(address, .connecting, joining != nil ? .keys : insecure ? .insecure : .nothing)
      var job = SlurmJob(
        time: try SlurmTime(time), logs: absolute(logs), program: groksweep.map(absolute) ?? ownExecutable())
      job.name = name
      job.marginSeconds = margin
      job.cpusPerTask = cpusPerTask
      job.partition = partition
      job.account = account
      job.qos = qos
      job.memory = mem
      job.sbatchOptions = sbatchOption
      job.connect = connect
      job.join = join.map(absolute)
      job.isInsecure = insecure
      job.checkpointSeconds = checkpointSeconds
      if let scratch { job.scratch = scratch.hasPrefix("$") ? scratch : absolute(scratch) }
      return job
    }

    private func keepUp(_ job: SlurmJob) throws {
      let (least, most) = try bounds()
      guard !dryRun else { return Console.print(String(try job.script(tasks: job.tasks(forWorkers: most)).dropLast())) }
      let tools = try SlurmTools()
      let asking = try askCoordinator()
      guard asking != nil || store != nil else {
        throw Failure(
          "say how to see what is left to do: --ask-join FILE (of a reader's key), or --store STORE", .usage)
      }
      let interrupt = try Interrupt()
      interrupt.catchSignals()
      try makeLogs()
      var pauses = SlurmAutoscaler.Pauses()
      pauses.round = roundSeconds
      var autoscaler = SlurmAutoscaler(
        job, tools: tools, minimum: least, maximum: most, pauses: pauses,
        work: {
          do {
            if let asking { return try asking() }
          } catch  where store != nil {
            // The store knows too: whether a coordinator that has gone was done, above all.
            return try ofStore(store!)
          }
          return try ofStore(store!)
        },
        say: { Console.remark($0) })
      try autoscaler.run(interrupt: interrupt)
      if let signal = interrupt.signal {
        Console.remark(
          "stopped; the queue stays as it is. The same command goes on; this ends the workers: scancel --batch "
            + "--signal=TERM --name=\(ShellWords.quoted(name)) (in good order), scancel --name=\(ShellWords.quoted(name)) (all)"
        )
        throw ExitCode(signal == SIGINT ? ExitStatus.interrupted.rawValue : 0)
      }
      Console.remark("everything is done, and no worker is left in the queue")
    }

    /// nil when there is no way to ask.
    private func askCoordinator() throws -> (() throws -> SlurmWork)? {
      let joining = try askJoin.map { path throws(KeyFileError) in try JoinFile(path: path) }
      // Without keys whoever works may ask as well.
      guard joining != nil || join == nil else { return nil }
      if let joining, joining.role == .worker {
        throw Failure("\(askJoin!): is of a key of a worker; asking needs a key of an operator or reader", .notAllowed)
      }
      // Seen from here, the coordinator may have another address than the nodes know.
      guard let address = joining?.address ?? connect else { return nil }
      let endpoint = try EndpointPolicy.check(
        address, .connecting, joining != nil ? .keys : insecure ? .insecure : .nothing)
      return {
        let client = try OperatorClient(endpoint: endpoint, join: joining)
        guard case .answer(let text) = try client.ask(.status) else {
          throw Failure("the coordinator at \(endpoint) does not say how it stands", .failed)
        }
        let status = try parseJSON(CoordinatorStatus.self, from: text)
        return SlurmWork(status.sweeps, workers: status.workers)
      }
    }

    private func ofStore(_ path: String) throws -> SlurmWork {
      let work = SlurmWork(try Store(path: path, mode: .readOnly).sweepProgress())
      if !work.isDone, try Store.lockHolder(path: path) == nil {
        throw Failure("\(path): no coordinator works on it", .noCoordinator)
      }
      return work
    }

    private func makeLogs() throws {
      do {
        try FileManager.default.createDirectory(atPath: absolute(logs), withIntermediateDirectories: true)
      } catch {
        throw Failure("\(logs): cannot be made a folder; name another one with --logs", .badInput)
      }
    }

    private func absolute(_ path: String) -> String {
      URL(fileURLWithPath: path).path
    }
  }
}
