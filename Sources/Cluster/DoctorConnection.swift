// The way to a coordinator, step by step, each standing on the one before: join file, address, name, port, what answers
// there, whether it lets this key in, what it speaks and computes.
//
// The coordinator's log may have a line about it (a connection that says nothing, a hello of a version that never was); its
// store and its workers notice nothing.

import Foundation
import Grokking
import Kernels
import Sweeps
import ZeroMQ

struct DoctorConnection {
  let connect: String?
  let join: String?
  let isInsecure: Bool
  let seconds: Double

  private static let coordinatorThere = "there is nobody to ask: see above"

  func examine(note: (DoctorCheck) -> Void) {
    func skip(_ subjects: [DoctorCheck.Subject]) {
      for subject in subjects { note(DoctorCheck(subject, .skipped(Self.coordinatorThere))) }
    }
    var joining: JoinFile?
    if let join {
      do {
        let file = try JoinFile(path: join)
        note(DoctorCheck(.joinFile, .ok("\(join): the key \"\(file.name)\", of \(file.role.title)")))
        joining = file
      } catch {
        let fix = error.message.contains("chmod") ? "see what it says" : "ask for it again (groksweep keys new NAME)"
        note(DoctorCheck(.joinFile, .problem("\(error)", fix: fix)))
        return skip([.address, .name, .port, .zeroMQ, .key, .versions])
      }
    }
    guard let endpoint = address(joining, note) else { return skip([.name, .port, .zeroMQ, .key, .versions]) }
    var isIPv6 = false
    if let place = TCPPlace(endpoint) {
      guard let addresses = lookUp(place, note) else { return skip([.port, .zeroMQ, .key, .versions]) }
      guard let connection = reach(place, addresses, note) else { return skip([.zeroMQ, .key, .versions]) }
      isIPv6 = connection.isIPv6
      guard greet(connection.descriptor, "\(place)", joining, note) else { return skip([.key, .versions]) }
    } else if let path = SocketPath(endpoint) {
      guard let descriptor = reach(path, note) else { return skip([.zeroMQ, .key, .versions]) }
      defer { close(descriptor) }
      guard greet(descriptor, "\(path)", joining, note) else { return skip([.key, .versions]) }
    }
    do {
      guard let socket = try handshake(endpoint, joining, isIPv6: isIPv6, note) else { return skip([.versions]) }
      note(DoctorCheck(.versions, try versions(socket, joining?.role)))
    } catch {
      note(DoctorCheck(.key, .problem("\(error)", fix: "see what it says")))
    }
  }

  private func address(_ joining: JoinFile?, _ note: (DoctorCheck) -> Void) -> String? {
    guard let given = connect ?? joining?.address else {
      note(
        DoctorCheck(
          .address,
          .problem("the join file names no address", fix: "say where the coordinator is: --connect tcp://HOST:PORT")))
      return nil
    }
    do {
      let endpoint = try EndpointPolicy.check(
        given, .connecting, joining != nil ? .keys : isInsecure ? .insecure : .nothing)
      note(DoctorCheck(.address, .ok(given + (connect == nil ? " (of the join file)" : ""))))
      return endpoint
    } catch {
      let fix = error.isMalformed ? "write tcp://HOST:PORT" : "give --join FILE, or --insecure"
      note(DoctorCheck(.address, .problem("\(error)", fix: fix)))
      return nil
    }
  }

  private func lookUp(_ place: TCPPlace, _ note: (DoctorCheck) -> Void) -> [TCPAddress]? {
    do {
      let addresses = try place.addresses()
      let list = addresses.map(\.description).joined(separator: ", ")
      note(DoctorCheck(.name, .ok(place.isName ? "\(place.host) is \(list)" : "\(place.host) is a number")))
      return addresses
    } catch {
      note(DoctorCheck(.name, .problem("\(place.host): \(error.reach.name)", fix: error.reach.advice)))
      return nil
    }
  }

  private func reach(
    _ place: TCPPlace, _ addresses: [TCPAddress], _ note: (DoctorCheck) -> Void
  ) -> TCPConnection? {
    do {
      let connection = try TCPConnection.open(addresses, seconds: seconds)
      note(DoctorCheck(.port, .ok("\(place) takes connections (IPv\(connection.isIPv6 ? 6 : 4))")))
      return connection
    } catch {
      note(
        DoctorCheck(
          .port, .problem("cannot reach \(place) (\(error.reach.name))", fix: error.reach.advice)))
      return nil
    }
  }

  private func reach(_ path: SocketPath, _ note: (DoctorCheck) -> Void) -> Int32? {
    do {
      let descriptor = try path.connect()
      note(DoctorCheck(.port, .ok("\(path) takes connections")))
      return descriptor
    } catch {
      note(DoctorCheck(.port, .problem(error.says, fix: error.fix)))
      return nil
    }
  }

  /// Whether it is what this side wants to speak to.
  private func greet(
    _ descriptor: Int32, _ place: String, _ joining: JoinFile?, _ note: (DoctorCheck) -> Void
  ) -> Bool {
    let (with, without) = ("CURVE", "NULL")
    let wanted = joining == nil ? without : with
    let greeting = Greeting.exchange(on: descriptor, seconds: seconds)
    let outcome: DoctorCheck.Outcome =
      switch greeting {
      case .zeroMQ(wanted): .ok("speaks ZeroMQ \(joining == nil ? "without keys" : "with keys (CURVE)")")
      case .zeroMQ(without):
        .problem(
          "what listens at \(place) speaks ZeroMQ without keys, so it cannot be known to be the right coordinator",
          fix: "start the coordinator with --keys, or leave out --join and say --insecure")
      case .zeroMQ(with):
        .problem(
          "the coordinator at \(place) asks for a key",
          fix: "give --join FILE (made there with groksweep keys new NAME)")
      default:
        greeting.trouble(at: place).map { .problem($0.says, fix: $0.fix) } ?? .ok("speaks ZeroMQ")
      }
    note(DoctorCheck(.zeroMQ, outcome))
    if case .ok = outcome { return true }
    return false
  }

  /// A socket that is let in.
  private func handshake(
    _ endpoint: String, _ joining: JoinFile?, isIPv6: Bool, _ note: (DoctorCheck) -> Void
  ) throws -> Socket? {
    let context = try Context()
    let options = SocketOptions(maximumMessageSize: Int64(WireCodec.maximumFrameBytes), isIPv6: isIPv6)
    let socket = try Socket(context, .dealer, keys: joining?.client, options: options)
    let monitor = try Monitor(socket, in: context)
    try socket.connect(endpoint)
    let deadline = MonotonicInstant.now.advanced(bySeconds: 2 * seconds)
    let key = joining.map { "the key \"\($0.name)\"" } ?? "a connection without key"
    var trouble: (says: String, fix: String)?
    var failures = 0
    while trouble == nil {
      let left = deadline.seconds(since: .now)
      guard left > 0 else {
        trouble = (
          "no handshake within \(Int(2 * seconds)) s", "is the coordinator there, and not stopped or overloaded?"
        )
        break
      }
      while let event = try monitor.next() {
        switch event {
        case .established:
          note(DoctorCheck(.key, .ok("\(key) is let in")))
          return socket
        case .refused:
          trouble = (
            "\(key) is not let in: it is not known there, or was revoked",
            "ask for a new join file where the coordinator runs (groksweep keys new NAME)"
          )
        case .otherMechanism:
          trouble = ("\(endpoint) \(joining == nil ? "asks for a key" : "uses no keys")", "see --join")
        case .notOpened:
          failures += 1
          if failures >= LinkWatch.failureLimit {
            trouble = (
              "what listens there has another key than the join file says: it is another coordinator, or its keys were "
                + "made anew", "check the address, or ask for a new join file (groksweep keys new NAME)"
            )
          }
        case .hungUp, .putOff, .ended: break
        }
      }
      if trouble == nil { try Poller.wait([monitor.socket], timeout: .milliseconds(max(1, Int(1000 * left)))) }
    }
    note(DoctorCheck(.key, .problem(trouble!.says, fix: trouble!.fix)))
    return nil
  }

  /// Asked by a hello with engine semantics that never were, which is always refused; operators and readers ask how things
  /// are.
  private func versions(_ socket: Socket, _ role: Role?) throws -> DoctorCheck.Outcome {
    let asks = role == .operator || role == .reader
    let identity = WorkerIdentity(
      boot: WorkerIdentity.newBoot(), host: "\(WorkerIdentity.hostName) (groksweep doctor)", processID: getpid(),
      cpu: "",
      cores: 1, kernelPath: "", build: "doctor")
    let frames =
      asks
      ? try WireCodec.encode(OperatorRequest.status, number: 1)
      : try WireCodec.encode(WorkerMessage.hello(Hello(identity, semanticsVersion: 0)))
    let deadline = MonotonicInstant.now.advanced(bySeconds: 2 * seconds)
    var sendAgain = MonotonicInstant.now
    while true {
      let now = MonotonicInstant.now
      guard now < deadline else {
        return .problem(
          "whoever listens there does not answer",
          fix: "is it a coordinator of groksweep, and not stopped or overloaded?")
      }
      if now >= sendAgain { sendAgain = now.advanced(bySeconds: try socket.send(frames) == .queued ? 5 : 0.1) }
      while let received = try socket.receive() {
        if let (reply, _) = try? WireCodec.decodeReply(received.frames) {
          if let outcome = DoctorVersions.outcome(of: reply) { return outcome }
        }
        guard let message = try? WireCodec.decodeCoordinatorMessage(received.frames), !asks else { continue }
        if let outcome = DoctorVersions.outcome(of: message) { return outcome }
      }
      let wait = min(sendAgain, deadline).seconds(since: now)
      try Poller.wait([socket], timeout: .milliseconds(max(1, Int(1000 * wait))))
    }
  }
}
