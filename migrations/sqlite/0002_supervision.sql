-- Supervision of a live session (旁听、耳语、插话、接管): one supervisor a session, one session a supervisor.
CREATE TABLE supervisions (
  id TEXT PRIMARY KEY, session_id TEXT NOT NULL REFERENCES sessions (id), staff_id TEXT NOT NULL REFERENCES staff (id),
  member_id TEXT NOT NULL REFERENCES session_members (id),
  -- The session's when it began: a supervisor's word ends at the hall's door.
  hall_id TEXT NOT NULL REFERENCES halls (id),
  mode TEXT NOT NULL CHECK (mode IN ('listen', 'whisper', 'barge', 'take_over')), version INTEGER NOT NULL,
  -- Whose pages have shown it: never taken back while it lasts.
  told_agent INTEGER NOT NULL CHECK (told_agent IN (0, 1)), told_citizen INTEGER NOT NULL CHECK (told_citizen IN (0, 1)),
  started_at INTEGER NOT NULL, changed_at INTEGER NOT NULL,
  -- End of the grace of a supervisor who is not there.
  due_at INTEGER, ended_at INTEGER, end_reason TEXT,
  CHECK ((ended_at IS NULL) = (end_reason IS NULL)), CHECK (ended_at IS NULL OR due_at IS NULL),
  CHECK (mode <> 'take_over' OR ended_at IS NOT NULL),
  -- Whom somebody hears is shown to them.
  CHECK (mode = 'listen' OR told_agent = 1), CHECK (mode IN ('listen', 'whisper') OR told_citizen = 1)
) STRICT;
CREATE UNIQUE INDEX supervision_live_session ON supervisions (session_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX supervision_live_staff ON supervisions (staff_id) WHERE ended_at IS NULL;
CREATE INDEX supervisions_of_session ON supervisions (session_id, id);
CREATE INDEX supervisions_due ON supervisions (due_at) WHERE due_at IS NOT NULL;
-- Nobody supervises themselves.
CREATE TRIGGER supervision_own BEFORE INSERT ON supervisions
WHEN EXISTS (SELECT 1 FROM sessions s WHERE s.id = NEW.session_id AND s.staff_id = NEW.staff_id AND s.parked = 0)
BEGIN SELECT RAISE(ABORT, 'supervision_own'); END;

-- What a hall has decided of a subject (`domain::supervision::Policy`, `domain::recording::Policy`, JSON); without a row the default holds.
CREATE TABLE hall_policies (
  hall_id TEXT NOT NULL REFERENCES halls (id), subject TEXT NOT NULL CHECK (subject IN ('supervision', 'recording')),
  policy TEXT NOT NULL, version INTEGER NOT NULL,
  PRIMARY KEY (hall_id, subject)
) STRICT;
