-- A spread or curve of a window that what it was made of has undone: the row of the greatest version says that there is none. value,
-- legs, points and prices are empty then; readers leave these rows out: state != 'withdrawn'.
ALTER TABLE spreads MODIFY COLUMN state Enum8('open' = 0, 'final' = 1, 'correction' = 2, 'withdrawn' = 3);

ALTER TABLE curves MODIFY COLUMN state Enum8('open' = 0, 'final' = 1, 'correction' = 2, 'withdrawn' = 3);

ALTER TABLE served_curve_snapshots MODIFY COLUMN state Enum8('open' = 0, 'final' = 1, 'correction' = 2, 'withdrawn' = 3);
