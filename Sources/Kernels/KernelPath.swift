// Which instruction set the kernels use. The bits of every result are the same on each of them.

import CKernels

/// An instruction set that the kernels were compiled for, in order of preference.
package enum KernelPath: String, Codable, CaseIterable, Hashable, Sendable {
  /// AVX-512 F, BW, VL and DQ.
  case avx512
  /// AVX2 with FMA.
  case avx2
  /// 64-bit ARM.
  case neon

  private var number: Int32 {
    switch self {
    case .avx512: Int32(CK_AVX512)
    case .avx2: Int32(CK_AVX2)
    case .neon: Int32(CK_NEON)
    }
  }

  /// The compiled functions; nil where this machine or this build lacks the instruction set.
  var table: UnsafePointer<ck_kernels>? { ck_kernels_of(number) }

  /// Whether this machine can run it.
  package var isAvailable: Bool { table != nil }

  /// What this machine can run, best first.
  package static var available: [KernelPath] { allCases.filter(\.isAvailable) }

  /// The best path of this machine, or the named one.
  ///
  /// - Throws: `KernelPathError` when the name is unknown, this machine lacks it, or no path runs here.
  package static func choose(named name: String? = nil) throws(KernelPathError) -> KernelPath {
    let here = available
    guard let best = here.first else {
      throw KernelPathError(
        "this processor has neither AVX2 with FMA nor 64-bit ARM vectors; groksweep needs fused multiply-add to give the same bits on every machine"
      )
    }
    guard let name else { return best }
    let names = here.map(\.rawValue).joined(separator: ", ")
    guard let path = KernelPath(rawValue: name) else {
      throw KernelPathError("there are no kernels named \"\(name)\"; this machine can run \(names)")
    }
    guard path.isAvailable else {
      throw KernelPathError("this machine cannot run the \(name) kernels; it can run \(names)")
    }
    return path
  }
}

/// Why no kernels could be chosen, as a sentence.
package struct KernelPathError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}
