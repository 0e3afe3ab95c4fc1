-- Supervision of a live session (旁听、耳语、插话、接管): one supervisor a session, one session a supervisor.
CREATE TABLE supervisions (
  id TEXT COLLATE "C" PRIMARY KEY, session_id TEXT COLLATE "C" NOT NULL REFERENCES sessions (id), staff_id TEXT COLLATE "C" NOT NULL REFERENCES staff (id),
  member_id TEXT COLLATE "C" NOT NULL REFERENCES session_members (id),
  -- The session's when it began: a supervisor's word ends at the hall's door.
  hall_id TEXT COLLATE "C" NOT NULL REFERENCES halls (id),
  mode TEXT COLLATE "C" NOT NULL CHECK (mode IN ('listen', 'whisper', 'barge', 'take_over')), version BIGINT NOT NULL,
  -- Whose pages have shown it: never taken back while it lasts.
  told_agent BOOLEAN NOT NULL, told_citizen BOOLEAN NOT NULL,
  started_at BIGINT NOT NULL, changed_at BIGINT NOT NULL,
  -- End of the grace of a supervisor who is not there.
  due_at BIGINT, ended_at BIGINT, end_reason TEXT COLLATE "C",
  CHECK ((ended_at IS NULL) = (end_reason IS NULL)), CHECK (ended_at IS NULL OR due_at IS NULL),
  CHECK (mode <> 'take_over' OR ended_at IS NOT NULL),
  -- Whom somebody hears is shown to them.
  CHECK (mode = 'listen' OR told_agent), CHECK (mode IN ('listen', 'whisper') OR told_citizen)
);
CREATE UNIQUE INDEX supervision_live_session ON supervisions (session_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX supervision_live_staff ON supervisions (staff_id) WHERE ended_at IS NULL;
CREATE INDEX supervisions_of_session ON supervisions (session_id, id);
CREATE INDEX supervisions_due ON supervisions (due_at) WHERE due_at IS NOT NULL;
-- Nobody supervises themselves.
CREATE FUNCTION supervision_own() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM sessions s WHERE s.id = NEW.session_id AND s.staff_id = NEW.staff_id AND NOT s.parked) THEN
    RAISE EXCEPTION 'supervision_own' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER supervision_own BEFORE INSERT ON supervisions FOR EACH ROW EXECUTE FUNCTION supervision_own();

-- What a hall has decided of a subject (`domain::supervision::Policy`, `domain::recording::Policy`, JSON); without a row the default holds.
CREATE TABLE hall_policies (
  hall_id TEXT COLLATE "C" NOT NULL REFERENCES halls (id), subject TEXT COLLATE "C" NOT NULL CHECK (subject IN ('supervision', 'recording')),
  policy TEXT COLLATE "C" NOT NULL, version BIGINT NOT NULL,
  PRIMARY KEY (hall_id, subject)
);
