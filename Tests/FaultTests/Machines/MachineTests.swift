// Real launchers on real machines, or as near to them as one machine gets: sshd, Slurm, network namespaces.

import Testing

/// One scene at a time: their daemons want ports and processors.
@Suite(.serialized) struct MachineTests {}
