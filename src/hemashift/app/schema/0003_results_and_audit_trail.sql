-- Signed results and the audit trail. Rows are added and never changed.

CREATE TABLE results (
    version INTEGER PRIMARY KEY,
    event TEXT NOT NULL UNIQUE,
    amends INTEGER UNIQUE REFERENCES results (version),
    signed_by TEXT NOT NULL CHECK (signed_by <> ''),
    at TEXT NOT NULL,
    model INTEGER REFERENCES versions (number),
    content TEXT NOT NULL, -- the result as JSON
    cells TEXT NOT NULL, -- each cell with its bin and who put it there, as JSON
    sha256 TEXT NOT NULL, -- of content and cells
    CHECK ((version = 1) = (amends IS NULL))
);
CREATE TRIGGER results_stay BEFORE UPDATE ON results
BEGIN
    SELECT RAISE(ABORT, 'a signed result is never changed; amend it');
END;
CREATE TRIGGER results_are_kept BEFORE DELETE ON results
BEGIN
    SELECT RAISE(ABORT, 'a signed result is never deleted');
END;

CREATE TRIGGER results_are_new BEFORE INSERT ON results
    WHEN EXISTS (SELECT 1 FROM results WHERE version = NEW.version OR event = NEW.event)
BEGIN
    SELECT RAISE(ABORT, 'a signed result is never replaced');
END;

-- Each hash covers its own row and the hash before it.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    made_by TEXT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL, -- JSON
    hash TEXT NOT NULL
);
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is never changed');
END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is never shortened');
END;
CREATE TRIGGER audit_is_new BEFORE INSERT ON audit
    WHEN EXISTS (SELECT 1 FROM audit WHERE number = NEW.number)
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is never changed');
END;
