-- Replay of recordings (回放), their export as one file, and snapshots (抓拍).
CREATE TABLE replays (
  id TEXT PRIMARY KEY, recording_id TEXT NOT NULL REFERENCES recordings (id), staff_id TEXT NOT NULL REFERENCES staff (id),
  -- Hash of the cookie's secret; empty: none was handed out yet.
  token_hash TEXT NOT NULL,
  -- Why, under the recording's key: it may name a person.
  purpose_enc BLOB NOT NULL,
  integrity TEXT NOT NULL CHECK (integrity IN ('unchecked', 'valid', 'broken')),
  opened_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, CHECK (expires_at >= opened_at)
) STRICT;
CREATE INDEX replays_of_recording ON replays (recording_id, id);

CREATE TABLE replay_exports (
  id TEXT PRIMARY KEY, replay_id TEXT NOT NULL REFERENCES replays (id), recording_id TEXT NOT NULL REFERENCES recordings (id),
  -- The file's own key: its death is the file's.
  key_id TEXT NOT NULL UNIQUE REFERENCES data_keys (id),
  state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'expired')), percent INTEGER NOT NULL CHECK (percent BETWEEN 0 AND 100),
  bytes INTEGER, sm3 TEXT,
  -- The process that makes it.
  node TEXT NOT NULL, started_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
  CHECK ((state IN ('done', 'expired')) = (sm3 IS NOT NULL)), CHECK ((sm3 IS NULL) = (bytes IS NULL))
) STRICT;
CREATE UNIQUE INDEX replay_export_running ON replay_exports (recording_id) WHERE state = 'running';
CREATE INDEX replay_exports_open ON replay_exports (expires_at) WHERE state IN ('running', 'done');

CREATE TABLE snapshots (
  id TEXT PRIMARY KEY, session_id TEXT NOT NULL REFERENCES sessions (id), member_id TEXT NOT NULL REFERENCES session_members (id),
  taken_by TEXT NOT NULL REFERENCES session_members (id), key_id TEXT NOT NULL, sm3 TEXT NOT NULL, bytes INTEGER NOT NULL,
  width INTEGER NOT NULL, height INTEGER NOT NULL, at INTEGER NOT NULL,
  -- Place on the clock of the recording that ran then.
  recording_id TEXT REFERENCES recordings (id), at_ms INTEGER, CHECK ((recording_id IS NULL) = (at_ms IS NULL))
) STRICT;
CREATE INDEX snapshots_of_session ON snapshots (session_id, id);
CREATE INDEX snapshots_of_recording ON snapshots (recording_id, id) WHERE recording_id IS NOT NULL;

-- Sealed ones of which nobody has said yet when they go.
CREATE INDEX recordings_undated ON recordings (id) WHERE state = 'sealed' AND delete_at IS NULL;
