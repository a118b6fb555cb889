// swift-tools-version: 6.1
import PackageDescription

// Tests look at what the optimized modules computed; compiled without optimization themselves, they take half the time. Those
// that compute the same in float64 (KernelsTests, GrokkingTests) are optimized.
let asWritten: [SwiftSetting] = [.unsafeFlags(["-Onone"])]

// The stack of docs/explanation/architecture.md: a target imports what stands to its left, never to its right.
let package = Package(
  name: "groksweep",
  products: [.executable(name: "groksweep", targets: ["groksweep"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swhitty/FlyingFox", exact: "0.27.1"),
  ],
  targets: [
    .target(name: "CKernels", linkerSettings: [.linkedLibrary("m")]),
    .target(name: "Kernels", dependencies: ["CKernels"]),
    .target(
      name: "Grokking", dependencies: ["Kernels", .product(name: "Crypto", package: "swift-crypto")]),
    .target(
      name: "Sweeps",
      dependencies: [
        "Grokking", "Kernels", .product(name: "Yams", package: "Yams"),
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    .target(name: "Simulation", dependencies: ["Sweeps", "Grokking"]),
    .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
    .target(name: "ZeroMQ", dependencies: ["CZeroMQ"]),
    .target(
      name: "Results", dependencies: ["Sweeps", "Grokking", .product(name: "GRDB", package: "GRDB.swift")]),
    .target(
      name: "Cluster",
      dependencies: [
        "Results", "Sweeps", "Grokking", "Kernels", "ZeroMQ", .product(name: "Logging", package: "swift-log"),
      ]),
    // What puts workers on machines: ssh, Slurm.
    .target(
      name: "Launchers", dependencies: ["Cluster", "Results", "Sweeps", .product(name: "Yams", package: "Yams")]),
    .target(name: "Figures"),
    .target(
      name: "Reports", dependencies: ["Figures", "Results", "Sweeps", "Grokking"],
      // The sweep files are links to those in configs/.
      resources: [
        "published.json", "reproduce-paper.yaml", "reproduce-train-fraction.yaml", "reproduce-weight-decay.yaml",
        "reproduce-modulus-53.yaml", "reproduce-modulus-109.yaml", "reproduce-modulus-401.yaml",
      ].map { .embedInCode("Reproduction/\($0)") }),
    .target(
      name: "Dashboard",
      dependencies: [
        "Figures", "Reports", "Results", "Sweeps", "Grokking",
        .product(name: "FlyingFox", package: "FlyingFox"), .product(name: "FlyingSocks", package: "FlyingFox"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .executableTarget(
      name: "groksweep",
      dependencies: [
        "Cluster", "Dashboard", "Figures", "Launchers", "Reports", "Results", "Simulation", "Sweeps", "Grokking",
        "Kernels", "ZeroMQ",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "FlyingFox", package: "FlyingFox"),
        .product(name: "FlyingSocks", package: "FlyingFox"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .testTarget(name: "KernelsTests", dependencies: ["Kernels"]),
    .testTarget(
      name: "GrokkingTests", dependencies: ["Grokking", "Kernels"], resources: [.copy("Fixtures")]),
    .testTarget(
      name: "SweepsTests", dependencies: ["Simulation", "Sweeps", "Grokking"], swiftSettings: asWritten),
    .testTarget(
      name: "SimulationTests", dependencies: ["Simulation", "Sweeps", "Grokking"], swiftSettings: asWritten),
    .testTarget(name: "ZeroMQTests", dependencies: ["ZeroMQ"], swiftSettings: asWritten),
    .testTarget(
      name: "ResultsTests",
      dependencies: ["Results", "Sweeps", "Grokking", .product(name: "GRDB", package: "GRDB.swift")],
      resources: [.copy("Fixtures")], swiftSettings: asWritten),
    .testTarget(
      name: "ClusterTests",
      dependencies: [
        "Cluster", "Results", "Sweeps", "Grokking", "Kernels", "ZeroMQ",
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: asWritten),
    .testTarget(name: "FiguresTests", dependencies: ["Figures"], swiftSettings: asWritten),
    .testTarget(
      name: "DashboardTests",
      dependencies: [
        "Dashboard", "Results", "Sweeps", "Grokking", .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: asWritten),
    .testTarget(
      name: "LaunchersTests", dependencies: ["Launchers", "Cluster", "Results", "Sweeps"], swiftSettings: asWritten),
    .testTarget(
      name: "ReportsTests", dependencies: ["Figures", "Reports", "Results", "Sweeps", "Grokking", "Kernels"],
      swiftSettings: asWritten),
    // What both kinds of tests that start the real binary share.
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: asWritten),
    .testTarget(
      name: "CommandTests", dependencies: ["TestSupport", "Results", "Grokking", "Sweeps", "ZeroMQ"],
      swiftSettings: asWritten),
    .testTarget(name: "FaultTests", dependencies: ["TestSupport"], swiftSettings: asWritten),
  ],
  swiftLanguageModes: [.v6]
)
