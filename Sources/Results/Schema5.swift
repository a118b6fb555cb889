// Schema 5: the final weights of runs, with their results.
//
// Apart from `run`, so that nothing that reads runs passes by their bytes. Unlike all other measures they may be removed: no
// number was drawn from them that is not stored, and the run can be trained again.
//
// Released: never edited.

extension Schema {
  static let tables5 = """
    CREATE TABLE run_weights (
      point INTEGER PRIMARY KEY REFERENCES run,
      -- A whole file.
      safetensors BLOB NOT NULL CHECK (length(safetensors) > 0)
    ) STRICT;

    -- Final models, of runs that have one: as safetensors, the names and shapes those of TransformerLens.
    CREATE VIEW final_weights AS
    SELECT point.id AS point, run.epochs, length(run_weights.safetensors) AS byte_count, run_weights.safetensors
    FROM run_weights
    JOIN point ON point.number = run_weights.point
    JOIN run ON run.point = run_weights.point;

    """
}
