// Schema 3: sweeps that are paused, cancelled and preferred; finished points that are run again and compared; attempts
// that were charged and are not any more; the keys that workers came with.
//
// Released: never edited.

extension Schema {
  static let tables3 = """
    ALTER TABLE sweep ADD COLUMN state TEXT NOT NULL DEFAULT 'active'
      CHECK (state IN ('active', 'paused', 'cancelled'));
    ALTER TABLE sweep ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;

    -- Name of the key that the worker's connection was let in with; '' where no keys are asked for.
    ALTER TABLE worker ADD COLUMN key TEXT NOT NULL DEFAULT '';

    -- Counted when the sweep is registered: a million points need not be counted to show how its settings stand.
    ALTER TABLE setting ADD COLUMN points INTEGER NOT NULL DEFAULT 0 CHECK (points >= 0);
    ALTER TABLE setting ADD COLUMN example INTEGER REFERENCES point;
    UPDATE setting SET (points, example) = (
      SELECT count(*), min(point) FROM sweep_point
      WHERE sweep_point.sweep = setting.sweep AND sweep_point.setting = setting.position);

    -- As in schema 1, with two more classes and with refunds. A CHECK cannot be changed in place.
    CREATE TABLE attempt_of_schema_3 (
      lease INTEGER PRIMARY KEY CHECK (lease > 0),
      point INTEGER NOT NULL REFERENCES point,
      worker INTEGER NOT NULL REFERENCES worker,
      class TEXT CHECK (class IN
        ('finished', 'superseded', 'preempted', 'lost', 'crashed', 'stalled', 'engine_error', 'bad_point', 'verified',
          'differed')),
      reason TEXT,
      charged INTEGER NOT NULL DEFAULT 0 CHECK (charged IN (0, 1)),
      -- Why an attempt that was charged counts no longer.
      refunded TEXT CHECK (refunded <> ''),
      epoch INTEGER CHECK (epoch >= 0),
      started TEXT NOT NULL \(Timestamp.check("started")),
      ended TEXT \(Timestamp.check("ended")),
      CHECK ((class IS NULL) = (ended IS NULL)),
      CHECK (charged = 0
        OR (class IS NOT NULL AND class NOT IN ('finished', 'superseded', 'verified', 'differed'))),
      CHECK (refunded IS NULL OR (class IS NOT NULL AND charged = 0))
    ) STRICT;
    INSERT INTO attempt_of_schema_3 (lease, point, worker, class, reason, charged, epoch, started, ended)
      SELECT lease, point, worker, class, reason, charged, epoch, started, ended FROM attempt ORDER BY lease;
    DROP TABLE attempt;
    ALTER TABLE attempt_of_schema_3 RENAME TO attempt;
    CREATE UNIQUE INDEX attempt_open ON attempt (point) WHERE class IS NULL;
    CREATE INDEX attempt_charged ON attempt (point) WHERE charged = 1;
    CREATE INDEX attempt_by_point ON attempt (point);
    CREATE INDEX attempt_by_worker ON attempt (worker, class);

    -- A finished point that somebody wants to have run once more and compared. Open while `done` is NULL, one at a time;
    -- done with the digest of the second run, or with the reason why there is none.
    CREATE TABLE verification (
      number INTEGER PRIMARY KEY,
      point INTEGER NOT NULL REFERENCES run,
      requested TEXT NOT NULL \(Timestamp.check("requested")),
      requested_by TEXT CHECK (requested_by <> ''),
      lease INTEGER REFERENCES attempt,
      equal INTEGER CHECK (equal IN (0, 1)),
      digest TEXT \(digestCheck),
      reason TEXT CHECK (reason <> ''),
      done TEXT \(Timestamp.check("done")),
      CHECK ((equal IS NULL) = (digest IS NULL)),
      CHECK (done IS NOT NULL OR (lease IS NULL AND equal IS NULL AND reason IS NULL)),
      CHECK (done IS NULL OR (equal IS NULL) = (reason IS NOT NULL))
    ) STRICT;
    CREATE UNIQUE INDEX verification_open ON verification (point) WHERE done IS NULL;
    CREATE INDEX verification_by_point ON verification (point);

    """
}
