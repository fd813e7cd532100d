-- Cells and what readers say about them.

CREATE TABLE schema_steps (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    at TEXT NOT NULL
);

-- Rises with every transaction, so that what was computed can be kept until something changes.
CREATE TABLE revision (number INTEGER NOT NULL);
INSERT INTO revision VALUES (0);

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL -- JSON
);

-- One row a picture. A file that now holds another picture gets a new row, and the old one,
-- with its labels, is gone.
CREATE TABLE cells (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL, -- relative to the folder of images, with /
    sha256 TEXT,
    size INTEGER NOT NULL, -- of the file, in bytes
    modified INTEGER NOT NULL, -- date of the file, in nanoseconds
    status TEXT NOT NULL CHECK (status IN ('ready', 'problem', 'gone')),
    problem TEXT NOT NULL DEFAULT '',
    hint TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX cells_by_path ON cells (path) WHERE status <> 'gone';
CREATE INDEX cells_by_content ON cells (sha256);

CREATE TABLE proposals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    batch INTEGER NOT NULL,
    cell INTEGER NOT NULL UNIQUE REFERENCES cells (id),
    reason TEXT NOT NULL,
    at TEXT NOT NULL
);

-- Every keystroke; never changed. An undo names the event that it takes back.
CREATE TABLE label_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL UNIQUE, -- id made by the caller, so that a repeated call is noticed
    reader TEXT NOT NULL CHECK (reader <> ''),
    cell INTEGER NOT NULL REFERENCES cells (id),
    verdict TEXT NOT NULL CHECK (verdict IN ('label', 'not_a_cell', 'unsure', 'skip', 'undo')),
    label TEXT,
    undoes INTEGER UNIQUE REFERENCES label_events (id),
    at TEXT NOT NULL,
    CHECK ((verdict = 'label') = (label IS NOT NULL)),
    CHECK ((verdict = 'undo') = (undoes IS NOT NULL))
);
CREATE INDEX label_events_by_cell ON label_events (reader, cell);

CREATE TRIGGER label_events_stay BEFORE UPDATE ON label_events
BEGIN
    SELECT RAISE(ABORT, 'an answer of a reader is never changed');
END;
CREATE TRIGGER label_events_are_kept BEFORE DELETE ON label_events
BEGIN
    SELECT RAISE(ABORT, 'an answer of a reader is never deleted');
END;

-- INSERT OR REPLACE would delete without asking the trigger above.
CREATE TRIGGER label_events_are_new BEFORE INSERT ON label_events
    WHEN EXISTS (SELECT 1 FROM label_events WHERE id = NEW.id OR event = NEW.event)
BEGIN
    SELECT RAISE(ABORT, 'an answer of a reader is never replaced');
END;

-- The answers that were not taken back.
CREATE VIEW standing_answers AS
    SELECT * FROM label_events AS given
    WHERE verdict <> 'undo'
        AND NOT EXISTS (SELECT 1 FROM label_events WHERE undoes = given.id);

-- Of these, each reader's last about each cell.
CREATE VIEW answers AS
    SELECT MAX(id) AS id, event, reader, cell, verdict, label, at
    FROM standing_answers GROUP BY reader, cell;
