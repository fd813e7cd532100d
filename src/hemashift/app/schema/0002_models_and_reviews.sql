-- Versions of the model, what each says about the cells, and what people changed in the review.

CREATE TABLE versions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('start', 'added', 'adapted')),
    folder TEXT NOT NULL, -- within the folder of models
    hash TEXT NOT NULL,
    parent INTEGER REFERENCES versions (number),
    method TEXT NOT NULL DEFAULT '',
    classes TEXT NOT NULL, -- this and the following: JSON
    labels TEXT NOT NULL DEFAULT '{}',
    before_scores TEXT NOT NULL DEFAULT '{}',
    after_scores TEXT NOT NULL DEFAULT '{}',
    notes TEXT NOT NULL DEFAULT '[]',
    findings TEXT NOT NULL DEFAULT '[]',
    made_by TEXT NOT NULL,
    at TEXT NOT NULL
);

-- The last one says which version is active.
CREATE TABLE activations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version INTEGER NOT NULL REFERENCES versions (number),
    made_by TEXT NOT NULL,
    at TEXT NOT NULL
);

-- Whether more labels than a version had are worth the work; comes a little after the version.
CREATE TABLE advice (
    version INTEGER PRIMARY KEY REFERENCES versions (number),
    content TEXT NOT NULL -- JSON
);

CREATE TABLE predictions (
    version INTEGER NOT NULL REFERENCES versions (number),
    cell INTEGER NOT NULL REFERENCES cells (id),
    label TEXT NOT NULL,
    probability REAL NOT NULL,
    second TEXT NOT NULL,
    doubt REAL NOT NULL,
    probabilities BLOB NOT NULL, -- float32, in the order of the version's classes
    PRIMARY KEY (version, cell)
) WITHOUT ROWID;

-- Cells that a person put into a bin; never changed.
CREATE TABLE moves (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL UNIQUE,
    reader TEXT NOT NULL CHECK (reader <> ''),
    bin TEXT, -- NULL for an undo
    undoes INTEGER UNIQUE REFERENCES moves (id),
    at TEXT NOT NULL,
    CHECK ((bin IS NULL) = (undoes IS NOT NULL))
);
CREATE TABLE moved_cells (
    move INTEGER NOT NULL REFERENCES moves (id),
    cell INTEGER NOT NULL REFERENCES cells (id),
    PRIMARY KEY (move, cell)
) WITHOUT ROWID;

CREATE TRIGGER moves_stay BEFORE UPDATE ON moves
BEGIN
    SELECT RAISE(ABORT, 'a review is never changed');
END;
CREATE TRIGGER moves_are_kept BEFORE DELETE ON moves
BEGIN
    SELECT RAISE(ABORT, 'a review is never deleted');
END;
CREATE TRIGGER moves_are_new BEFORE INSERT ON moves
    WHEN EXISTS (SELECT 1 FROM moves WHERE id = NEW.id OR event = NEW.event)
BEGIN
    SELECT RAISE(ABORT, 'a review is never replaced');
END;
CREATE TRIGGER moved_cells_stay BEFORE UPDATE ON moved_cells
BEGIN
    SELECT RAISE(ABORT, 'a review is never changed');
END;
CREATE TRIGGER moved_cells_are_kept BEFORE DELETE ON moved_cells
BEGIN
    SELECT RAISE(ABORT, 'a review is never deleted');
END;

-- The moves that were not taken back.
CREATE VIEW standing_moves AS
    SELECT * FROM moves AS made
    WHERE undoes IS NULL
        AND NOT EXISTS (SELECT 1 FROM moves WHERE undoes = made.id);
