-- How good each member's line was, on the session's timeline (`domain::quality`). Figures of a moment when nothing came through
-- are not known.
CREATE TABLE quality_samples (
  session_id TEXT NOT NULL REFERENCES sessions (id), member_id TEXT NOT NULL REFERENCES session_members (id), at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('good', 'fair', 'poor', 'lost')),
  -- Hundredths of a per cent; milliseconds.
  loss_bp INTEGER CHECK (loss_bp BETWEEN 0 AND 10000), jitter_ms INTEGER CHECK (jitter_ms >= 0),
  rtt_ms INTEGER CHECK (rtt_ms >= 0), freeze_ms INTEGER CHECK (freeze_ms >= 0),
  PRIMARY KEY (session_id, member_id, at),
  CHECK (state = 'lost' OR (loss_bp IS NOT NULL AND jitter_ms IS NOT NULL))
) STRICT;
