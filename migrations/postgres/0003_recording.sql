-- Recordings of a session (双录): one open at a time, a key of its own each, consent kept word for word.
CREATE TABLE recordings (
  id TEXT COLLATE "C" PRIMARY KEY, session_id TEXT COLLATE "C" NOT NULL REFERENCES sessions (id), hall_id TEXT COLLATE "C" NOT NULL REFERENCES halls (id),
  visit_id TEXT COLLATE "C" NOT NULL REFERENCES visits (id),
  -- The envelope key of this recording alone: it outlives the visit's, and its death is the recording's.
  key_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES data_keys (id),
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('asked', 'refused', 'starting', 'live', 'interrupted', 'sealing', 'sealed', 'deleted')),
  version BIGINT NOT NULL,
  -- What the citizen was shown, word for word (JSON), and its version.
  notice TEXT COLLATE "C" NOT NULL, policy_version TEXT COLLATE "C" NOT NULL,
  asked_by TEXT COLLATE "C" NOT NULL REFERENCES session_members (id), asked_at BIGINT NOT NULL, answered_at BIGINT, granted BOOLEAN,
  -- Zero of the recording's clock (whole milliseconds); when bytes of both sides were on disk; what is missing now.
  started_at BIGINT, proven_at BIGINT, interrupted TEXT COLLATE "C", ended_at BIGINT, end_reason TEXT COLLATE "C",
  -- The process that writes it; none: not begun yet.
  node TEXT COLLATE "C",
  -- First the media plane's alone, then what was signed, as it was signed.
  manifest TEXT COLLATE "C", signature TEXT COLLATE "C", public_key TEXT COLLATE "C", sealed_at BIGINT,
  duration_ms BIGINT, gaps BIGINT, bytes BIGINT, delete_at BIGINT,
  hold BOOLEAN NOT NULL DEFAULT FALSE, hold_reason_enc BYTEA, hold_by TEXT COLLATE "C", hold_at BIGINT, deleted_at BIGINT,
  -- Nothing begins without a yes.
  CHECK (state IN ('asked', 'refused') OR granted IS TRUE), CHECK (state <> 'asked' OR granted IS NULL),
  CHECK (state <> 'refused' OR granted IS NOT TRUE), CHECK ((granted IS NULL) = (answered_at IS NULL)),
  CHECK ((started_at IS NULL) = (state IN ('asked', 'refused'))), CHECK (started_at IS NULL OR granted IS TRUE),
  CHECK (proven_at IS NULL OR started_at IS NOT NULL), CHECK (state <> 'live' OR proven_at IS NOT NULL),
  CHECK ((state = 'interrupted') = (interrupted IS NOT NULL)),
  CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
  CHECK ((ended_at IS NULL) = (state IN ('asked', 'starting', 'live', 'interrupted'))),
  CHECK (state <> 'sealed' OR (manifest IS NOT NULL AND signature IS NOT NULL AND public_key IS NOT NULL AND sealed_at IS NOT NULL)),
  CHECK ((state = 'deleted') = (deleted_at IS NOT NULL)),
  CHECK (NOT hold OR (hold_reason_enc IS NOT NULL AND hold_by IS NOT NULL AND hold_at IS NOT NULL)), CHECK (NOT hold OR state <> 'deleted')
);
CREATE UNIQUE INDEX recording_open ON recordings (session_id) WHERE state IN ('asked', 'starting', 'live', 'interrupted');
CREATE INDEX recordings_of_session ON recordings (session_id, id);
CREATE INDEX recordings_of_hall ON recordings (hall_id, id);
CREATE INDEX recordings_under_way ON recordings (id) WHERE state IN ('starting', 'live', 'interrupted', 'sealing');
CREATE INDEX recordings_asked ON recordings (asked_at) WHERE state = 'asked';
CREATE INDEX recordings_due ON recordings (delete_at) WHERE delete_at IS NOT NULL AND state = 'sealed';

-- The recording that was proven live while the visit's card was read; none: it was read beside one.
ALTER TABLE visits ADD COLUMN identified_in TEXT COLLATE "C" REFERENCES recordings (id);

-- The item's script as it was read (双录话术); times in milliseconds are the recording's clock.
CREATE TABLE recording_prompts (
  recording_id TEXT COLLATE "C" NOT NULL REFERENCES recordings (id), item TEXT COLLATE "C" NOT NULL, prompt TEXT COLLATE "C" NOT NULL,
  text_zh TEXT COLLATE "C" NOT NULL, text_en TEXT COLLATE "C" NOT NULL, asks TEXT COLLATE "C" NOT NULL CHECK (asks IN ('none', 'yes_no')),
  read_at BIGINT NOT NULL, read_ms BIGINT NOT NULL, again_ms BIGINT, answered_at BIGINT, answered_ms BIGINT,
  answer TEXT COLLATE "C" CHECK (answer IN ('yes', 'no')), answered_by TEXT COLLATE "C" CHECK (answered_by IN ('citizen', 'agent')),
  PRIMARY KEY (recording_id, item, prompt),
  CHECK (answer IS NULL OR asks = 'yes_no'), CHECK ((answer IS NULL) = (answered_at IS NULL)),
  CHECK ((answer IS NULL) = (answered_ms IS NULL)), CHECK ((answer IS NULL) = (answered_by IS NULL))
);

-- What the citizen was shown and answered stays.
CREATE FUNCTION recording_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.granted IS NOT NULL AND NEW.granted IS DISTINCT FROM OLD.granted OR NEW.notice <> OLD.notice OR NEW.policy_version <> OLD.policy_version THEN
    RAISE EXCEPTION 'recording_consent' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER recording_consent BEFORE UPDATE ON recordings FOR EACH ROW EXECUTE FUNCTION recording_consent();
-- What was signed stays as it was signed, until the recording is deleted.
CREATE FUNCTION recording_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.signature IS NOT NULL AND NEW.state <> 'deleted' AND (NEW.manifest IS DISTINCT FROM OLD.manifest OR NEW.signature IS DISTINCT FROM OLD.signature OR NEW.public_key IS DISTINCT FROM OLD.public_key) THEN
    RAISE EXCEPTION 'recording_signed' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER recording_signed BEFORE UPDATE ON recordings FOR EACH ROW EXECUTE FUNCTION recording_signed();
-- A no is final, and so is a deletion.
CREATE FUNCTION recording_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state IN ('refused', 'deleted') AND NEW.state <> OLD.state THEN
    RAISE EXCEPTION 'recording_final' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER recording_final BEFORE UPDATE ON recordings FOR EACH ROW EXECUTE FUNCTION recording_final();
-- Legal hold (封存): neither the recording nor its key goes.
CREATE FUNCTION recording_held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.hold AND NEW.state = 'deleted' THEN
    RAISE EXCEPTION 'recording_held' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER recording_held BEFORE UPDATE ON recordings FOR EACH ROW EXECUTE FUNCTION recording_held();
CREATE FUNCTION recording_held_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL AND EXISTS (SELECT 1 FROM recordings r WHERE r.key_id = NEW.id AND r.hold) THEN
    RAISE EXCEPTION 'recording_held' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER recording_held_key BEFORE UPDATE ON data_keys FOR EACH ROW EXECUTE FUNCTION recording_held_key();
-- A row outlives its files: it says that they are gone.
CREATE FUNCTION recording_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'recording_kept' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER recording_kept BEFORE DELETE ON recordings FOR EACH ROW EXECUTE FUNCTION recording_kept();
-- A prompt counts while the recording is proven live.
CREATE FUNCTION prompt_needs_live_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM recordings r WHERE r.id = NEW.recording_id AND r.state = 'live') THEN
    RAISE EXCEPTION 'recording_not_live' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER prompt_needs_live_insert BEFORE INSERT ON recording_prompts FOR EACH ROW EXECUTE FUNCTION prompt_needs_live_insert();
CREATE FUNCTION prompt_needs_live() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM recordings r WHERE r.id = NEW.recording_id AND r.state = 'live') THEN
    RAISE EXCEPTION 'recording_not_live' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER prompt_needs_live BEFORE UPDATE ON recording_prompts FOR EACH ROW EXECUTE FUNCTION prompt_needs_live();
-- Where the item binds the signature to a recording, none is taken beside it.
CREATE FUNCTION signature_needs_live() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state = 'signed' AND OLD.state <> 'signed' AND EXISTS (SELECT 1 FROM forms f JOIN items i ON i.id = f.item AND i.version = f.item_version
  WHERE f.id = NEW.session_id AND (i.doc::json #>> '{recording,steps}') LIKE '%"sign"%')
  AND NOT EXISTS (SELECT 1 FROM recordings r WHERE r.session_id = NEW.session_id AND r.state = 'live') THEN
    RAISE EXCEPTION 'recording_not_live' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER signature_needs_live BEFORE UPDATE ON signatures FOR EACH ROW EXECUTE FUNCTION signature_needs_live();
