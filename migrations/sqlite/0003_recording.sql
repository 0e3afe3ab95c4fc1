-- Recordings of a session (双录): one open at a time, a key of its own each, consent kept word for word.
CREATE TABLE recordings (
  id TEXT PRIMARY KEY, session_id TEXT NOT NULL REFERENCES sessions (id), hall_id TEXT NOT NULL REFERENCES halls (id),
  visit_id TEXT NOT NULL REFERENCES visits (id),
  -- The envelope key of this recording alone: it outlives the visit's, and its death is the recording's.
  key_id TEXT NOT NULL UNIQUE REFERENCES data_keys (id),
  state TEXT NOT NULL CHECK (state IN ('asked', 'refused', 'starting', 'live', 'interrupted', 'sealing', 'sealed', 'deleted')),
  version INTEGER NOT NULL,
  -- What the citizen was shown, word for word (JSON), and its version.
  notice TEXT NOT NULL, policy_version TEXT NOT NULL,
  asked_by TEXT NOT NULL REFERENCES session_members (id), asked_at INTEGER NOT NULL, answered_at INTEGER, granted INTEGER,
  -- Zero of the recording's clock (whole milliseconds); when bytes of both sides were on disk; what is missing now.
  started_at INTEGER, proven_at INTEGER, interrupted TEXT, ended_at INTEGER, end_reason TEXT,
  -- The process that writes it; none: not begun yet.
  node TEXT,
  -- First the media plane's alone, then what was signed, as it was signed.
  manifest TEXT, signature TEXT, public_key TEXT, sealed_at INTEGER,
  duration_ms INTEGER, gaps INTEGER, bytes INTEGER, delete_at INTEGER,
  hold INTEGER NOT NULL DEFAULT 0 CHECK (hold IN (0, 1)), hold_reason_enc BLOB, hold_by TEXT, hold_at INTEGER, deleted_at INTEGER,
  CHECK (granted IN (0, 1)),
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
  CHECK (hold = 0 OR (hold_reason_enc IS NOT NULL AND hold_by IS NOT NULL AND hold_at IS NOT NULL)), CHECK (hold = 0 OR state <> 'deleted')
) STRICT;
CREATE UNIQUE INDEX recording_open ON recordings (session_id) WHERE state IN ('asked', 'starting', 'live', 'interrupted');
CREATE INDEX recordings_of_session ON recordings (session_id, id);
CREATE INDEX recordings_of_hall ON recordings (hall_id, id);
CREATE INDEX recordings_under_way ON recordings (id) WHERE state IN ('starting', 'live', 'interrupted', 'sealing');
CREATE INDEX recordings_asked ON recordings (asked_at) WHERE state = 'asked';
CREATE INDEX recordings_due ON recordings (delete_at) WHERE delete_at IS NOT NULL AND state = 'sealed';

-- The recording that was proven live while the visit's card was read; none: it was read beside one.
ALTER TABLE visits ADD COLUMN identified_in TEXT REFERENCES recordings (id);

-- The item's script as it was read (双录话术); times in milliseconds are the recording's clock.
CREATE TABLE recording_prompts (
  recording_id TEXT NOT NULL REFERENCES recordings (id), item TEXT NOT NULL, prompt TEXT NOT NULL,
  text_zh TEXT NOT NULL, text_en TEXT NOT NULL, asks TEXT NOT NULL CHECK (asks IN ('none', 'yes_no')),
  read_at INTEGER NOT NULL, read_ms INTEGER NOT NULL, again_ms INTEGER, answered_at INTEGER, answered_ms INTEGER,
  answer TEXT CHECK (answer IN ('yes', 'no')), answered_by TEXT CHECK (answered_by IN ('citizen', 'agent')),
  PRIMARY KEY (recording_id, item, prompt),
  CHECK (answer IS NULL OR asks = 'yes_no'), CHECK ((answer IS NULL) = (answered_at IS NULL)),
  CHECK ((answer IS NULL) = (answered_ms IS NULL)), CHECK ((answer IS NULL) = (answered_by IS NULL))
) STRICT;

-- What the citizen was shown and answered stays.
CREATE TRIGGER recording_consent BEFORE UPDATE ON recordings
WHEN OLD.granted IS NOT NULL AND NEW.granted IS NOT OLD.granted OR NEW.notice <> OLD.notice OR NEW.policy_version <> OLD.policy_version
BEGIN SELECT RAISE(ABORT, 'recording_consent'); END;
-- What was signed stays as it was signed, until the recording is deleted.
CREATE TRIGGER recording_signed BEFORE UPDATE ON recordings
WHEN OLD.signature IS NOT NULL AND NEW.state <> 'deleted' AND (NEW.manifest IS NOT OLD.manifest OR NEW.signature IS NOT OLD.signature OR NEW.public_key IS NOT OLD.public_key)
BEGIN SELECT RAISE(ABORT, 'recording_signed'); END;
-- A no is final, and so is a deletion.
CREATE TRIGGER recording_final BEFORE UPDATE ON recordings
WHEN OLD.state IN ('refused', 'deleted') AND NEW.state <> OLD.state
BEGIN SELECT RAISE(ABORT, 'recording_final'); END;
-- Legal hold (封存): neither the recording nor its key goes.
CREATE TRIGGER recording_held BEFORE UPDATE ON recordings
WHEN OLD.hold = 1 AND NEW.state = 'deleted'
BEGIN SELECT RAISE(ABORT, 'recording_held'); END;
CREATE TRIGGER recording_held_key BEFORE UPDATE ON data_keys
WHEN OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL AND EXISTS (SELECT 1 FROM recordings r WHERE r.key_id = NEW.id AND r.hold = 1)
BEGIN SELECT RAISE(ABORT, 'recording_held'); END;
-- A row outlives its files: it says that they are gone.
CREATE TRIGGER recording_kept BEFORE DELETE ON recordings
BEGIN SELECT RAISE(ABORT, 'recording_kept'); END;
-- A prompt counts while the recording is proven live.
CREATE TRIGGER prompt_needs_live_insert BEFORE INSERT ON recording_prompts
WHEN NOT EXISTS (SELECT 1 FROM recordings r WHERE r.id = NEW.recording_id AND r.state = 'live')
BEGIN SELECT RAISE(ABORT, 'recording_not_live'); END;
CREATE TRIGGER prompt_needs_live BEFORE UPDATE ON recording_prompts
WHEN NOT EXISTS (SELECT 1 FROM recordings r WHERE r.id = NEW.recording_id AND r.state = 'live')
BEGIN SELECT RAISE(ABORT, 'recording_not_live'); END;
-- Where the item binds the signature to a recording, none is taken beside it.
CREATE TRIGGER signature_needs_live BEFORE UPDATE ON signatures
WHEN NEW.state = 'signed' AND OLD.state <> 'signed' AND EXISTS (SELECT 1 FROM forms f JOIN items i ON i.id = f.item AND i.version = f.item_version
  WHERE f.id = NEW.session_id AND json_extract(i.doc, '$.recording.steps') LIKE '%"sign"%')
  AND NOT EXISTS (SELECT 1 FROM recordings r WHERE r.session_id = NEW.session_id AND r.state = 'live')
BEGIN SELECT RAISE(ABORT, 'recording_not_live'); END;
