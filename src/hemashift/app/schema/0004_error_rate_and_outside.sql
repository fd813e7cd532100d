-- The bin `unidentified` follows from an error rate, and `outside` from a distance.

-- Cells were kept from a probability of doubt_limit on. Where nothing can be promised, a rate keeps
-- them from 1 - rate on: the same cells.
INSERT INTO settings (name, value)
    SELECT 'max_error', CAST(ROUND(MIN(MAX(1 - CAST(value AS REAL), 0.001), 0.99), 4) AS TEXT)
    FROM settings WHERE name = 'doubt_limit';
DELETE FROM settings WHERE name = 'doubt_limit';

-- Above 1 a cell is unlike all classes; NULL where the version was not adapted, or not yet scored.
ALTER TABLE predictions ADD COLUMN outside REAL;
