// What `bench coordination` measured, as JSON and as a page. Knows no clock: whoever measures fills it in.

import Grokking

/// What it costs to hand out points, on one machine. All medians over rounds.
package struct CoordinationBenchReport: Encodable, Sendable {
  package var build: String
  package var cpu: String
  package var cores: Int
  /// Of the last minute before the first measurement; nil where the system does not say.
  package var loadAverageBefore: Double?
  /// Under the store; nil where the system does not say.
  package var fileSystem: String?
  /// Of a write of 4 KiB with fsync there.
  package var msPerSync: Double
  package var rounds: Int
  package var secondsPerRound: Double
  /// Of the result that every point gets.
  package var evaluationsPerResult: Int
  /// By workers, ascending.
  package var rates: [Rate]
  package var heartbeat: Heartbeat
  package var store: LargeStore

  package init(
    build: String, cpu: String, cores: Int, loadAverageBefore: Double?, fileSystem: String?, msPerSync: Double,
    rounds: Int, secondsPerRound: Double, evaluationsPerResult: Int, rates: [Rate], heartbeat: Heartbeat,
    store: LargeStore
  ) {
    self.build = build
    self.cpu = cpu
    self.cores = cores
    self.loadAverageBefore = loadAverageBefore
    self.fileSystem = fileSystem
    self.msPerSync = msPerSync
    self.rounds = rounds
    self.secondsPerRound = secondsPerRound
    self.evaluationsPerResult = evaluationsPerResult
    self.rates = rates
    self.heartbeat = heartbeat
    self.store = store
  }

  /// With this many workers connected that return at once.
  package struct Rate: Encodable, Sendable {
    package var workers: Int
    /// Grant, result, durable commit, receipt: wall time over points done.
    package var usPerPoint: Double
    /// Of all the coordinator's threads.
    package var coordinatorCPUUsPerPoint: Double

    package init(workers: Int, usPerPoint: Double, coordinatorCPUUsPerPoint: Double) {
      self.workers = workers
      self.usPerPoint = usPerPoint
      self.coordinatorCPUUsPerPoint = coordinatorCPUUsPerPoint
    }

    package var pointsPerSecond: Double { 1e6 / usPerPoint }
  }

  /// With workers that hold a point each and report every second.
  package struct Heartbeat: Encodable, Sendable {
    package var workers: Int
    /// Of the coordinator, 1 is a whole core.
    package var shareOfCore: Double

    package init(workers: Int, shareOfCore: Double) {
      self.workers = workers
      self.shareOfCore = shareOfCore
    }
  }

  /// The store that all of this happened on.
  package struct LargeStore: Encodable, Sendable {
    package var points: Int
    /// From the start of `coordinator FILE` until its points are on disk.
    package var registrationSeconds: Double
    /// From the start of a coordinator on that store until it listens.
    package var startSeconds: Double
    /// Of the command `groksweep status`.
    package var statusMs: Double
    /// Of what the command reads, alone.
    package var statusQueryMs: Double
    /// Of the coordinator that did all of this; nil where the system does not say.
    package var peakResidentBytes: Int?
    /// Of the one that registered the points.
    package var registrationPeakResidentBytes: Int?

    package init(
      points: Int, registrationSeconds: Double, startSeconds: Double, statusMs: Double, statusQueryMs: Double,
      peakResidentBytes: Int?, registrationPeakResidentBytes: Int?
    ) {
      self.points = points
      self.registrationSeconds = registrationSeconds
      self.startSeconds = startSeconds
      self.statusMs = statusMs
      self.statusQueryMs = statusQueryMs
      self.peakResidentBytes = peakResidentBytes
      self.registrationPeakResidentBytes = registrationPeakResidentBytes
    }
  }
}

// Keys are a promise to scripts. What could not be measured is null, so that every key is always there.

extension CoordinationBenchReport {
  private enum CodingKeys: String, CodingKey {
    case build, cpu, cores, rounds, rates, heartbeat, store
    case engineSemantics = "engine_semantics"
    case loadAverageBefore = "load_average_before"
    case fileSystem = "file_system"
    case msPerSync = "fsync_ms"
    case secondsPerRound = "seconds_per_round"
    case evaluationsPerResult = "evaluations_per_result"
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(build, forKey: .build)
    try values.encode(Engine.semanticsVersion, forKey: .engineSemantics)
    try values.encode(cpu, forKey: .cpu)
    try values.encode(cores, forKey: .cores)
    try values.encode(loadAverageBefore, forKey: .loadAverageBefore)
    try values.encode(fileSystem, forKey: .fileSystem)
    try values.encode(msPerSync, forKey: .msPerSync)
    try values.encode(rounds, forKey: .rounds)
    try values.encode(secondsPerRound, forKey: .secondsPerRound)
    try values.encode(evaluationsPerResult, forKey: .evaluationsPerResult)
    try values.encode(rates, forKey: .rates)
    try values.encode(heartbeat, forKey: .heartbeat)
    try values.encode(store, forKey: .store)
  }
}

extension CoordinationBenchReport.Rate {
  private enum CodingKeys: String, CodingKey {
    case workers
    case pointsPerSecond = "points_per_second"
    case usPerPoint = "us_per_point"
    case coordinatorCPUUsPerPoint = "coordinator_cpu_us_per_point"
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(workers, forKey: .workers)
    try values.encode(pointsPerSecond, forKey: .pointsPerSecond)
    try values.encode(usPerPoint, forKey: .usPerPoint)
    try values.encode(coordinatorCPUUsPerPoint, forKey: .coordinatorCPUUsPerPoint)
  }
}

extension CoordinationBenchReport.Heartbeat {
  private enum CodingKeys: String, CodingKey {
    case workers
    case percentOfCore = "percent_of_core"
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(workers, forKey: .workers)
    try values.encode(100 * shareOfCore, forKey: .percentOfCore)
  }
}

extension CoordinationBenchReport.LargeStore {
  private enum CodingKeys: String, CodingKey {
    case points
    case registrationSeconds = "registration_seconds"
    case startSeconds = "start_seconds"
    case statusMs = "status_ms"
    case statusQueryMs = "status_query_ms"
    case peakResidentBytes = "peak_resident_bytes"
    case registrationPeakResidentBytes = "registration_peak_resident_bytes"
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(points, forKey: .points)
    try values.encode(registrationSeconds, forKey: .registrationSeconds)
    try values.encode(startSeconds, forKey: .startSeconds)
    try values.encode(statusMs, forKey: .statusMs)
    try values.encode(statusQueryMs, forKey: .statusQueryMs)
    try values.encode(peakResidentBytes, forKey: .peakResidentBytes)
    try values.encode(registrationPeakResidentBytes, forKey: .registrationPeakResidentBytes)
  }
}
