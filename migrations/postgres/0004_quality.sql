-- How good each member's line was, on the session's timeline (`domain::quality`). Figures of a moment when nothing came through
-- are not known.
CREATE TABLE quality_samples (
  session_id TEXT COLLATE "C" NOT NULL REFERENCES sessions (id), member_id TEXT COLLATE "C" NOT NULL REFERENCES session_members (id), at BIGINT NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('good', 'fair', 'poor', 'lost')),
  -- Hundredths of a per cent; milliseconds.
  loss_bp BIGINT CHECK (loss_bp BETWEEN 0 AND 10000), jitter_ms BIGINT CHECK (jitter_ms >= 0),
  rtt_ms BIGINT CHECK (rtt_ms >= 0), freeze_ms BIGINT CHECK (freeze_ms >= 0),
  PRIMARY KEY (session_id, member_id, at),
  CHECK (state = 'lost' OR (loss_bp IS NOT NULL AND jitter_ms IS NOT NULL))
);
