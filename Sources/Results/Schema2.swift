// Schema 2: room for every measure of the paper. What runs of schema 1 never measured stays NULL, and has no rows.
//
// Everything hangs on `run`, and what was measured at an evaluation on `evaluation` as well. Released: never edited.

extension Schema {
  /// A text that is a JSON array, or NULL, of which some versions of SQLite say that it is no valid JSON.
  private static func array(_ column: String) -> String {
    "CHECK (\(column) IS NULL OR (json_valid(\(column)) AND json_type(\(column)) = 'array'))"
  }

  /// As `array`, of finite numbers and nothing else: some versions of SQLite read NaN as JSON.
  private static func numbers(_ column: String) -> String {
    "\(array(column)) CHECK (\(column) NOT GLOB '*[^][0-9e+.,-]*')"
  }

  private static func addColumns(_ columns: [(name: String, declaration: String)], to table: String) -> String {
    columns.map { "ALTER TABLE \(table) ADD COLUMN \($0.name) \($0.declaration);\n" }.joined()
  }

  private static func real(_ name: String) -> (name: String, declaration: String) {
    (name, "REAL CHECK (\(name) \(finite))")
  }

  private static let addedColumns2 =
    addColumns(
      [
        "logit_fve", "cosine_loss_test", "sum_squared_w_e", "sum_squared_w_pos", "sum_squared_w_q", "sum_squared_w_k",
        "sum_squared_w_v", "sum_squared_w_o", "sum_squared_w_in", "sum_squared_b_in", "sum_squared_w_out",
        "sum_squared_b_out", "sum_squared_w_u",
      ].map(real), to: "evaluation")
    + addColumns(
      [real("cosine_coefficient"), ("neurons", "INTEGER CHECK (neurons >= 0)"), real("fve_u"), real("fve_v")],
      to: "key_frequency")

  static let tables2 =
    addedColumns2 + """
      CREATE TABLE crossing (
        point INTEGER NOT NULL REFERENCES run,
        measure TEXT NOT NULL CHECK (measure IN ('train_accuracy', 'test_accuracy', 'test_loss')),
        threshold REAL NOT NULL CHECK (threshold > 0 AND threshold \(finite)),
        first_epoch INTEGER CHECK (first_epoch >= 0),
        sustained_epoch INTEGER,
        PRIMARY KEY (point, measure, threshold),
        CHECK (sustained_epoch IS NULL OR (first_epoch IS NOT NULL AND sustained_epoch >= first_epoch))
      ) STRICT, WITHOUT ROWID;

      -- Only phases that happened; `end_epoch` is NULL when the run ended within one.
      CREATE TABLE phase (
        point INTEGER NOT NULL REFERENCES run,
        phase TEXT NOT NULL CHECK (phase IN ('memorization', 'circuit_formation', 'cleanup')),
        start_epoch INTEGER NOT NULL CHECK (start_epoch >= 0),
        end_epoch INTEGER CHECK (end_epoch >= start_epoch),
        PRIMARY KEY (point, phase)
      ) STRICT, WITHOUT ROWID;

      -- Norms of frequencies 1…K in shortest decimals of float32; NULL for those that float32 cannot hold. With a rowid, because rows of a kilobyte would move
      -- to overflow pages in a table without one: 0.6 MB a run become 1.9 (docs/decisions/0014-spectra.md).
      CREATE TABLE spectrum (
        point INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        norms_w_e TEXT \(numbers("norms_w_e")),
        norms_w_l TEXT \(numbers("norms_w_l")),
        PRIMARY KEY (point, epoch),
        FOREIGN KEY (point, epoch) REFERENCES evaluation (point, epoch),
        CHECK (coalesce(norms_w_e, norms_w_l) IS NOT NULL),
        CHECK (json_array_length(norms_w_e) = json_array_length(norms_w_l))
      ) STRICT;

      -- A key frequency of the final model at one evaluation.
      CREATE TABLE frequency_evaluation (
        point INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        frequency INTEGER NOT NULL,
        excluded_loss REAL NOT NULL CHECK (excluded_loss \(finite)),
        cosine_coefficient REAL NOT NULL CHECK (cosine_coefficient \(finite)),
        PRIMARY KEY (point, epoch, frequency),
        FOREIGN KEY (point, epoch) REFERENCES evaluation (point, epoch),
        FOREIGN KEY (point, frequency) REFERENCES key_frequency (point, frequency)
      ) STRICT, WITHOUT ROWID;

      -- What is measured of a final model as a whole. Diverged runs have none.
      CREATE TABLE final_measure (
        point INTEGER PRIMARY KEY REFERENCES run,
        norms_w_e TEXT \(numbers("norms_w_e")),
        norms_w_l TEXT \(numbers("norms_w_l")),
        key_frequencies_w_e TEXT \(numbers("key_frequencies_w_e")),
        key_frequencies_neurons TEXT \(numbers("key_frequencies_neurons")),
        neurons_over_85 INTEGER CHECK (neurons_over_85 >= 0),
        rank_residual REAL CHECK (rank_residual \(finite))
      ) STRICT;

      CREATE TABLE neuron (
        point INTEGER NOT NULL REFERENCES run,
        neuron INTEGER NOT NULL CHECK (neuron >= 0),
        frequency INTEGER NOT NULL CHECK (frequency > 0),
        fve REAL NOT NULL CHECK (fve >= 0 AND fve \(finite)),
        PRIMARY KEY (point, neuron)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE head (
        point INTEGER NOT NULL REFERENCES run,
        head INTEGER NOT NULL CHECK (head >= 0),
        attention_to_a REAL NOT NULL CHECK (attention_to_a \(finite)),
        attention_to_b REAL NOT NULL CHECK (attention_to_b \(finite)),
        attention_to_equals REAL NOT NULL CHECK (attention_to_equals \(finite)),
        frequency INTEGER NOT NULL CHECK (frequency > 0),
        fve REAL NOT NULL CHECK (fve >= 0 AND fve \(finite)),
        PRIMARY KEY (point, head)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE ablation (
        point INTEGER NOT NULL REFERENCES run,
        position INTEGER NOT NULL CHECK (position >= 0),
        name TEXT NOT NULL CHECK (name IN ('original', 'neuron_polynomials', 'neuron_waves', 'logit_blocks',
          'without_frequency', 'only_key_frequencies', 'key_directions', 'key_directions_complement', 'no_skip')),
        frequency INTEGER CHECK (frequency > 0),
        loss REAL NOT NULL CHECK (loss \(finite)),
        PRIMARY KEY (point, position),
        CHECK ((name = 'without_frequency') = (frequency IS NOT NULL))
      ) STRICT, WITHOUT ROWID;
      CREATE UNIQUE INDEX ablation_by_name ON ablation (point, name, coalesce(frequency, 0));

      """
}
