// `coordinator --metrics`: Prometheus' page over HTTP, on tasks of its own. The coordinator only leaves its latest numbers
// under a lock now and then; the page is made when somebody asks for it.

import Cluster
import FlyingFox
import FlyingSocks
import Foundation
import Grokking
import Reports
import Sweeps
import Synchronization

final class MetricsServer: Sendable {
  private let latest = Mutex<(overview: SchedulerOverview, counts: CoordinatorCounts)?>(nil)
  private let build = MetricsPage.Build(
    version: Build.version, protocolVersion: WireProtocol.version, semantics: Engine.semanticsVersion,
    started: (Date().timeIntervalSince1970 * 1000).rounded() / 1000)

  private let start = Mutex(Start.waiting)
  /// Where the page is; port 0 has become a port.
  var address: String {
    if case .listening(let real) = start.withLock({ $0 }) { "http://\(real)/metrics" } else { "" }
  }

  /// Listens when it returns.
  ///
  /// - Throws: `Failure` for an address that is none, that others can reach (without `isOpen`), or that is taken.
  init(at text: String, isOpen: Bool) throws {
    let place = try Self.place(text, isOpen: isOpen)
    let server: HTTPServer
    do {
      server =
        place.host.contains(":")
        ? HTTPServer(address: try .inet6(ip6: place.host, port: place.port), logger: .disabled)
        : HTTPServer(address: try .inet(ip4: place.host, port: place.port), logger: .disabled)
    } catch {
      throw Failure("--metrics \(text): is no address of a machine; write 127.0.0.1:9464", .usage)
    }
    let began = DispatchSemaphore(value: 0)
    Task.detached { [self] in
      await server.appendRoute("GET /metrics") { [self] _ in
        HTTPResponse(statusCode: .ok, headers: [.contentType: MetricsPage.contentType], body: Data(page.utf8))
      }
      Task {
        try? await server.waitUntilListening(timeout: 60)
        if let real = await server.listeningAddress { start.withLock { $0 = .listening(Self.words(real)) } }
        began.signal()
      }
      do {
        try await server.run()
      } catch {
        start.withLock { $0 = .failed }
        began.signal()
      }
    }
    began.wait()
    guard case .listening = start.withLock({ $0 }) else {
      throw Failure("--metrics \(text): cannot listen there; is the port taken? Choose another one, or 0", .failed)
    }
  }

  private enum Start {
    case waiting
    case listening(String)
    case failed
  }

  private static func words(_ address: FlyingSocks.Socket.Address) -> String {
    switch address {
    case .ip4(let host, let port): "\(host):\(port)"
    case .ip6(let host, let port): "[\(host)]:\(port)"
    case .unix(let path): path
    }
  }

  func publish(_ overview: SchedulerOverview, _ counts: CoordinatorCounts) {
    latest.withLock { $0 = (overview, counts) }
  }

  private var page: String {
    latest.withLock { $0 }.map { MetricsPage($0.overview, $0.counts, build).text } ?? ""
  }

  private static func place(_ text: String, isOpen: Bool) throws -> TCPPlace {
    let endpoint: String
    do {
      endpoint = try EndpointPolicy.check("tcp://\(text)", .listening, isOpen ? .insecure : .nothing)
    } catch {
      throw error.isMalformed
        ? Failure("--metrics \(text): write an address and a port, as in 127.0.0.1:9464", .usage)
        : Failure(
          "--metrics \(text): others could reach this address and read along; write 127.0.0.1:PORT, or say --metrics-open",
          .notAllowed)
    }
    guard let place = TCPPlace(endpoint), !place.isName else {
      throw Failure("--metrics \(text): write the address as a number, as in 127.0.0.1:9464", .usage)
    }
    return place
  }
}
