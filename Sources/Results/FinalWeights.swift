// The final models of runs, as files: written with their results, read by pictures and by people.

import Foundation
import GRDB
import Grokking
import Sweeps

extension Store {
  /// The final model of `point` as a safetensors file (`ModelFile`); nil for a run that was stored without.
  package func finalWeights(of point: PointID) throws -> [UInt8]? {
    try read { database in
      let find = try database.cachedStatement(
        sql: """
          SELECT safetensors FROM run_weights JOIN point ON point.number = run_weights.point WHERE point.id = ?
          """)
      return try Row.fetchOne(find, arguments: [point.hex])?.withUnsafeData(atIndex: 0) { $0.map { [UInt8]($0) } }
    }
  }

  /// Nothing is written for a result without. Those that are there already, which may be damaged, are replaced.
  func insertWeights(of result: RunResult, _ point: Int64, in database: Database) throws {
    guard let weights = result.finalWeights, !weights.isEmpty else { return }
    try database.cachedStatement(
      sql: """
        INSERT INTO run_weights (point, safetensors) VALUES (?, ?)
        ON CONFLICT (point) DO UPDATE SET safetensors = excluded.safetensors
        WHERE safetensors IS NOT excluded.safetensors
        """
    ).execute(arguments: [point, Data(weights)])
  }
}
