// The one connection of a worker, or of an operator's command: its socket, and what its handshakes come to. A socket that
// libzmq has given up is replaced, so that whoever is to be waited for is found again whatever listened there meanwhile. A
// name is looked up as IPv4, and as IPv6 where only that answers.

import Sweeps
import ZeroMQ

package final class Link {
  /// Replaced by `next`; of a new one nothing is known to the coordinator.
  package private(set) var socket: Socket
  private var monitor: Monitor
  private var watch: LinkWatch
  private let endpoint: String
  private let join: JoinFile?
  /// nil for what is no TCP address.
  private let prober: ReachProber?
  private var isIPv6 = false

  /// Connects in the background.
  ///
  /// - Parameter waker: of the thread that calls `next`; woken when there is something to be said of why nobody is reached.
  /// - Throws: `EndpointRefused` for an address that may not be used like this, `ZeroMQError`.
  package init(to endpoint: String, join: JoinFile?, isInsecure: Bool, waker: Waker? = nil) throws {
    self.endpoint = try Self.check(endpoint, join: join, isInsecure: isInsecure)
    self.join = join
    watch = LinkWatch(endpoint: endpoint, keyName: join?.name)
    prober = TCPPlace(self.endpoint).map { ReachProber($0, waker: waker) }
    (socket, monitor) = try Self.open(self.endpoint, join)
  }

  package static func check(_ endpoint: String, join: JoinFile?, isInsecure: Bool) throws(EndpointRefused) -> String {
    try EndpointPolicy.check(endpoint, .connecting, join != nil ? .keys : isInsecure ? .insecure : .nothing)
  }

  private static func open(_ endpoint: String, _ join: JoinFile?, isIPv6: Bool = false) throws(ZeroMQError) -> (
    Socket, Monitor
  ) {
    let context = try Context()
    let socket = try Socket(
      context, .dealer, keys: join?.client,
      options: SocketOptions(maximumMessageSize: Int64(WireCodec.maximumFrameBytes), isIPv6: isIPv6))
    let monitor = try Monitor(socket, in: context)
    try socket.connect(endpoint)
    return (socket, monitor)
  }

  /// Whether both sides know each other.
  package var isEstablished: Bool { monitor.isEstablished }

  /// For `Poller.wait`.
  package var sockets: [Socket] { [socket, monitor.socket] }

  /// What has become of the connection since the last call, if there is anything to say or to do about it.
  package func next() throws(ZeroMQError) -> LinkWatch.Verdict? {
    while let event = try monitor.next() {
      if let verdict = watch.handle(event) { return verdict }
    }
    if monitor.isAbandoned { (socket, monitor) = try Self.open(endpoint, join, isIPv6: isIPv6) }
    return try unreached()
  }

  private func unreached() throws(ZeroMQError) -> LinkWatch.Verdict? {
    guard let prober else { return watch.wantsGreeting ? watch.handle(greeting: nil) : nil }
    let reach: Reach
    let wantsGreeting = watch.wantsGreeting || monitor.isHandshakeSlow
    switch prober.look(for: wantsGreeting ? .greeting : monitor.isTaken ? nil : .reach) {
    case .greeting(let greeting)?: return watch.handle(greeting: greeting)
    case .reach(let found)?: reach = found
    case nil: return nil
    }
    if case .reached(let answersIPv6) = reach, answersIPv6 != isIPv6, TCPPlace(endpoint)?.isName == true {
      isIPv6 = answersIPv6
      (socket, monitor) = try Self.open(endpoint, join, isIPv6: isIPv6)
    }
    return watch.handle(reach: reach)
  }

  /// Returns when the connection stands, when there is something to say about it, when somebody wants this process to end,
  /// or when `seconds` are over.
  package func waitUntilEstablished(
    _ interrupt: Interrupt, seconds: Double
  ) throws(ZeroMQError) -> LinkWatch.Verdict? {
    let deadline = MonotonicInstant.now.advanced(bySeconds: seconds)
    while MonotonicInstant.now < deadline, interrupt.signal == nil {
      while let event = try monitor.next() {
        if let verdict = watch.handle(event) { return verdict }
        if event == .established { return nil }
      }
      if let verdict = try unreached() { return verdict }
      try Poller.wait([monitor.socket], waker: interrupt.waker, timeout: deadline.fromNow)
    }
    return nil
  }
}
