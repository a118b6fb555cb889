// The tables, and the rules that SQLite itself keeps. A schema that was released is never edited: a later one migrates.
//
// Tables have singular names and are the project's own affair; the views of Views.swift have plural names and are for
// people. `number` is a row's own number; points are known to the world by `id`, the hash of their experiment.

import GRDB

enum Schema {
  /// Migrations in order. Each ends by writing its number into `user_version`, where older programs look for it.
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1", foreignKeyChecks: .immediate) { database in
      try database.execute(sql: tables1 + triggers1 + Views.schema1 + "PRAGMA user_version = 1;")
    }
    migrator.registerMigration("2", foreignKeyChecks: .immediate) { database in
      try database.execute(sql: tables2 + Views.schema2 + "PRAGMA user_version = 2;")
    }
    // Deferred, because a table that others refer to is built anew; all references are checked before the commit.
    migrator.registerMigration("3", foreignKeyChecks: .deferred) { database in
      try database.execute(sql: Views.removedInSchema3 + tables3 + Views.schema3 + "PRAGMA user_version = 3;")
    }
    // Nothing is built anew: a million points take no longer than few.
    migrator.registerMigration("4", foreignKeyChecks: .immediate, migrate: migrateTo4)
    migrator.registerMigration("5", foreignKeyChecks: .immediate) { database in
      try database.execute(sql: tables5 + "PRAGMA user_version = 5;")
    }
    return migrator
  }

  static let digestCheck = "CHECK (length(digest) = 64 AND digest NOT GLOB '*[^0-9a-f]*')"
  static let finite = "BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308"

  private static let tables1 = """
    CREATE TABLE sweep (
      number INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE CHECK (name <> ''),
      canonical TEXT NOT NULL,
      file_text TEXT NOT NULL,
      axes TEXT NOT NULL CHECK (json_valid(axes)),
      semantics_version INTEGER NOT NULL,
      created TEXT NOT NULL \(Timestamp.check("created")),
      -- Counted here, by the triggers below, so that the progress of a million points is read in no time.
      total INTEGER NOT NULL CHECK (total > 0),
      finished INTEGER NOT NULL DEFAULT 0 CHECK (finished >= 0),
      failed INTEGER NOT NULL DEFAULT 0 CHECK (failed >= 0),
      finished_seconds REAL NOT NULL DEFAULT 0,
      CHECK (finished + failed <= total)
    ) STRICT;

    -- The swept values of a sweep without its seeds, in the sweep's order.
    CREATE TABLE setting (
      sweep INTEGER NOT NULL REFERENCES sweep,
      position INTEGER NOT NULL CHECK (position >= 0),
      label TEXT NOT NULL,
      PRIMARY KEY (sweep, position)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE point (
      number INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE CHECK (length(id) = 64 AND id NOT GLOB '*[^0-9a-f]*'),
      state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'finished', 'failed')),
      failure TEXT CHECK ((state = 'failed') = (failure IS NOT NULL)),
      \(ExperimentColumns.declarationsOfSchema1)
    ) STRICT;
    CREATE INDEX point_by_state ON point (state);

    CREATE TABLE sweep_point (
      sweep INTEGER NOT NULL REFERENCES sweep,
      position INTEGER NOT NULL CHECK (position >= 0),
      point INTEGER NOT NULL REFERENCES point,
      setting INTEGER NOT NULL,
      PRIMARY KEY (sweep, position),
      FOREIGN KEY (sweep, setting) REFERENCES setting (sweep, position)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX sweep_point_by_point ON sweep_point (point, sweep);
    CREATE INDEX sweep_point_by_setting ON sweep_point (sweep, setting, point);

    CREATE TABLE worker (
      number INTEGER PRIMARY KEY CHECK (number > 0),
      boot TEXT NOT NULL UNIQUE CHECK (boot <> ''),
      host TEXT NOT NULL,
      process_id INTEGER NOT NULL,
      cpu TEXT NOT NULL,
      cores INTEGER NOT NULL CHECK (cores > 0),
      kernel_path TEXT NOT NULL,
      build TEXT NOT NULL,
      first_seen TEXT NOT NULL \(Timestamp.check("first_seen")),
      last_seen TEXT NOT NULL \(Timestamp.check("last_seen")),
      left_at TEXT \(Timestamp.check("left_at"))
    ) STRICT;

    -- One row per lease ever granted; its number is never used again. Open while `class` is NULL.
    CREATE TABLE attempt (
      lease INTEGER PRIMARY KEY CHECK (lease > 0),
      point INTEGER NOT NULL REFERENCES point,
      worker INTEGER NOT NULL REFERENCES worker,
      class TEXT CHECK (class IN
        ('finished', 'superseded', 'preempted', 'lost', 'crashed', 'stalled', 'engine_error', 'bad_point')),
      reason TEXT,
      charged INTEGER NOT NULL DEFAULT 0 CHECK (charged IN (0, 1)),
      epoch INTEGER CHECK (epoch >= 0),
      started TEXT NOT NULL \(Timestamp.check("started")),
      ended TEXT \(Timestamp.check("ended")),
      CHECK ((class IS NULL) = (ended IS NULL)),
      CHECK (charged = 0 OR (class IS NOT NULL AND class NOT IN ('finished', 'superseded')))
    ) STRICT;
    CREATE UNIQUE INDEX attempt_open ON attempt (point) WHERE class IS NULL;
    CREATE INDEX attempt_by_point ON attempt (point);
    CREATE INDEX attempt_by_worker ON attempt (worker, class);

    -- The primary key is what makes delivery at least once into exactly once.
    CREATE TABLE run (
      point INTEGER PRIMARY KEY REFERENCES point,
      outcome TEXT NOT NULL,
      memorization_epoch INTEGER CHECK (memorization_epoch >= 0),
      grokking_epoch INTEGER CHECK (grokking_epoch >= 0),
      censored_after INTEGER CHECK (censored_after >= 0),
      diverged_at INTEGER CHECK (diverged_at >= 0),
      epochs INTEGER NOT NULL CHECK (epochs >= 0),
      last_evaluation INTEGER CHECK (last_evaluation >= 0),
      seconds REAL NOT NULL CHECK (seconds >= 0 AND seconds \(finite)),
      worker INTEGER NOT NULL REFERENCES worker,
      lease INTEGER REFERENCES attempt,
      digest TEXT NOT NULL \(digestCheck),
      kernel_path TEXT NOT NULL,
      semantics_version INTEGER NOT NULL,
      measure_version INTEGER NOT NULL,
      stored TEXT NOT NULL \(Timestamp.check("stored")),
      CHECK (CASE outcome
        WHEN 'grokked' THEN memorization_epoch IS NOT NULL AND grokking_epoch > memorization_epoch
        WHEN 'memorized' THEN memorization_epoch IS NOT NULL AND grokking_epoch IS NULL
        WHEN 'unfit' THEN memorization_epoch IS NULL AND grokking_epoch IS NULL
        WHEN 'immediate' THEN grokking_epoch IS NOT NULL
        WHEN 'collapsed' THEN grokking_epoch IS NOT NULL
        WHEN 'diverged' THEN diverged_at IS NOT NULL
        ELSE 0 END),
      CHECK ((outcome = 'diverged') = (diverged_at IS NOT NULL)),
      CHECK ((grokking_epoch IS NULL) = (censored_after IS NOT NULL))
    ) STRICT;

    CREATE TABLE evaluation (
      point INTEGER NOT NULL REFERENCES run,
      epoch INTEGER NOT NULL CHECK (epoch >= 0),
      train_loss REAL NOT NULL CHECK (train_loss \(finite)),
      test_loss REAL NOT NULL CHECK (test_loss \(finite)),
      train_accuracy REAL NOT NULL CHECK (train_accuracy BETWEEN 0 AND 1),
      test_accuracy REAL NOT NULL CHECK (test_accuracy BETWEEN 0 AND 1),
      restricted_loss_train REAL CHECK (restricted_loss_train \(finite)),
      restricted_loss_test REAL CHECK (restricted_loss_test \(finite)),
      restricted_loss REAL CHECK (restricted_loss \(finite)),
      excluded_loss REAL CHECK (excluded_loss \(finite)),
      gini_w_e REAL NOT NULL CHECK (gini_w_e \(finite)),
      gini_w_l REAL NOT NULL CHECK (gini_w_l \(finite)),
      sum_squared_weights REAL NOT NULL CHECK (sum_squared_weights \(finite)),
      PRIMARY KEY (point, epoch)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE key_frequency (
      point INTEGER NOT NULL REFERENCES run,
      frequency INTEGER NOT NULL CHECK (frequency > 0),
      norm REAL NOT NULL CHECK (norm \(finite)),
      excluded_loss REAL CHECK (excluded_loss \(finite)),
      PRIMARY KEY (point, frequency)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE digest (
      point INTEGER NOT NULL REFERENCES run,
      epoch INTEGER NOT NULL CHECK (epoch >= 0),
      digest TEXT NOT NULL \(digestCheck),
      PRIMARY KEY (point, epoch)
    ) STRICT, WITHOUT ROWID;

    -- A second result of a finished point with other bits: determinism was broken somewhere.
    CREATE TABLE violation (
      number INTEGER PRIMARY KEY,
      point INTEGER NOT NULL REFERENCES run,
      worker INTEGER NOT NULL REFERENCES worker,
      digest TEXT NOT NULL \(digestCheck),
      first_different_epoch INTEGER CHECK (first_different_epoch >= 0),
      recorded TEXT NOT NULL \(Timestamp.check("recorded")),
      UNIQUE (point, worker, digest)
    ) STRICT;

    """

  private static let triggers1 = """
    CREATE TRIGGER point_stays_finished BEFORE UPDATE OF state ON point WHEN OLD.state = 'finished'
    BEGIN SELECT RAISE(ABORT, 'a finished point stays finished'); END;

    CREATE TRIGGER point_finishes_by_a_run BEFORE UPDATE OF state ON point
    WHEN NEW.state = 'finished' AND NOT EXISTS (SELECT 1 FROM run WHERE run.point = NEW.number)
    BEGIN SELECT RAISE(ABORT, 'a point is finished by its run only'); END;

    CREATE TRIGGER point_counts_in_its_sweeps AFTER UPDATE OF state ON point WHEN NEW.state <> OLD.state
    BEGIN
      UPDATE sweep SET
        finished = finished + (NEW.state = 'finished') - (OLD.state = 'finished'),
        failed = failed + (NEW.state = 'failed') - (OLD.state = 'failed')
      WHERE number IN (SELECT sweep FROM sweep_point WHERE point = NEW.number);
    END;

    CREATE TRIGGER run_finishes_its_point AFTER INSERT ON run
    BEGIN
      UPDATE point SET state = 'finished', failure = NULL WHERE number = NEW.point;
      UPDATE sweep SET finished_seconds = finished_seconds + NEW.seconds
      WHERE number IN (SELECT sweep FROM sweep_point WHERE point = NEW.point);
    END;

    CREATE TRIGGER run_is_never_changed BEFORE UPDATE ON run
    BEGIN SELECT RAISE(ABORT, 'a run is never changed'); END;

    CREATE TRIGGER run_is_never_removed BEFORE DELETE ON run
    BEGIN SELECT RAISE(ABORT, 'a run is never removed'); END;

    """
}

extension Store {
  /// The number of the schema that this program writes.
  package static var schemaVersion: Int { 5 }
}
