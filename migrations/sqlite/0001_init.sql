-- The first schema, all nouns. SQLite edition; migrations/postgres has the same numbers, names, tables and columns.
-- Times are microseconds since the epoch, UTC. Lists and documents are JSON as text. Columns named *_enc hold
-- AES-256-GCM ciphertext under a key of data_keys; erasure is the death of that key.

CREATE TABLE nodes (
  id TEXT PRIMARY KEY, internal_url TEXT NOT NULL, media_addr TEXT NOT NULL, heartbeat INTEGER NOT NULL
) STRICT;
-- A lease with a fencing epoch: 'sequencer', 'timers', 'room:<ticket>'.
CREATE TABLE leases (
  name TEXT PRIMARY KEY, holder TEXT NOT NULL, epoch INTEGER NOT NULL, expires_at INTEGER NOT NULL
) STRICT;
CREATE TABLE data_keys (
  id TEXT PRIMARY KEY, wrapped BLOB, created_at INTEGER NOT NULL, destroyed_at INTEGER,
  CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
) STRICT;
CREATE TABLE idempotency (
  caller TEXT NOT NULL, route TEXT NOT NULL, key TEXT NOT NULL, body_hash TEXT NOT NULL,
  answer TEXT, at INTEGER NOT NULL, PRIMARY KEY (caller, route, key)
) STRICT;
CREATE INDEX idempotency_at ON idempotency (at);
CREATE TABLE outbox (
  id TEXT PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, payload TEXT NOT NULL,
  -- Place within its transaction; then the one among all, given by the sequencer.
  nth INTEGER NOT NULL, seq INTEGER UNIQUE, attempts INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL, delivered_at INTEGER
) STRICT;
CREATE INDEX outbox_due ON outbox (due_at) WHERE delivered_at IS NULL;
CREATE INDEX outbox_delivered ON outbox (delivered_at) WHERE delivered_at IS NOT NULL;
CREATE INDEX outbox_unsequenced ON outbox (at, nth, id) WHERE seq IS NULL;
CREATE TABLE audit_entries (
  id TEXT PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL,
  detail TEXT NOT NULL, seq INTEGER UNIQUE, leaf TEXT
) STRICT;
CREATE INDEX audit_unsequenced ON audit_entries (id) WHERE seq IS NULL;
CREATE INDEX audit_object ON audit_entries (object);
CREATE TABLE audit_checkpoints (
  size INTEGER PRIMARY KEY, root TEXT NOT NULL, at INTEGER NOT NULL, signature TEXT NOT NULL
) STRICT;

CREATE TABLE halls (
  id TEXT PRIMARY KEY, name_zh TEXT NOT NULL, name_en TEXT NOT NULL, opens TEXT NOT NULL, closes TEXT NOT NULL,
  telephone TEXT NOT NULL, address_zh TEXT NOT NULL, address_en TEXT NOT NULL,
  ticket_day TEXT NOT NULL DEFAULT '', ticket_no INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE skills (code TEXT PRIMARY KEY, name_zh TEXT NOT NULL, name_en TEXT NOT NULL) STRICT;
-- A queue's rule is data (`domain::routing::Rule`, JSON); without a row the queue asks for its own skill and nothing else.
CREATE TABLE queues (
  hall_id TEXT NOT NULL REFERENCES halls (id), code TEXT NOT NULL, rule TEXT NOT NULL, version INTEGER NOT NULL,
  PRIMARY KEY (hall_id, code)
) STRICT;
CREATE TABLE departments (id TEXT PRIMARY KEY, name_zh TEXT NOT NULL, name_en TEXT NOT NULL) STRICT;
CREATE TABLE staff (
  id TEXT PRIMARY KEY, account TEXT NOT NULL UNIQUE, name TEXT NOT NULL, number_index TEXT NOT NULL,
  password_hash TEXT NOT NULL, totp_enc BLOB, roles TEXT NOT NULL, hall_id TEXT NOT NULL REFERENCES halls (id),
  department TEXT, skills TEXT NOT NULL, active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
  failures INTEGER NOT NULL DEFAULT 0, locked_until INTEGER
) STRICT;
CREATE TABLE refresh_tokens (
  hash TEXT PRIMARY KEY, family TEXT NOT NULL, staff_id TEXT NOT NULL REFERENCES staff (id),
  expires_at INTEGER NOT NULL, used_at INTEGER, revoked INTEGER NOT NULL DEFAULT 0 CHECK (revoked IN (0, 1))
) STRICT;
CREATE INDEX refresh_family ON refresh_tokens (family);
CREATE TABLE ws_tickets (hash TEXT PRIMARY KEY, principal TEXT NOT NULL, expires_at INTEGER NOT NULL) STRICT;
CREATE TABLE booths (
  id TEXT PRIMARY KEY, hall_id TEXT NOT NULL REFERENCES halls (id), name_zh TEXT NOT NULL, name_en TEXT NOT NULL,
  public_key TEXT NOT NULL, active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1))
) STRICT;
CREATE TABLE booth_nonces (
  nonce TEXT PRIMARY KEY, booth_id TEXT NOT NULL REFERENCES booths (id), expires_at INTEGER NOT NULL
) STRICT;

-- A citizen's presence, anonymous until a card is read.
CREATE TABLE visits (
  id TEXT PRIMARY KEY, channel TEXT NOT NULL CHECK (channel IN ('booth', 'phone')),
  hall_id TEXT NOT NULL REFERENCES halls (id), booth_id TEXT REFERENCES booths (id), language TEXT NOT NULL,
  elder INTEGER NOT NULL CHECK (elder IN (0, 1)), key_id TEXT NOT NULL REFERENCES data_keys (id),
  identity_enc BLOB, citizen_index TEXT, card_nonce TEXT, state TEXT NOT NULL CHECK (state IN ('open', 'ended')),
  created_at INTEGER NOT NULL, ended_at INTEGER,
  -- When the key is destroyed unless a case has adopted it; none before the end and after it is settled.
  erase_at INTEGER, CHECK (erase_at IS NULL OR ended_at IS NOT NULL)
) STRICT;
CREATE INDEX visits_open ON visits (created_at) WHERE state = 'open';
CREATE INDEX visits_erase ON visits (erase_at) WHERE erase_at IS NOT NULL;

CREATE INDEX visits_of_citizen ON visits (citizen_index) WHERE citizen_index IS NOT NULL;
CREATE TABLE seats (
  id TEXT PRIMARY KEY, hall_id TEXT NOT NULL REFERENCES halls (id), name_zh TEXT NOT NULL, name_en TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('offline', 'ready', 'ringing', 'busy', 'wrap_up', 'away')),
  away_reason TEXT, since INTEGER NOT NULL, version INTEGER NOT NULL, staff_id TEXT REFERENCES staff (id),
  skills TEXT NOT NULL, holder TEXT, due_at INTEGER, wrap_up_session TEXT, silent_since INTEGER,
  -- The page accepts by itself; wrap-up was made longer; a supervisor's word (JSON), until the agent moves on.
  auto_answer INTEGER NOT NULL DEFAULT 0 CHECK (auto_answer IN (0, 1)), extended INTEGER NOT NULL DEFAULT 0 CHECK (extended IN (0, 1)), forced TEXT,
  -- A text lane is a seat under another: what holds for a seat holds for each lane.
  main_seat TEXT REFERENCES seats (id), lane INTEGER NOT NULL DEFAULT 0 CHECK (lane BETWEEN 0 AND 8),
  takes_text INTEGER NOT NULL DEFAULT 0 CHECK (takes_text IN (0, 1)),
  CHECK ((main_seat IS NULL) = (lane = 0)), UNIQUE (main_seat, lane)
) STRICT;
-- One seat per account, and each of its lanes once: the constraint, not the page, says so.
CREATE UNIQUE INDEX seat_of_staff ON seats (staff_id, lane) WHERE state <> 'offline';
CREATE INDEX seats_ready ON seats (hall_id, skills, lane, since, id) WHERE state = 'ready' AND silent_since IS NULL;
CREATE INDEX seats_of_hall ON seats (hall_id);
CREATE INDEX seats_due ON seats (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX seats_silent ON seats (silent_since) WHERE silent_since IS NOT NULL;

CREATE TABLE tickets (
  id TEXT PRIMARY KEY, hall_id TEXT NOT NULL REFERENCES halls (id), visit_id TEXT NOT NULL REFERENCES visits (id),
  number TEXT NOT NULL, skill TEXT NOT NULL, item TEXT, needs TEXT NOT NULL, channel TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'offered', 'paired', 'closed', 'abandoned', 'expired', 'called_back')),
  version INTEGER NOT NULL, class INTEGER NOT NULL, enqueued_at INTEGER NOT NULL,
  -- What it asks of a seat now (`domain::routing`), when that changes, its place in the order of service, who else may serve it.
  demand TEXT NOT NULL, stage_at INTEGER, order_at INTEGER NOT NULL, overflow_hall TEXT, language TEXT,
  -- The connection whose loss starts the grace: the newest page that watches.
  holder TEXT,
  grace_until INTEGER, session_id TEXT, next_ticket TEXT, reason TEXT,
  mode TEXT NOT NULL DEFAULT 'video' CHECK (mode IN ('video', 'audio', 'text')),
  estimate_low INTEGER, estimate_high INTEGER, paired_at INTEGER, ended_at INTEGER
) STRICT;
-- Waiting tickets that ask the same stand together in order of service: matching touches only those that a ready seat fits.
CREATE INDEX tickets_queue ON tickets (hall_id, demand, order_at, id) WHERE state = 'waiting';
CREATE INDEX tickets_overflow ON tickets (overflow_hall, demand, order_at, id) WHERE state = 'waiting' AND overflow_hall IS NOT NULL;
-- The time is for counting alone: thousands in line are counted without reading their rows.
CREATE INDEX tickets_ahead ON tickets (hall_id, skill, order_at, id, enqueued_at, mode) WHERE state IN ('waiting', 'offered');
CREATE INDEX tickets_stage ON tickets (stage_at) WHERE stage_at IS NOT NULL AND state = 'waiting';
CREATE UNIQUE INDEX ticket_of_visit ON tickets (visit_id) WHERE state IN ('waiting', 'offered', 'paired');
CREATE INDEX tickets_next ON tickets (next_ticket) WHERE next_ticket IS NOT NULL;
CREATE INDEX tickets_grace ON tickets (grace_until) WHERE grace_until IS NOT NULL;
CREATE INDEX tickets_held ON tickets (id) WHERE holder IS NOT NULL AND state IN ('waiting', 'offered');

CREATE TABLE pairings (
  id TEXT PRIMARY KEY, hall_id TEXT NOT NULL, ticket_id TEXT NOT NULL REFERENCES tickets (id),
  seat_id TEXT NOT NULL REFERENCES seats (id), visit_id TEXT NOT NULL REFERENCES visits (id),
  state TEXT NOT NULL CHECK (state IN ('offered', 'accepted', 'declined', 'timed_out', 'cancelled', 'ended')),
  offered_at INTEGER NOT NULL, due_at INTEGER NOT NULL, decided_at INTEGER, ended_at INTEGER, reason TEXT
) STRICT;
-- Invariant 1: at most one live pairing per seat, per citizen and per ticket.
CREATE UNIQUE INDEX pairing_live_seat ON pairings (seat_id) WHERE state IN ('offered', 'accepted');
CREATE UNIQUE INDEX pairing_live_visit ON pairings (visit_id) WHERE state IN ('offered', 'accepted');
CREATE UNIQUE INDEX pairing_live_ticket ON pairings (ticket_id) WHERE state IN ('offered', 'accepted');
CREATE INDEX pairings_due ON pairings (due_at) WHERE state = 'offered';

CREATE TABLE sessions (
  id TEXT PRIMARY KEY, hall_id TEXT NOT NULL REFERENCES halls (id), ticket_id TEXT NOT NULL UNIQUE REFERENCES tickets (id),
  visit_id TEXT NOT NULL REFERENCES visits (id), pairing_id TEXT NOT NULL REFERENCES pairings (id),
  seat_id TEXT NOT NULL REFERENCES seats (id), staff_id TEXT NOT NULL REFERENCES staff (id), key_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('connecting', 'active', 'reconnecting', 'ended')),
  end_reason TEXT, seq INTEGER NOT NULL, version INTEGER NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER,
  due_at INTEGER, item TEXT, item_version INTEGER, case_id TEXT, wrap_up TEXT,
  -- On the way to another seat: nobody serves it, its last seat is free. And the rung of the ladder, with the one that is asked for.
  parked INTEGER NOT NULL DEFAULT 0 CHECK (parked IN (0, 1)),
  mode TEXT NOT NULL DEFAULT 'video' CHECK (mode IN ('video', 'audio', 'text', 'phone')), mode_asked TEXT
) STRICT;
CREATE UNIQUE INDEX session_live_seat ON sessions (seat_id) WHERE state <> 'ended' AND NOT parked;
CREATE UNIQUE INDEX session_live_visit ON sessions (visit_id) WHERE state <> 'ended';
CREATE INDEX sessions_of_visit ON sessions (visit_id, started_at);
CREATE INDEX sessions_recent ON sessions (hall_id, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_due ON sessions (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE session_members (
  id TEXT PRIMARY KEY, session_id TEXT NOT NULL REFERENCES sessions (id),
  role TEXT NOT NULL CHECK (role IN ('citizen', 'agent', 'guest', 'supervisor')),
  staff_id TEXT, visit_id TEXT, name TEXT NOT NULL, present INTEGER NOT NULL CHECK (present IN (0, 1)),
  mic_on INTEGER NOT NULL CHECK (mic_on IN (0, 1)), camera_on INTEGER NOT NULL CHECK (camera_on IN (0, 1)),
  joined_at INTEGER, left_at INTEGER, holder TEXT, dropped_at INTEGER,
  -- What they may see and do (`domain::invite::Member`); a guest's name is sealed.
  part TEXT NOT NULL DEFAULT 'colleague' CHECK (part IN ('citizen', 'agent', 'consulted', 'colleague', 'interpreter', 'guest', 'supervisor')),
  -- Has been the agent: that duty stays, whatever they are later.
  served INTEGER NOT NULL DEFAULT 0 CHECK (served IN (0, 1)), name_enc BLOB
) STRICT;
CREATE INDEX members_of_session ON session_members (session_id);
CREATE INDEX members_present ON session_members (id) WHERE present;
CREATE UNIQUE INDEX member_staff ON session_members (session_id, staff_id) WHERE staff_id IS NOT NULL;
CREATE UNIQUE INDEX member_visit ON session_members (session_id, visit_id) WHERE visit_id IS NOT NULL;
CREATE TABLE session_events (
  session_id TEXT NOT NULL REFERENCES sessions (id), seq INTEGER NOT NULL, at INTEGER NOT NULL,
  actor TEXT, kind TEXT NOT NULL, payload_enc BLOB NOT NULL, PRIMARY KEY (session_id, seq)
) STRICT, WITHOUT ROWID;

-- Co-filling: one document a session, later adopted by the case.
CREATE TABLE forms (
  id TEXT PRIMARY KEY, item TEXT NOT NULL, item_version INTEGER NOT NULL, key_id TEXT NOT NULL,
  doc_enc BLOB NOT NULL, version INTEGER NOT NULL, updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE consents (
  id TEXT PRIMARY KEY, session_id TEXT NOT NULL REFERENCES sessions (id), visit_id TEXT NOT NULL REFERENCES visits (id),
  licence_type TEXT NOT NULL, company TEXT, item TEXT NOT NULL, fields TEXT NOT NULL, purpose TEXT NOT NULL,
  policy_version TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('asked', 'granted', 'refused', 'withdrawn', 'used', 'expired')),
  asked_by TEXT NOT NULL, asked_at INTEGER NOT NULL, decided_at INTEGER, used_at INTEGER, expires_at INTEGER, outcome TEXT
) STRICT;
CREATE INDEX consents_of_session ON consents (session_id);
CREATE INDEX consents_due ON consents (expires_at) WHERE state = 'granted';
CREATE UNIQUE INDEX consent_open ON consents (session_id, licence_type, item) WHERE state = 'asked';

CREATE TABLE licence_types (code TEXT PRIMARY KEY, name_zh TEXT NOT NULL, name_en TEXT NOT NULL, doc TEXT NOT NULL) STRICT;
CREATE TABLE licences (
  id TEXT PRIMARY KEY, identifier TEXT NOT NULL UNIQUE, type_code TEXT NOT NULL REFERENCES licence_types (code),
  version INTEGER NOT NULL, holder_type TEXT NOT NULL, holder_index TEXT NOT NULL, legal_rep_index TEXT,
  status TEXT NOT NULL, trust TEXT NOT NULL CHECK (trust IN ('A', 'B', 'C', 'D')), issued_on TEXT NOT NULL,
  valid_until TEXT, key_id TEXT NOT NULL, data_enc BLOB NOT NULL, case_id TEXT, created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX licences_of_holder ON licences (holder_index, type_code);
CREATE TABLE licence_accesses (
  id TEXT PRIMARY KEY, licence_id TEXT NOT NULL REFERENCES licences (id), consent_id TEXT NOT NULL REFERENCES consents (id),
  session_id TEXT NOT NULL, case_id TEXT, visit_id TEXT NOT NULL, actor TEXT NOT NULL,
  purpose TEXT NOT NULL CHECK (purpose <> ''), fields TEXT NOT NULL, at INTEGER NOT NULL, signature TEXT NOT NULL
) STRICT;
CREATE INDEX accesses_of_case ON licence_accesses (case_id);
CREATE INDEX accesses_of_session ON licence_accesses (session_id);
CREATE INDEX accesses_of_visit ON licence_accesses (visit_id);
-- Invariant 3: no licence value is read without a live consent and a purpose.
CREATE TRIGGER licence_access_needs_consent BEFORE INSERT ON licence_accesses
WHEN NOT EXISTS (SELECT 1 FROM consents c WHERE c.id = NEW.consent_id AND c.state = 'granted'
  AND c.session_id = NEW.session_id AND c.expires_at > NEW.at)
BEGIN SELECT RAISE(ABORT, 'consent_required'); END;

CREATE TABLE files (
  sm3 TEXT NOT NULL, key_id TEXT NOT NULL, bytes INTEGER NOT NULL, media_type TEXT NOT NULL, created_at INTEGER NOT NULL,
  PRIMARY KEY (sm3, key_id)
) STRICT;
CREATE INDEX files_of_key ON files (key_id);
CREATE TABLE materials (
  id TEXT PRIMARY KEY, session_id TEXT, case_id TEXT, key_id TEXT NOT NULL, code TEXT NOT NULL, name_zh TEXT NOT NULL, name_en TEXT NOT NULL,
  source TEXT NOT NULL, media_type TEXT NOT NULL, bytes INTEGER NOT NULL, sm3 TEXT NOT NULL, trust TEXT NOT NULL,
  licence_id TEXT, added_by TEXT NOT NULL, at INTEGER NOT NULL, removed_at INTEGER
) STRICT;
CREATE INDEX materials_of_session ON materials (session_id);
CREATE INDEX materials_of_case ON materials (case_id);
CREATE TABLE signatures (
  id TEXT PRIMARY KEY, session_id TEXT NOT NULL REFERENCES sessions (id), case_id TEXT, key_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('asked', 'declined', 'signed', 'void')), digest TEXT NOT NULL, language TEXT NOT NULL,
  declaration_zh TEXT NOT NULL, declaration_en TEXT NOT NULL, canonical_enc BLOB NOT NULL, strokes_enc BLOB, image_enc BLOB,
  asked_at INTEGER NOT NULL, signed_at INTEGER
) STRICT;
CREATE UNIQUE INDEX signature_live ON signatures (session_id) WHERE state IN ('asked', 'signed');

CREATE TABLE items (
  id TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
  doc TEXT NOT NULL, published_at INTEGER, PRIMARY KEY (id, version)
) STRICT;
CREATE UNIQUE INDEX item_published ON items (id) WHERE state = 'published';

CREATE TABLE cases (
  id TEXT PRIMARY KEY, number TEXT NOT NULL UNIQUE, session_id TEXT NOT NULL UNIQUE REFERENCES sessions (id),
  visit_id TEXT NOT NULL, key_id TEXT NOT NULL, hall_id TEXT NOT NULL, department TEXT NOT NULL,
  item TEXT NOT NULL, item_version INTEGER NOT NULL, form_id TEXT NOT NULL, signature_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('draft', 'received', 'pre_check', 'correction', 'not_accepted', 'transferred', 'accepted',
    'in_review', 'extended', 'suspended', 'granted', 'refused', 'issuing', 'issued', 'delivered', 'archived', 'withdrawn', 'returned')),
  version INTEGER NOT NULL, machine TEXT NOT NULL, applicant_enc BLOB NOT NULL, applicant_index TEXT NOT NULL,
  received_at INTEGER NOT NULL, accepted_at INTEGER, due_on TEXT, claimed_by TEXT, corrected INTEGER NOT NULL DEFAULT 0 CHECK (corrected IN (0, 1)),
  correction_enc BLOB, decision_enc BLOB,
  -- Last day for the applicant, inclusive. A case that waits for its applicant always has one: nobody waits for ever.
  correction_due TEXT, CHECK ((state = 'correction') = (correction_due IS NOT NULL))
) STRICT;
CREATE INDEX cases_work ON cases (state, due_on, id);
CREATE INDEX cases_of_key ON cases (key_id);
CREATE INDEX cases_correction ON cases (correction_due, id) WHERE state = 'correction';
CREATE INDEX cases_of_applicant ON cases (applicant_index);
CREATE TABLE case_numbers (prefix TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT;
CREATE TABLE case_events (
  case_id TEXT NOT NULL REFERENCES cases (id), seq INTEGER NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, actor TEXT NOT NULL,
  payload_enc BLOB, PRIMARY KEY (case_id, seq)
) STRICT, WITHOUT ROWID;
-- Separation of duties. Set 1: guided, filled, accepted; set 2: reviewed, decided; set 3: issued.
CREATE TABLE case_duties (
  case_id TEXT NOT NULL REFERENCES cases (id), duty TEXT NOT NULL, duty_set INTEGER NOT NULL,
  staff_id TEXT NOT NULL REFERENCES staff (id), number_index TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (case_id, duty, staff_id),
  CHECK ((duty IN ('guided', 'filled', 'accepted') AND duty_set = 1) OR (duty IN ('reviewed', 'decided') AND duty_set = 2)
    OR (duty = 'issued' AND duty_set = 3))
) STRICT;
-- Invariant 4, by person and by identity number, whoever holds the account.
CREATE TRIGGER duties_disjoint BEFORE INSERT ON case_duties
WHEN EXISTS (SELECT 1 FROM case_duties d WHERE d.case_id = NEW.case_id AND d.duty_set <> NEW.duty_set
  AND (d.staff_id = NEW.staff_id OR d.number_index = NEW.number_index))
BEGIN SELECT RAISE(ABORT, 'duty_conflict'); END;
CREATE TRIGGER duties_unchanged BEFORE UPDATE ON case_duties
BEGIN SELECT RAISE(ABORT, 'duty_conflict'); END;
CREATE TRIGGER duties_kept BEFORE DELETE ON case_duties
BEGIN SELECT RAISE(ABORT, 'duty_conflict'); END;
CREATE TABLE certificates (
  id TEXT PRIMARY KEY, case_id TEXT NOT NULL UNIQUE REFERENCES cases (id), number TEXT NOT NULL UNIQUE,
  licence_id TEXT NOT NULL REFERENCES licences (id), licence_identifier TEXT NOT NULL, key_id TEXT NOT NULL, sm3 TEXT NOT NULL, seal TEXT NOT NULL,
  verify_code TEXT NOT NULL, status TEXT NOT NULL CHECK (status IN ('valid', 'revoked', 'reissued')),
  title_zh TEXT NOT NULL, title_en TEXT NOT NULL, issuer_zh TEXT NOT NULL, issuer_en TEXT NOT NULL, holder_enc BLOB NOT NULL,
  issued_at INTEGER NOT NULL, valid_until TEXT
) STRICT;
CREATE INDEX certificates_licence ON certificates (licence_identifier);
CREATE TABLE ratings (
  id TEXT PRIMARY KEY, case_id TEXT NOT NULL UNIQUE REFERENCES cases (id), stars INTEGER NOT NULL CHECK (stars BETWEEN 1 AND 5),
  tags TEXT NOT NULL, comment_enc BLOB, is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)), at INTEGER NOT NULL
) STRICT;
CREATE TABLE handover_codes (
  hash TEXT PRIMARY KEY, case_id TEXT NOT NULL REFERENCES cases (id), visit_id TEXT NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER
) STRICT;

-- Invitations (咨询、邀请、转接) and notes within a session.
CREATE TABLE invites (
  id TEXT PRIMARY KEY, session_id TEXT NOT NULL REFERENCES sessions (id), version INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('consult', 'join', 'guest', 'transfer_warm', 'transfer_cold')),
  state TEXT NOT NULL CHECK (state IN ('ringing', 'accepted', 'introduced', 'done', 'declined', 'timed_out', 'cancelled', 'returned')),
  target TEXT NOT NULL, interpreter INTEGER NOT NULL CHECK (interpreter IN (0, 1)),
  by_member TEXT NOT NULL, by_staff TEXT NOT NULL REFERENCES staff (id), by_seat TEXT NOT NULL REFERENCES seats (id),
  -- The seat that rings or takes part, and who sits there.
  seat_id TEXT REFERENCES seats (id), staff_id TEXT REFERENCES staff (id), member_id TEXT REFERENCES session_members (id),
  code_hash TEXT UNIQUE, asked_at INTEGER NOT NULL, due_at INTEGER, decided_at INTEGER, ended_at INTEGER,
  CHECK ((kind = 'guest') = (code_hash IS NOT NULL)), CHECK ((state IN ('ringing', 'accepted', 'introduced')) = (ended_at IS NULL)),
  -- Nobody transfers to themselves.
  CHECK (staff_id IS NULL OR staff_id <> by_staff)
) STRICT;
CREATE INDEX invites_of_session ON invites (session_id, asked_at);
CREATE INDEX invites_due ON invites (due_at) WHERE due_at IS NOT NULL AND ended_at IS NULL;
CREATE UNIQUE INDEX invite_live_seat ON invites (seat_id) WHERE ended_at IS NULL AND seat_id IS NOT NULL;
CREATE UNIQUE INDEX invite_live_staff ON invites (staff_id) WHERE ended_at IS NULL AND staff_id IS NOT NULL;
CREATE UNIQUE INDEX invite_live_transfer ON invites (session_id) WHERE ended_at IS NULL AND kind IN ('transfer_warm', 'transfer_cold');
-- A seat that helps in another's session is offered nobody, and a seat with a citizen is not rung for help.
CREATE TRIGGER pairing_beside_invite BEFORE INSERT ON pairings
WHEN EXISTS (SELECT 1 FROM invites i WHERE i.seat_id = NEW.seat_id AND i.ended_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'seat_invited'); END;
CREATE TRIGGER invite_beside_pairing BEFORE INSERT ON invites
WHEN EXISTS (SELECT 1 FROM pairings p WHERE p.seat_id = NEW.seat_id AND p.state IN ('offered', 'accepted'))
BEGIN SELECT RAISE(ABORT, 'seat_paired'); END;
-- For staff alone, sealed under the session's key.
CREATE TABLE session_notes (
  id TEXT PRIMARY KEY, session_id TEXT NOT NULL REFERENCES sessions (id), staff_id TEXT NOT NULL REFERENCES staff (id),
  kind TEXT NOT NULL CHECK (kind IN ('note', 'wrap_up')), at INTEGER NOT NULL, text_enc BLOB NOT NULL
) STRICT;
CREATE INDEX notes_of_session ON session_notes (session_id, id);

-- Appointments (预约): slots are data of a hall's queue; a counter a slot holds its capacity, an index one live appointment a person.
CREATE TABLE slot_rules (
  hall_id TEXT NOT NULL REFERENCES halls (id), queue TEXT NOT NULL, rule TEXT NOT NULL, version INTEGER NOT NULL,
  PRIMARY KEY (hall_id, queue)
) STRICT;
CREATE TABLE slot_counts (
  hall_id TEXT NOT NULL REFERENCES halls (id), queue TEXT NOT NULL, starts_at INTEGER NOT NULL,
  capacity INTEGER NOT NULL, taken INTEGER NOT NULL,
  PRIMARY KEY (hall_id, queue, starts_at), CHECK (taken BETWEEN 0 AND capacity)
) STRICT;
CREATE TABLE appointments (
  id TEXT PRIMARY KEY, hall_id TEXT NOT NULL REFERENCES halls (id), person TEXT NOT NULL, queue TEXT NOT NULL, item TEXT,
  needs TEXT NOT NULL, starts_at INTEGER NOT NULL, ends_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('booked', 'checked_in', 'served', 'cancelled', 'no_show')),
  code_hash TEXT NOT NULL UNIQUE, ticket_id TEXT REFERENCES tickets (id), created_at INTEGER NOT NULL, reminded_at INTEGER,
  CHECK (state NOT IN ('checked_in', 'served') OR ticket_id IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX appointment_live ON appointments (hall_id, person) WHERE state IN ('booked', 'checked_in');
CREATE INDEX appointments_of_person ON appointments (person, starts_at);
CREATE INDEX appointments_due ON appointments (starts_at) WHERE state = 'booked';
CREATE INDEX appointments_in ON appointments (ticket_id) WHERE state = 'checked_in';

-- Call-backs (回拨): a ticket that needs no page to wait.
CREATE TABLE call_backs (
  ticket_id TEXT PRIMARY KEY REFERENCES tickets (id),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'ringing', 'answered', 'closed', 'cancelled')),
  tries INTEGER NOT NULL CHECK (tries BETWEEN 0 AND 2), due_at INTEGER, keep_until INTEGER NOT NULL,
  CHECK (state <> 'ringing' OR due_at IS NOT NULL)
) STRICT;
CREATE INDEX call_backs_keep ON call_backs (keep_until) WHERE state = 'waiting';
CREATE TABLE carry_codes (
  hash TEXT PRIMARY KEY, ticket_id TEXT NOT NULL REFERENCES tickets (id), expires_at INTEGER NOT NULL, used_at INTEGER
) STRICT;

-- Requests that are left (留言) when nobody is on duty: text, number and answer under a key of their own.
CREATE TABLE requests (
  id TEXT PRIMARY KEY, hall_id TEXT NOT NULL REFERENCES halls (id), person TEXT NOT NULL, queue TEXT NOT NULL, item TEXT,
  key_id TEXT NOT NULL REFERENCES data_keys (id), body_enc BLOB NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'claimed', 'done')), claimed_by TEXT REFERENCES staff (id), answer_enc BLOB,
  created_at INTEGER NOT NULL, answered_at INTEGER, erase_at INTEGER,
  CHECK ((state = 'open') = (claimed_by IS NULL)), CHECK ((state = 'done') = (answered_at IS NOT NULL))
) STRICT;
CREATE INDEX requests_of_hall ON requests (hall_id, created_at, id) WHERE state <> 'done';
CREATE INDEX requests_of_person ON requests (person, created_at);
CREATE INDEX requests_erase ON requests (erase_at) WHERE erase_at IS NOT NULL;

-- Seats, queue rules and the supervisor: consent between halls, AB seats, overflow until switched off, time in states, words to a seat, canned replies.
CREATE TABLE hall_accepts (
  hall_id TEXT NOT NULL REFERENCES halls (id), from_hall TEXT NOT NULL REFERENCES halls (id),
  PRIMARY KEY (hall_id, from_hall), CHECK (hall_id <> from_hall)
) STRICT;
-- No seat is offered a ticket of a hall whose people its own hall does not serve.
CREATE TRIGGER pairing_needs_consent BEFORE INSERT ON pairings
WHEN EXISTS (SELECT 1 FROM tickets t, seats s WHERE t.id = NEW.ticket_id AND s.id = NEW.seat_id AND s.hall_id <> t.hall_id
  AND NOT EXISTS (SELECT 1 FROM hall_accepts a WHERE a.hall_id = s.hall_id AND a.from_hall = t.hall_id))
BEGIN SELECT RAISE(ABORT, 'hall_consent_required'); END;
-- Nor is it rung for help with a citizen of such a hall, unless the talk is at its own hall already.
CREATE TRIGGER invite_needs_consent BEFORE INSERT ON invites
WHEN EXISTS (SELECT 1 FROM sessions x JOIN tickets t ON t.id = x.ticket_id JOIN seats s ON s.id = NEW.seat_id WHERE x.id = NEW.session_id
  AND s.hall_id <> t.hall_id AND s.hall_id <> x.hall_id AND NOT EXISTS (SELECT 1 FROM hall_accepts a WHERE a.hall_id = s.hall_id AND a.from_hall = t.hall_id))
BEGIN SELECT RAISE(ABORT, 'hall_consent_required'); END;
CREATE TABLE item_pairs (
  hall_id TEXT NOT NULL REFERENCES halls (id), item TEXT NOT NULL, a_staff TEXT NOT NULL REFERENCES staff (id), b_staff TEXT NOT NULL REFERENCES staff (id),
  PRIMARY KEY (hall_id, item), CHECK (a_staff <> b_staff)
) STRICT;
CREATE TABLE queue_overflows (
  hall_id TEXT NOT NULL REFERENCES halls (id), code TEXT NOT NULL, to_hall TEXT NOT NULL REFERENCES halls (id),
  PRIMARY KEY (hall_id, code), CHECK (hall_id <> to_hall),
  -- Ends with the other hall's consent.
  FOREIGN KEY (to_hall, hall_id) REFERENCES hall_accepts (hall_id, from_hall) ON DELETE CASCADE
) STRICT;
-- From inclusive, to exclusive; the one without an end lasts still.
CREATE TABLE seat_states (
  seat_id TEXT NOT NULL REFERENCES seats (id), from_at INTEGER NOT NULL, to_at INTEGER, state TEXT NOT NULL, reason TEXT, staff_id TEXT,
  PRIMARY KEY (seat_id, from_at), CHECK (to_at IS NULL OR to_at > from_at)
) STRICT;
CREATE UNIQUE INDEX seat_state_open ON seat_states (seat_id) WHERE to_at IS NULL;
CREATE TABLE notices (
  id TEXT PRIMARY KEY, seat_id TEXT NOT NULL REFERENCES seats (id), from_staff TEXT NOT NULL REFERENCES staff (id), at INTEGER NOT NULL,
  text TEXT NOT NULL, read_at INTEGER
) STRICT;
CREATE INDEX notices_of_seat ON notices (seat_id, id);
CREATE INDEX notices_at ON notices (at);
-- The owner is a hall or a member of staff.
CREATE TABLE phrases (
  id TEXT PRIMARY KEY, hall_id TEXT NOT NULL REFERENCES halls (id), owner TEXT NOT NULL, text_zh TEXT NOT NULL, text_en TEXT NOT NULL,
  shortcut TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX phrase_shortcut ON phrases (owner, shortcut);
CREATE INDEX tickets_day ON tickets (hall_id, enqueued_at);
