// Sweeps on several machines, started by the tools that people start them with, for real: sshd on loopback, namespaces of
// the kernel, a cluster's batch system. Where this machine lacks one, its tests say so and pass.

import Testing

/// One after the other: each has a small cluster of its own, and there are two cores.
@Suite(.serialized) struct MachineTests {}
