// The HTTP server around the site: who may ask, what may be asked, and the headers that keep answers from doing harm. Only
// reads; what comes as a request's body is not looked at.

import FlyingFox
import FlyingSocks
import Foundation
import Logging
import Reports
import Synchronization

/// Why there is no dashboard, as a sentence.
package struct DashboardError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String
}

package final class DashboardServer: Sendable {
  /// Pages that are followed at once, each by a connection of its own.
  private static let mostStreams = 64
  /// A connection on which no whole request has come for so long is closed, and one that takes nothing of its answer.
  static let patience = Duration.seconds(75)
  /// Ends of the listening socket, one soon after the other, after which it is given up.
  private static let mostRestarts = 20
  /// After so long an end is the first one again.
  private static let longEnough = Duration.seconds(60)

  private let site: Site
  private let wanted: ListenAddress
  private let token: String?
  private let logger: Logger
  private let slots = StreamSlots(mostStreams)
  /// Known once it listens.
  private let access = Mutex<Access?>(nil)

  /// - Parameter token: what visitors have to know; nil: nothing.
  package init(_ site: Site, at address: ListenAddress, token: String?, logger: Logger) {
    precondition(address.isLoopback || token != nil, "a dashboard that others reach asks for a token")
    self.site = site
    wanted = address
    self.token = token
    self.logger = logger
  }

  /// Serves until its task is cancelled.
  ///
  /// - Parameter onListening: called once, with who may look and where.
  /// - Throws: `DashboardError` for an address that cannot be listened at.
  package func run(onListening: @escaping @Sendable (Access) -> Void) async throws {
    var address = wanted
    var attempt = 0
    while attempt < Self.mostRestarts {
      let began = ContinuousClock.now
      do {
        try await serve(at: address, onListening)
      } catch is CancellationError {
        return
      } catch {
        guard let access = access.withLock({ $0 }) else { throw DashboardError(error, address) }
        // Most likely too many connections at once. Their ends are what frees them.
        logger.warning("the dashboard listens anew: \(error.localizedDescription)")
        address = access.address
      }
      attempt = ContinuousClock.now - began > Self.longEnough ? 1 : attempt + 1
      try? await Task.sleep(for: .milliseconds(100 * attempt))
      if Task.isCancelled { return }
    }
    throw DashboardError(description: "\(address): the dashboard cannot go on listening; start it again")
  }

  private func serve(at address: ListenAddress, _ onListening: @escaping @Sendable (Access) -> Void) async throws {
    let pool = PatientPool(HTTPServer.defaultPool())
    let handler = ClosureHTTPHandler { [self] request in
      pool.hasHeard(request.remoteAddress)
      return await answer(request)
    }
    let server =
      address.family == .v6
      ? HTTPServer(
        address: try .inet6(ip6: address.host, port: address.port), pool: pool, logger: .disabled, handler: handler)
      : HTTPServer(
        address: try .inet(ip4: address.host, port: address.port), pool: pool, logger: .disabled, handler: handler)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run() }
      group.addTask { [self] in
        try await server.waitUntilListening(timeout: 60)
        guard let real = await server.listeningAddress else { return }
        let known = Access(ListenAddress(real, like: address), token: token)
        let isFirst = access.withLock { access in
          defer { access = known }
          return access == nil
        }
        if isFirst { onListening(known) }
        // Nothing but the server's end ends the group.
        while true { try await Task.sleep(for: .seconds(3600)) }
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func answer(_ request: HTTPRequest) async -> HTTPResponse {
    guard let access = access.withLock({ $0 }) else { return HTTPResponse(statusCode: .serviceUnavailable) }
    let isHead = request.method == .HEAD
    guard request.method == .GET || isHead else {
      var response = page(
        .methodNotAllowed,
        LivePage(.notFound, title: "Only reading", lead: "This dashboard takes no orders: GET and HEAD."))
      response.headers[HTTPHeader("Allow")] = "GET, HEAD"
      response.headers[.connection] = "close"
      return response
    }
    let response = await answer(request, access)
    return isHead ? await headOnly(response) : response
  }

  private func headOnly(_ response: HTTPResponse) async -> HTTPResponse {
    var head = HTTPResponse(statusCode: response.statusCode, headers: response.headers)
    if response.headers[.contentType] != Self.eventType, let body = try? await response.bodyData {
      head.headers[.contentLength] = "\(body.count)"
    }
    return head
  }

  private func answer(_ request: HTTPRequest, _ access: Access) async -> HTTPResponse {
    let path = request.target.path()
    let host = request.headers[.host]
    switch access.verdict(host: host, cookies: request.headers[.cookie], given: request.query["token"]) {
    case .granted: break
    case .signedIn(let cookie):
      var response = redirect(to: Place(Self.address(of: request))?.path ?? "/")
      response.headers[.setCookie] = cookie
      return response
    case .refused(.foreignHost): return page(.misdirectedRequest, .foreignHost(host, access.address))
    // The style says nothing about anything.
    case .refused where path == LivePage.style: break
    case .refused(.noToken), .refused(.wrongToken): return page(.unauthorized, .noToken)
    }
    switch path {
    case LivePage.style: return file(DashboardAssets.style, "text/css; charset=utf-8")
    case LivePage.script: return file(DashboardAssets.script, "text/javascript; charset=utf-8")
    case "/favicon.ico": return HTTPResponse(statusCode: .noContent, headers: Self.safety)
    case "/find": return find(request.query["point"] ?? "")
    case "/events": return await events(request)
    default:
      let address = Self.address(of: request)
      let began = ContinuousClock.now
      let found = await site.page(at: address)
      var response = page(found.status, found, path: address)
      response.headers[HTTPHeader("Server-Timing")] = "page;dur=\(Self.milliseconds(since: began))"
      return response
    }
  }

  /// The path with its query, percent-encoded.
  private static func address(of request: HTTPRequest) -> String {
    let (path, query) = (request.target.path(), request.target.query())
    return query.isEmpty ? path : "\(path)?\(query)"
  }

  /// With two digits behind the point.
  static func milliseconds(since instant: ContinuousClock.Instant) -> String {
    Wording.fixed((ContinuousClock.now - instant) / .milliseconds(1), digits: 2)
  }

  private func find(_ text: String) -> HTTPResponse {
    let wanted = text.trimmingCharacters(in: .whitespaces).lowercased()
    guard case .point(let prefix)? = Place("/point/\(Address.encoded(wanted))") else {
      return page(
        .notFound, .notFound("\"\(text.prefix(80))\" is no beginning of a point's id: those are hexadecimal digits"))
    }
    return redirect(to: Address.point(prefix))
  }

  private func events(_ request: HTTPRequest) async -> HTTPResponse {
    let path = request.query["page"] ?? ""
    switch await site.page(at: path).kind {
    case .live, .unavailable: break
    // Says to a browser that it need not ask again.
    case .settled, .notFound: return HTTPResponse(statusCode: .noContent, headers: Self.safety)
    }
    guard let slot = slots.take() else {
      return page(
        .serviceUnavailable,
        LivePage(
          .notFound, title: "Too many pages", lead: "\(Self.mostStreams) pages are followed already; close some."))
    }
    let seen = request.headers[HTTPHeader("Last-Event-ID")] ?? request.query["seen"]
    var headers = Self.safety
    headers[.contentType] = Self.eventType
    headers[.cacheControl] = "no-store"
    return HTTPResponse(
      statusCode: .ok, headers: headers,
      body: HTTPBodySequence(from: EventStream(site: site, path: path, seen: seen, slot: slot)))
  }

  private static let eventType = "text/event-stream"

  /// Nothing is fetched from elsewhere, nothing written into a page runs, no other site frames it or learns its address.
  private static let safety: HTTPHeaders = {
    var headers = HTTPHeaders()
    headers[HTTPHeader("Content-Security-Policy")] =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
      + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    headers[HTTPHeader("X-Content-Type-Options")] = "nosniff"
    headers[HTTPHeader("X-Frame-Options")] = "DENY"
    headers[HTTPHeader("Referrer-Policy")] = "no-referrer"
    headers[HTTPHeader("Cross-Origin-Resource-Policy")] = "same-origin"
    headers[HTTPHeader("Cross-Origin-Opener-Policy")] = "same-origin"
    return headers
  }()

  private func page(_ status: HTTPStatusCode, _ page: LivePage, path: String = "/") -> HTTPResponse {
    var headers = Self.safety
    headers[.contentType] = "text/html; charset=utf-8"
    headers[.cacheControl] = "no-store"
    let body = Data(page.html(path: path).utf8)
    return HTTPResponse(
      statusCode: status, headers: headers, body: HTTPBodySequence(data: body, suggestedBufferSize: 1 << 16))
  }

  private func file(_ text: String, _ type: String) -> HTTPResponse {
    var headers = Self.safety
    headers[.contentType] = type
    headers[.cacheControl] = "private, max-age=300"
    return HTTPResponse(
      statusCode: .ok, headers: headers, body: HTTPBodySequence(data: Data(text.utf8), suggestedBufferSize: 1 << 16))
  }

  private func redirect(to path: String) -> HTTPResponse {
    var headers = Self.safety
    headers[.location] = path
    headers[.cacheControl] = "no-store"
    return HTTPResponse(statusCode: .seeOther, headers: headers)
  }
}

extension LivePage {
  fileprivate var status: HTTPStatusCode {
    switch kind {
    case .live, .settled: .ok
    case .notFound: .notFound
    case .unavailable: .serviceUnavailable
    }
  }

  fileprivate static func foreignHost(_ host: String?, _ address: ListenAddress) -> LivePage {
    LivePage(
      .notFound, title: "Not by this name",
      lead:
        "This dashboard answers to 127.0.0.1, localhost and [::1] only, and was asked as \"\(host?.prefix(80) ?? "")\". "
        + "From another machine, reach it through ssh: ssh -L \(address.port):\(address) HOST")
  }

  fileprivate static let noToken = LivePage(
    .notFound, title: "A token is needed",
    lead: "Open the address that groksweep printed when it started this dashboard: it ends in ?token= and 64 digits.")
}

extension ListenAddress {
  /// - Parameter address: the one that was asked for.
  fileprivate init(_ real: FlyingSocks.Socket.Address, like address: ListenAddress) {
    switch real {
    case .ip4(_, let port), .ip6(_, let port): self.init(host: address.host, port: port, family: address.family)
    case .unix: self = address
    }
  }
}

extension DashboardError {
  fileprivate init(_ error: any Error, _ address: ListenAddress) {
    guard case .failed(_, let code, let message)? = error as? SocketError else {
      self.init(description: "\(address): the dashboard cannot listen there: \(error.localizedDescription)")
      return
    }
    let why =
      switch code {
      case EADDRINUSE: "another program listens there already; name another port, or 0 for a free one"
      case EACCES: "ports below 1024 are the administrator's; name a higher one, as in \(ListenAddress.usual)"
      case EADDRNOTAVAIL: "this machine has no such address; name one of its own, as in \(ListenAddress.usual)"
      default: message
      }
    self.init(description: "\(address): the dashboard cannot listen there: \(why)")
  }
}
