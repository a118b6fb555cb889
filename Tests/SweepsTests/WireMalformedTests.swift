// One sentence for every way in which frames can be wrong.

import Foundation
import Grokking
import Sweeps
import Testing

@Suite struct WireMalformedTests {
  private typealias Samples = MachineSamples

  private func complaint(_ json: String, _ second: [UInt8]? = nil) -> String {
    do throws(WireError) {
      _ = try WireCodec.decodeWorkerMessage([Array(json.utf8)] + (second.map { [$0] } ?? []))
      return "no complaint"
    } catch { return error.description }
  }

  private func coordinatorComplaint(_ json: String) -> String {
    do throws(WireError) {
      _ = try WireCodec.decodeCoordinatorMessage([Array(json.utf8)])
      return "no complaint"
    } catch { return error.description }
  }

  @Test func `what is no message is called so`() {
    #expect(complaint("") == "the first frame of a message is no JSON object")
    #expect(complaint("GET / HTTP/1.1") == "the first frame of a message is no JSON object")
    #expect(complaint("{}") == #""groksweep" is missing from a message"#)
    #expect(complaint(#"{"groksweep":6}"#) == #""type" is missing from a message"#)
    #expect(complaint(#"{"groksweep":6,"type":"grant"}"#) == #""grant" is no message of a worker"#)
    #expect(coordinatorComplaint(#"{"groksweep":6,"type":"ready"}"#) == #""ready" is no message of a coordinator"#)
    #expect(
      complaint(#"{"groksweep":1,"type":"ready"}"#)
        == "this message speaks groksweep protocol 1, but protocol 6 is spoken here; use the same build of groksweep on both sides"
    )
    #expect(throws: WireError.malformed("a message without frames")) { try WireCodec.decodeWorkerMessage([]) }
  }

  @Test func `frames that are too many or too large are not read`() {
    let ready = Array(#"{"groksweep":6,"type":"ready"}"#.utf8)
    #expect(throws: WireError.tooLarge("a message of 4 frames; at most 3 are allowed")) {
      try WireCodec.decodeWorkerMessage([ready, ready, ready, ready])
    }
    let large = [UInt8](repeating: 32, count: WireCodec.maximumJSONBytes + 1)
    #expect(throws: WireError.tooLarge("a first frame of 262145 bytes; at most 262144 are allowed")) {
      try WireCodec.decodeWorkerMessage([large])
    }
    #expect(throws: WireError.malformed("a \"ready\" message with a second frame")) {
      try WireCodec.decodeWorkerMessage([ready, []])
    }
    let chunk = Array(#"{"groksweep":6,"type":"chunk"}"#.utf8)
    #expect(throws: WireError.malformed("a \"chunk\" message with a third frame")) {
      try WireCodec.decodeWorkerMessage([chunk, [], []])
    }
    let tooMuch = [UInt8](repeating: 0, count: WireCodec.maximumFrameBytes + 1)
    for place in 1...2 {
      var frames = [chunk, [], []]
      frames[place] = tooMuch
      #expect(throws: WireError.tooLarge("a frame of 67108865 bytes; at most 67108864 are allowed")) {
        try WireCodec.decodeWorkerMessage(frames)
      }
    }
    #expect(throws: WireError.malformed("a \"wait\" message with a second frame")) {
      try WireCodec.decodeCoordinatorMessage([Array(#"{"groksweep":6,"type":"wait"}"#.utf8), []])
    }
  }

  @Test func `missing, mistyped and impossible fields are named`() {
    let point = Samples.id(1).hex
    #expect(
      complaint(#"{"groksweep":6,"type":"handed_back","lease":1,"point":"\#(point)"}"#)
        == #""epoch" is missing from a message"#)
    #expect(
      complaint(#"{"groksweep":6,"type":"handed_back","lease":"x","point":"\#(point)","epoch":1}"#)
        == #""lease" of a message is no Int64"#)
    #expect(
      complaint(#"{"groksweep":6,"type":"handed_back","lease":1,"point":"\#(point)","epoch":-1}"#)
        == #""epoch" of a message is -1; it must lie between 0 and 100000000"#)
    #expect(
      complaint(#"{"groksweep":6,"type":"handed_back","lease":1,"point":"XYZ","epoch":1}"#)
        == #""point" of a message is wrong: a point's id is 64 hexadecimal digits"#)
    #expect(
      complaint(#"{"groksweep":6,"type":"failed","lease":1,"point":"\#(point)","class":"bored","reason":""}"#)
        .hasPrefix(#""class" of a message is wrong: "#))
    #expect(
      complaint(#"{"groksweep":6,"type":"failed","lease":1,"point":"\#(point)","class":"lost","reason":"\u001b[2J"}"#)
        == #""reason" of a message is longer than 4096 bytes or has control characters in it"#)
    let progress = #"{"stage":"training","epoch":1,"epochs":2,"work":1,"total_work":2}"#
    #expect(
      complaint(#"{"groksweep":6,"type":"progress","lease":1,"progress":\#(progress),"epochs_per_second":-1}"#)
        == #""epochs_per_second" of a message is -1.0; it must lie between 0.0 and 1000000000000.0"#)
    #expect(
      complaint(#"{"groksweep":6,"type":"progress","lease":1,"progress":\#(progress),"epochs_per_second":1e999}"#)
        != "no complaint")
    #expect(
      complaint(#"{"groksweep":6,"type":"hello","semantics_version":1,"worker":{"boot":"abc"}}"#)
        == #""boot" of a hello must be 32 hexadecimal digits"#)
  }

  @Test func `an experiment that cannot be trained is not accepted`() throws {
    var experiment = Samples.experiment(1)
    experiment.model.heads = 3
    let frames = try WireCodec.encode(.grant(lease: LeaseID(1), point: Samples.id(1), experiment))
    #expect(throws: WireError.self) { try WireCodec.decodeCoordinatorMessage(frames) }
    #expect(
      coordinatorComplaint(String(decoding: frames[0], as: UTF8.self)).hasPrefix(
        "a granted experiment that cannot be trained: model.heads: heads 3 does not divide d_model 8"))
  }

  @Test func `a curve whose bytes do not fit its counts is refused before it is read`() throws {
    let frames = try WireCodec.encode(
      .finished(lease: LeaseID(1), point: Samples.id(1), Samples.result(1), seconds: 1))
    let json = String(decoding: frames[0], as: UTF8.self)
    let curve = frames[1]
    func changed(_ place: Int, _ byte: UInt8) -> [UInt8] {
      var copy = curve
      copy[place] = byte
      return copy
    }
    #expect(complaint(json) == "a \"finished\" message without its second frame")
    #expect(complaint(json, []) == "the second frame of a result is no curve")
    #expect(complaint(json, changed(0, 0)) == "the second frame of a result is no curve")
    #expect(complaint(json, changed(4, 1)) == "a curve of version 1; only 2 is known")
    #expect(complaint(json, changed(29, 3)) == "a curve with an unknown kind of column")
    #expect(
      complaint(json, Array(curve.dropLast()))
        == "a curve of 11 evaluations and 1 digests takes \(curve.count) bytes, not \(curve.count - 1)")
    #expect(complaint(json, changed(11, 0xFF)).contains("evaluations and 1 digests takes"))
    // The first epoch is at byte 49; the first train loss behind eleven epochs.
    #expect(complaint(json, changed(56, 0x80)).contains("is out of order or beyond the run's 1000 epochs"))
    #expect(complaint(json, changed(65, 0)).contains("epoch 0 of a curve is out of order"))
    var infinite = curve
    infinite.replaceSubrange((49 + 88)..<(49 + 96), with: [0, 0, 0, 0, 0, 0, 0xF0, 0x7F])
    #expect(complaint(json, infinite) == "a curve has a number that is not finite")
  }

  @Test func `an outcome with the wrong epochs is refused`() throws {
    let frames = try WireCodec.encode(
      .finished(lease: LeaseID(1), point: Samples.id(1), Samples.result(1), seconds: 1))
    let json = String(decoding: frames[0], as: UTF8.self)
      .replacingOccurrences(of: #""name":"grokked""#, with: #""name":"memorized""#)
    #expect(
      complaint(json, frames[1])
        == #"the outcome "memorized" of a result is unknown or has the wrong epochs with it"#)
  }
}
