// What people decide about a sweep while it runs.

import GRDB
import Sweeps

extension Store {
  /// Throws `StoreError.Kind.unknown` for a sweep that is not here, as does `setPriority`.
  package func setState(_ state: SweepState, ofSweep name: String) throws {
    try write { database in
      try database.execute(
        sql: "UPDATE sweep SET state = ? WHERE number = ?",
        arguments: [state.rawValue, try number(ofSweep: name, in: database)])
    }
  }

  /// Points of a sweep with a greater priority are handed out before those of others.
  package func setPriority(_ priority: Int, ofSweep name: String) throws {
    try write { database in
      try database.execute(
        sql: "UPDATE sweep SET priority = ? WHERE number = ?",
        arguments: [priority, try number(ofSweep: name, in: database)])
    }
  }
}
