-- The first schema, all nouns. PostgreSQL edition; migrations/sqlite has the same numbers, names, tables and columns.
-- Times are microseconds since the epoch, UTC. Lists and documents are JSON as text. Columns named *_enc hold
-- AES-256-GCM ciphertext under a key of data_keys; erasure is the death of that key.

CREATE TABLE nodes (
  id TEXT COLLATE "C" PRIMARY KEY, internal_url TEXT COLLATE "C" NOT NULL, media_addr TEXT COLLATE "C" NOT NULL, heartbeat BIGINT NOT NULL
);
-- A lease with a fencing epoch: 'sequencer', 'timers', 'room:<ticket>'.
CREATE TABLE leases (
  name TEXT COLLATE "C" PRIMARY KEY, holder TEXT COLLATE "C" NOT NULL, epoch BIGINT NOT NULL, expires_at BIGINT NOT NULL
);
CREATE TABLE data_keys (
  id TEXT COLLATE "C" PRIMARY KEY, wrapped BYTEA, created_at BIGINT NOT NULL, destroyed_at BIGINT,
  CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
CREATE TABLE idempotency (
  caller TEXT COLLATE "C" NOT NULL, route TEXT COLLATE "C" NOT NULL, key TEXT COLLATE "C" NOT NULL, body_hash TEXT COLLATE "C" NOT NULL,
  answer TEXT COLLATE "C", at BIGINT NOT NULL, PRIMARY KEY (caller, route, key)
);
CREATE INDEX idempotency_at ON idempotency (at);
CREATE TABLE outbox (
  id TEXT COLLATE "C" PRIMARY KEY, at BIGINT NOT NULL, kind TEXT COLLATE "C" NOT NULL, subject TEXT COLLATE "C" NOT NULL, payload TEXT COLLATE "C" NOT NULL,
  -- Place within its transaction; then the one among all, given by the sequencer.
  nth BIGINT NOT NULL, seq BIGINT UNIQUE, attempts BIGINT NOT NULL DEFAULT 0, due_at BIGINT NOT NULL, delivered_at BIGINT
);
CREATE INDEX outbox_due ON outbox (due_at) WHERE delivered_at IS NULL;
CREATE INDEX outbox_delivered ON outbox (delivered_at) WHERE delivered_at IS NOT NULL;
CREATE INDEX outbox_unsequenced ON outbox (at, nth, id) WHERE seq IS NULL;
CREATE TABLE audit_entries (
  id TEXT COLLATE "C" PRIMARY KEY, at BIGINT NOT NULL, actor TEXT COLLATE "C" NOT NULL, action TEXT COLLATE "C" NOT NULL, object TEXT COLLATE "C" NOT NULL,
  detail TEXT COLLATE "C" NOT NULL, seq BIGINT UNIQUE, leaf TEXT COLLATE "C"
);
CREATE INDEX audit_unsequenced ON audit_entries (id) WHERE seq IS NULL;
CREATE INDEX audit_object ON audit_entries (object);
CREATE TABLE audit_checkpoints (
  size BIGINT PRIMARY KEY, root TEXT COLLATE "C" NOT NULL, at BIGINT NOT NULL, signature TEXT COLLATE "C" NOT NULL
);

CREATE TABLE halls (
  id TEXT COLLATE "C" PRIMARY KEY, name_zh TEXT COLLATE "C" NOT NULL, name_en TEXT COLLATE "C" NOT NULL, opens TEXT COLLATE "C" NOT NULL, closes TEXT COLLATE "C" NOT NULL,
  telephone TEXT COLLATE "C" NOT NULL, address_zh TEXT COLLATE "C" NOT NULL, address_en TEXT COLLATE "C" NOT NULL,
  ticket_day TEXT COLLATE "C" NOT NULL DEFAULT '', ticket_no BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE skills (code TEXT COLLATE "C" PRIMARY KEY, name_zh TEXT COLLATE "C" NOT NULL, name_en TEXT COLLATE "C" NOT NULL);
-- A queue's rule is data (`domain::routing::Rule`, JSON); without a row the queue asks for its own skill and nothing else.
CREATE TABLE queues (
  hall_id TEXT COLLATE "C" NOT NULL REFERENCES halls (id), code TEXT COLLATE "C" NOT NULL, rule TEXT COLLATE "C" NOT NULL, version BIGINT NOT NULL,
  PRIMARY KEY (hall_id, code)
);
CREATE TABLE departments (id TEXT COLLATE "C" PRIMARY KEY, name_zh TEXT COLLATE "C" NOT NULL, name_en TEXT COLLATE "C" NOT NULL);
CREATE TABLE staff (
  id TEXT COLLATE "C" PRIMARY KEY, account TEXT COLLATE "C" NOT NULL UNIQUE, name TEXT COLLATE "C" NOT NULL, number_index TEXT COLLATE "C" NOT NULL,
  password_hash TEXT COLLATE "C" NOT NULL, totp_enc BYTEA, roles TEXT COLLATE "C" NOT NULL, hall_id TEXT COLLATE "C" NOT NULL REFERENCES halls (id),
  department TEXT COLLATE "C", skills TEXT COLLATE "C" NOT NULL, active BOOLEAN NOT NULL DEFAULT TRUE,
  failures BIGINT NOT NULL DEFAULT 0, locked_until BIGINT
);
CREATE TABLE refresh_tokens (
  hash TEXT COLLATE "C" PRIMARY KEY, family TEXT COLLATE "C" NOT NULL, staff_id TEXT COLLATE "C" NOT NULL REFERENCES staff (id),
  expires_at BIGINT NOT NULL, used_at BIGINT, revoked BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX refresh_family ON refresh_tokens (family);
CREATE TABLE ws_tickets (hash TEXT COLLATE "C" PRIMARY KEY, principal TEXT COLLATE "C" NOT NULL, expires_at BIGINT NOT NULL);
CREATE TABLE booths (
  id TEXT COLLATE "C" PRIMARY KEY, hall_id TEXT COLLATE "C" NOT NULL REFERENCES halls (id), name_zh TEXT COLLATE "C" NOT NULL, name_en TEXT COLLATE "C" NOT NULL,
  public_key TEXT COLLATE "C" NOT NULL, active BOOLEAN NOT NULL DEFAULT TRUE
);
CREATE TABLE booth_nonces (
  nonce TEXT COLLATE "C" PRIMARY KEY, booth_id TEXT COLLATE "C" NOT NULL REFERENCES booths (id), expires_at BIGINT NOT NULL
);

-- A citizen's presence, anonymous until a card is read.
CREATE TABLE visits (
  id TEXT COLLATE "C" PRIMARY KEY, channel TEXT COLLATE "C" NOT NULL CHECK (channel IN ('booth', 'phone')),
  hall_id TEXT COLLATE "C" NOT NULL REFERENCES halls (id), booth_id TEXT COLLATE "C" REFERENCES booths (id), language TEXT COLLATE "C" NOT NULL,
  elder BOOLEAN NOT NULL, key_id TEXT COLLATE "C" NOT NULL REFERENCES data_keys (id),
  identity_enc BYTEA, citizen_index TEXT COLLATE "C", card_nonce TEXT COLLATE "C", state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'ended')),
  created_at BIGINT NOT NULL, ended_at BIGINT,
  -- When the key is destroyed unless a case has adopted it; none before the end and after it is settled.
  erase_at BIGINT, CHECK (erase_at IS NULL OR ended_at IS NOT NULL)
);
CREATE INDEX visits_open ON visits (created_at) WHERE state = 'open';
CREATE INDEX visits_erase ON visits (erase_at) WHERE erase_at IS NOT NULL;

CREATE INDEX visits_of_citizen ON visits (citizen_index) WHERE citizen_index IS NOT NULL;
CREATE TABLE seats (
  id TEXT COLLATE "C" PRIMARY KEY, hall_id TEXT COLLATE "C" NOT NULL REFERENCES halls (id), name_zh TEXT COLLATE "C" NOT NULL, name_en TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('offline', 'ready', 'ringing', 'busy', 'wrap_up', 'away')),
  away_reason TEXT COLLATE "C", since BIGINT NOT NULL, version BIGINT NOT NULL, staff_id TEXT COLLATE "C" REFERENCES staff (id),
  skills TEXT COLLATE "C" NOT NULL, holder TEXT COLLATE "C", due_at BIGINT, wrap_up_session TEXT COLLATE "C", silent_since BIGINT,
  -- The page accepts by itself; wrap-up was made longer; a supervisor's word (JSON), until the agent moves on.
  auto_answer BOOLEAN NOT NULL DEFAULT FALSE, extended BOOLEAN NOT NULL DEFAULT FALSE, forced TEXT COLLATE "C",
  -- A text lane is a seat under another: what holds for a seat holds for each lane.
  main_seat TEXT COLLATE "C" REFERENCES seats (id), lane BIGINT NOT NULL DEFAULT 0 CHECK (lane BETWEEN 0 AND 8),
  takes_text BOOLEAN NOT NULL DEFAULT FALSE,
  CHECK ((main_seat IS NULL) = (lane = 0)), UNIQUE (main_seat, lane)
);
-- One seat per account, and each of its lanes once: the constraint, not the page, says so.
CREATE UNIQUE INDEX seat_of_staff ON seats (staff_id, lane) WHERE state <> 'offline';
CREATE INDEX seats_ready ON seats (hall_id, skills, lane, since, id) WHERE state = 'ready' AND silent_since IS NULL;
CREATE INDEX seats_of_hall ON seats (hall_id);
CREATE INDEX seats_due ON seats (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX seats_silent ON seats (silent_since) WHERE silent_since IS NOT NULL;

CREATE TABLE tickets (
  id TEXT COLLATE "C" PRIMARY KEY, hall_id TEXT COLLATE "C" NOT NULL REFERENCES halls (id), visit_id TEXT COLLATE "C" NOT NULL REFERENCES visits (id),
  number TEXT COLLATE "C" NOT NULL, skill TEXT COLLATE "C" NOT NULL, item TEXT COLLATE "C", needs TEXT COLLATE "C" NOT NULL, channel TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'offered', 'paired', 'closed', 'abandoned', 'expired', 'called_back')),
  version BIGINT NOT NULL, class BIGINT NOT NULL, enqueued_at BIGINT NOT NULL,
  -- What it asks of a seat now (`domain::routing`), when that changes, its place in the order of service, who else may serve it.
  demand TEXT COLLATE "C" NOT NULL, stage_at BIGINT, order_at BIGINT NOT NULL, overflow_hall TEXT COLLATE "C", language TEXT COLLATE "C",
  -- The connection whose loss starts the grace: the newest page that watches.
  holder TEXT COLLATE "C",
  grace_until BIGINT, session_id TEXT COLLATE "C", next_ticket TEXT COLLATE "C", reason TEXT COLLATE "C",
  mode TEXT COLLATE "C" NOT NULL DEFAULT 'video' CHECK (mode IN ('video', 'audio', 'text')),
  estimate_low BIGINT, estimate_high BIGINT, paired_at BIGINT, ended_at BIGINT
);
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
  id TEXT COLLATE "C" PRIMARY KEY, hall_id TEXT COLLATE "C" NOT NULL, ticket_id TEXT COLLATE "C" NOT NULL REFERENCES tickets (id),
  seat_id TEXT COLLATE "C" NOT NULL REFERENCES seats (id), visit_id TEXT COLLATE "C" NOT NULL REFERENCES visits (id),
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('offered', 'accepted', 'declined', 'timed_out', 'cancelled', 'ended')),
  offered_at BIGINT NOT NULL, due_at BIGINT NOT NULL, decided_at BIGINT, ended_at BIGINT, reason TEXT COLLATE "C"
);
-- Invariant 1: at most one live pairing per seat, per citizen and per ticket.
CREATE UNIQUE INDEX pairing_live_seat ON pairings (seat_id) WHERE state IN ('offered', 'accepted');
CREATE UNIQUE INDEX pairing_live_visit ON pairings (visit_id) WHERE state IN ('offered', 'accepted');
CREATE UNIQUE INDEX pairing_live_ticket ON pairings (ticket_id) WHERE state IN ('offered', 'accepted');
CREATE INDEX pairings_due ON pairings (due_at) WHERE state = 'offered';

CREATE TABLE sessions (
  id TEXT COLLATE "C" PRIMARY KEY, hall_id TEXT COLLATE "C" NOT NULL REFERENCES halls (id), ticket_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES tickets (id),
  visit_id TEXT COLLATE "C" NOT NULL REFERENCES visits (id), pairing_id TEXT COLLATE "C" NOT NULL REFERENCES pairings (id),
  seat_id TEXT COLLATE "C" NOT NULL REFERENCES seats (id), staff_id TEXT COLLATE "C" NOT NULL REFERENCES staff (id), key_id TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('connecting', 'active', 'reconnecting', 'ended')),
  end_reason TEXT COLLATE "C", seq BIGINT NOT NULL, version BIGINT NOT NULL, started_at BIGINT NOT NULL, ended_at BIGINT,
  due_at BIGINT, item TEXT COLLATE "C", item_version BIGINT, case_id TEXT COLLATE "C", wrap_up TEXT COLLATE "C",
  -- On the way to another seat: nobody serves it, its last seat is free. And the rung of the ladder, with the one that is asked for.
  parked BOOLEAN NOT NULL DEFAULT FALSE,
  mode TEXT COLLATE "C" NOT NULL DEFAULT 'video' CHECK (mode IN ('video', 'audio', 'text', 'phone')), mode_asked TEXT COLLATE "C"
);
CREATE UNIQUE INDEX session_live_seat ON sessions (seat_id) WHERE state <> 'ended' AND NOT parked;
CREATE UNIQUE INDEX session_live_visit ON sessions (visit_id) WHERE state <> 'ended';
CREATE INDEX sessions_of_visit ON sessions (visit_id, started_at);
CREATE INDEX sessions_recent ON sessions (hall_id, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_due ON sessions (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE session_members (
  id TEXT COLLATE "C" PRIMARY KEY, session_id TEXT COLLATE "C" NOT NULL REFERENCES sessions (id),
  role TEXT COLLATE "C" NOT NULL CHECK (role IN ('citizen', 'agent', 'guest', 'supervisor')),
  staff_id TEXT COLLATE "C", visit_id TEXT COLLATE "C", name TEXT COLLATE "C" NOT NULL, present BOOLEAN NOT NULL,
  mic_on BOOLEAN NOT NULL, camera_on BOOLEAN NOT NULL,
  joined_at BIGINT, left_at BIGINT, holder TEXT COLLATE "C", dropped_at BIGINT,
  -- What they may see and do (`domain::invite::Member`); a guest's name is sealed.
  part TEXT COLLATE "C" NOT NULL DEFAULT 'colleague' CHECK (part IN ('citizen', 'agent', 'consulted', 'colleague', 'interpreter', 'guest', 'supervisor')),
  -- Has been the agent: that duty stays, whatever they are later.
  served BOOLEAN NOT NULL DEFAULT FALSE, name_enc BYTEA
);
CREATE INDEX members_of_session ON session_members (session_id);
CREATE INDEX members_present ON session_members (id) WHERE present;
CREATE UNIQUE INDEX member_staff ON session_members (session_id, staff_id) WHERE staff_id IS NOT NULL;
CREATE UNIQUE INDEX member_visit ON session_members (session_id, visit_id) WHERE visit_id IS NOT NULL;
CREATE TABLE session_events (
  session_id TEXT COLLATE "C" NOT NULL REFERENCES sessions (id), seq BIGINT NOT NULL, at BIGINT NOT NULL,
  actor TEXT COLLATE "C", kind TEXT COLLATE "C" NOT NULL, payload_enc BYTEA NOT NULL, PRIMARY KEY (session_id, seq)
);

-- Co-filling: one document a session, later adopted by the case.
CREATE TABLE forms (
  id TEXT COLLATE "C" PRIMARY KEY, item TEXT COLLATE "C" NOT NULL, item_version BIGINT NOT NULL, key_id TEXT COLLATE "C" NOT NULL,
  doc_enc BYTEA NOT NULL, version BIGINT NOT NULL, updated_at BIGINT NOT NULL
);
CREATE TABLE consents (
  id TEXT COLLATE "C" PRIMARY KEY, session_id TEXT COLLATE "C" NOT NULL REFERENCES sessions (id), visit_id TEXT COLLATE "C" NOT NULL REFERENCES visits (id),
  licence_type TEXT COLLATE "C" NOT NULL, company TEXT COLLATE "C", item TEXT COLLATE "C" NOT NULL, fields TEXT COLLATE "C" NOT NULL, purpose TEXT COLLATE "C" NOT NULL,
  policy_version TEXT COLLATE "C" NOT NULL, state TEXT COLLATE "C" NOT NULL CHECK (state IN ('asked', 'granted', 'refused', 'withdrawn', 'used', 'expired')),
  asked_by TEXT COLLATE "C" NOT NULL, asked_at BIGINT NOT NULL, decided_at BIGINT, used_at BIGINT, expires_at BIGINT, outcome TEXT COLLATE "C"
);
CREATE INDEX consents_of_session ON consents (session_id);
CREATE INDEX consents_due ON consents (expires_at) WHERE state = 'granted';
CREATE UNIQUE INDEX consent_open ON consents (session_id, licence_type, item) WHERE state = 'asked';

CREATE TABLE licence_types (code TEXT COLLATE "C" PRIMARY KEY, name_zh TEXT COLLATE "C" NOT NULL, name_en TEXT COLLATE "C" NOT NULL, doc TEXT COLLATE "C" NOT NULL);
CREATE TABLE licences (
  id TEXT COLLATE "C" PRIMARY KEY, identifier TEXT COLLATE "C" NOT NULL UNIQUE, type_code TEXT COLLATE "C" NOT NULL REFERENCES licence_types (code),
  version BIGINT NOT NULL, holder_type TEXT COLLATE "C" NOT NULL, holder_index TEXT COLLATE "C" NOT NULL, legal_rep_index TEXT COLLATE "C",
  status TEXT COLLATE "C" NOT NULL, trust TEXT COLLATE "C" NOT NULL CHECK (trust IN ('A', 'B', 'C', 'D')), issued_on TEXT COLLATE "C" NOT NULL,
  valid_until TEXT COLLATE "C", key_id TEXT COLLATE "C" NOT NULL, data_enc BYTEA NOT NULL, case_id TEXT COLLATE "C", created_at BIGINT NOT NULL
);
CREATE INDEX licences_of_holder ON licences (holder_index, type_code);
CREATE TABLE licence_accesses (
  id TEXT COLLATE "C" PRIMARY KEY, licence_id TEXT COLLATE "C" NOT NULL REFERENCES licences (id), consent_id TEXT COLLATE "C" NOT NULL REFERENCES consents (id),
  session_id TEXT COLLATE "C" NOT NULL, case_id TEXT COLLATE "C", visit_id TEXT COLLATE "C" NOT NULL, actor TEXT COLLATE "C" NOT NULL,
  purpose TEXT COLLATE "C" NOT NULL CHECK (purpose <> ''), fields TEXT COLLATE "C" NOT NULL, at BIGINT NOT NULL, signature TEXT COLLATE "C" NOT NULL
);
CREATE INDEX accesses_of_case ON licence_accesses (case_id);
CREATE INDEX accesses_of_session ON licence_accesses (session_id);
CREATE INDEX accesses_of_visit ON licence_accesses (visit_id);
-- Invariant 3: no licence value is read without a live consent and a purpose.
CREATE FUNCTION licence_access_needs_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM consents c WHERE c.id = NEW.consent_id AND c.state = 'granted'
  AND c.session_id = NEW.session_id AND c.expires_at > NEW.at) THEN
    RAISE EXCEPTION 'consent_required' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER licence_access_needs_consent BEFORE INSERT ON licence_accesses FOR EACH ROW EXECUTE FUNCTION licence_access_needs_consent();

CREATE TABLE files (
  sm3 TEXT COLLATE "C" NOT NULL, key_id TEXT COLLATE "C" NOT NULL, bytes BIGINT NOT NULL, media_type TEXT COLLATE "C" NOT NULL, created_at BIGINT NOT NULL,
  PRIMARY KEY (sm3, key_id)
);
CREATE INDEX files_of_key ON files (key_id);
CREATE TABLE materials (
  id TEXT COLLATE "C" PRIMARY KEY, session_id TEXT COLLATE "C", case_id TEXT COLLATE "C", key_id TEXT COLLATE "C" NOT NULL, code TEXT COLLATE "C" NOT NULL, name_zh TEXT COLLATE "C" NOT NULL, name_en TEXT COLLATE "C" NOT NULL,
  source TEXT COLLATE "C" NOT NULL, media_type TEXT COLLATE "C" NOT NULL, bytes BIGINT NOT NULL, sm3 TEXT COLLATE "C" NOT NULL, trust TEXT COLLATE "C" NOT NULL,
  licence_id TEXT COLLATE "C", added_by TEXT COLLATE "C" NOT NULL, at BIGINT NOT NULL, removed_at BIGINT
);
CREATE INDEX materials_of_session ON materials (session_id);
CREATE INDEX materials_of_case ON materials (case_id);
CREATE TABLE signatures (
  id TEXT COLLATE "C" PRIMARY KEY, session_id TEXT COLLATE "C" NOT NULL REFERENCES sessions (id), case_id TEXT COLLATE "C", key_id TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('asked', 'declined', 'signed', 'void')), digest TEXT COLLATE "C" NOT NULL, language TEXT COLLATE "C" NOT NULL,
  declaration_zh TEXT COLLATE "C" NOT NULL, declaration_en TEXT COLLATE "C" NOT NULL, canonical_enc BYTEA NOT NULL, strokes_enc BYTEA, image_enc BYTEA,
  asked_at BIGINT NOT NULL, signed_at BIGINT
);
CREATE UNIQUE INDEX signature_live ON signatures (session_id) WHERE state IN ('asked', 'signed');

CREATE TABLE items (
  id TEXT COLLATE "C" NOT NULL, version BIGINT NOT NULL, state TEXT COLLATE "C" NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
  doc TEXT COLLATE "C" NOT NULL, published_at BIGINT, PRIMARY KEY (id, version)
);
CREATE UNIQUE INDEX item_published ON items (id) WHERE state = 'published';

CREATE TABLE cases (
  id TEXT COLLATE "C" PRIMARY KEY, number TEXT COLLATE "C" NOT NULL UNIQUE, session_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES sessions (id),
  visit_id TEXT COLLATE "C" NOT NULL, key_id TEXT COLLATE "C" NOT NULL, hall_id TEXT COLLATE "C" NOT NULL, department TEXT COLLATE "C" NOT NULL,
  item TEXT COLLATE "C" NOT NULL, item_version BIGINT NOT NULL, form_id TEXT COLLATE "C" NOT NULL, signature_id TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('draft', 'received', 'pre_check', 'correction', 'not_accepted', 'transferred', 'accepted',
    'in_review', 'extended', 'suspended', 'granted', 'refused', 'issuing', 'issued', 'delivered', 'archived', 'withdrawn', 'returned')),
  version BIGINT NOT NULL, machine TEXT COLLATE "C" NOT NULL, applicant_enc BYTEA NOT NULL, applicant_index TEXT COLLATE "C" NOT NULL,
  received_at BIGINT NOT NULL, accepted_at BIGINT, due_on TEXT COLLATE "C", claimed_by TEXT COLLATE "C", corrected BOOLEAN NOT NULL DEFAULT FALSE,
  correction_enc BYTEA, decision_enc BYTEA,
  -- Last day for the applicant, inclusive. A case that waits for its applicant always has one: nobody waits for ever.
  correction_due TEXT COLLATE "C", CHECK ((state = 'correction') = (correction_due IS NOT NULL))
);
CREATE INDEX cases_work ON cases (state, due_on, id);
CREATE INDEX cases_of_key ON cases (key_id);
CREATE INDEX cases_correction ON cases (correction_due, id) WHERE state = 'correction';
CREATE INDEX cases_of_applicant ON cases (applicant_index);
CREATE TABLE case_numbers (prefix TEXT COLLATE "C" PRIMARY KEY, last BIGINT NOT NULL);
CREATE TABLE case_events (
  case_id TEXT COLLATE "C" NOT NULL REFERENCES cases (id), seq BIGINT NOT NULL, at BIGINT NOT NULL, kind TEXT COLLATE "C" NOT NULL, actor TEXT COLLATE "C" NOT NULL,
  payload_enc BYTEA, PRIMARY KEY (case_id, seq)
);
-- Separation of duties. Set 1: guided, filled, accepted; set 2: reviewed, decided; set 3: issued.
CREATE TABLE case_duties (
  case_id TEXT COLLATE "C" NOT NULL REFERENCES cases (id), duty TEXT COLLATE "C" NOT NULL, duty_set BIGINT NOT NULL,
  staff_id TEXT COLLATE "C" NOT NULL REFERENCES staff (id), number_index TEXT COLLATE "C" NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (case_id, duty, staff_id),
  CHECK ((duty IN ('guided', 'filled', 'accepted') AND duty_set = 1) OR (duty IN ('reviewed', 'decided') AND duty_set = 2)
    OR (duty = 'issued' AND duty_set = 3))
);
-- Invariant 4, by person and by identity number, whoever holds the account.
CREATE FUNCTION duties_disjoint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Two duties of one case in two transactions would not see each other: take turns on the case's row.
  PERFORM 1 FROM cases WHERE id = NEW.case_id FOR UPDATE;
  IF EXISTS (SELECT 1 FROM case_duties d WHERE d.case_id = NEW.case_id AND d.duty_set <> NEW.duty_set
  AND (d.staff_id = NEW.staff_id OR d.number_index = NEW.number_index)) THEN
    RAISE EXCEPTION 'duty_conflict' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER duties_disjoint BEFORE INSERT ON case_duties FOR EACH ROW EXECUTE FUNCTION duties_disjoint();
CREATE FUNCTION duties_unchanged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'duty_conflict' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER duties_unchanged BEFORE UPDATE ON case_duties FOR EACH ROW EXECUTE FUNCTION duties_unchanged();
CREATE FUNCTION duties_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'duty_conflict' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER duties_kept BEFORE DELETE ON case_duties FOR EACH ROW EXECUTE FUNCTION duties_kept();
CREATE TABLE certificates (
  id TEXT COLLATE "C" PRIMARY KEY, case_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES cases (id), number TEXT COLLATE "C" NOT NULL UNIQUE,
  licence_id TEXT COLLATE "C" NOT NULL REFERENCES licences (id), licence_identifier TEXT COLLATE "C" NOT NULL, key_id TEXT COLLATE "C" NOT NULL, sm3 TEXT COLLATE "C" NOT NULL, seal TEXT COLLATE "C" NOT NULL,
  verify_code TEXT COLLATE "C" NOT NULL, status TEXT COLLATE "C" NOT NULL CHECK (status IN ('valid', 'revoked', 'reissued')),
  title_zh TEXT COLLATE "C" NOT NULL, title_en TEXT COLLATE "C" NOT NULL, issuer_zh TEXT COLLATE "C" NOT NULL, issuer_en TEXT COLLATE "C" NOT NULL, holder_enc BYTEA NOT NULL,
  issued_at BIGINT NOT NULL, valid_until TEXT COLLATE "C"
);
CREATE INDEX certificates_licence ON certificates (licence_identifier);
CREATE TABLE ratings (
  id TEXT COLLATE "C" PRIMARY KEY, case_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES cases (id), stars BIGINT NOT NULL CHECK (stars BETWEEN 1 AND 5),
  tags TEXT COLLATE "C" NOT NULL, comment_enc BYTEA, is_default BOOLEAN NOT NULL, at BIGINT NOT NULL
);
CREATE TABLE handover_codes (
  hash TEXT COLLATE "C" PRIMARY KEY, case_id TEXT COLLATE "C" NOT NULL REFERENCES cases (id), visit_id TEXT COLLATE "C" NOT NULL, expires_at BIGINT NOT NULL, used_at BIGINT
);

-- Invitations (咨询、邀请、转接) and notes within a session.
CREATE TABLE invites (
  id TEXT COLLATE "C" PRIMARY KEY, session_id TEXT COLLATE "C" NOT NULL REFERENCES sessions (id), version BIGINT NOT NULL,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('consult', 'join', 'guest', 'transfer_warm', 'transfer_cold')),
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('ringing', 'accepted', 'introduced', 'done', 'declined', 'timed_out', 'cancelled', 'returned')),
  target TEXT COLLATE "C" NOT NULL, interpreter BOOLEAN NOT NULL,
  by_member TEXT COLLATE "C" NOT NULL, by_staff TEXT COLLATE "C" NOT NULL REFERENCES staff (id), by_seat TEXT COLLATE "C" NOT NULL REFERENCES seats (id),
  -- The seat that rings or takes part, and who sits there.
  seat_id TEXT COLLATE "C" REFERENCES seats (id), staff_id TEXT COLLATE "C" REFERENCES staff (id), member_id TEXT COLLATE "C" REFERENCES session_members (id),
  code_hash TEXT COLLATE "C" UNIQUE, asked_at BIGINT NOT NULL, due_at BIGINT, decided_at BIGINT, ended_at BIGINT,
  CHECK ((kind = 'guest') = (code_hash IS NOT NULL)), CHECK ((state IN ('ringing', 'accepted', 'introduced')) = (ended_at IS NULL)),
  -- Nobody transfers to themselves.
  CHECK (staff_id IS NULL OR staff_id <> by_staff)
);
CREATE INDEX invites_of_session ON invites (session_id, asked_at);
CREATE INDEX invites_due ON invites (due_at) WHERE due_at IS NOT NULL AND ended_at IS NULL;
CREATE UNIQUE INDEX invite_live_seat ON invites (seat_id) WHERE ended_at IS NULL AND seat_id IS NOT NULL;
CREATE UNIQUE INDEX invite_live_staff ON invites (staff_id) WHERE ended_at IS NULL AND staff_id IS NOT NULL;
CREATE UNIQUE INDEX invite_live_transfer ON invites (session_id) WHERE ended_at IS NULL AND kind IN ('transfer_warm', 'transfer_cold');
-- A seat that helps in another's session is offered nobody, and a seat with a citizen is not rung for help.
CREATE FUNCTION pairing_beside_invite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM invites i WHERE i.seat_id = NEW.seat_id AND i.ended_at IS NULL) THEN
    RAISE EXCEPTION 'seat_invited' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER pairing_beside_invite BEFORE INSERT ON pairings FOR EACH ROW EXECUTE FUNCTION pairing_beside_invite();
CREATE FUNCTION invite_beside_pairing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM pairings p WHERE p.seat_id = NEW.seat_id AND p.state IN ('offered', 'accepted')) THEN
    RAISE EXCEPTION 'seat_paired' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER invite_beside_pairing BEFORE INSERT ON invites FOR EACH ROW EXECUTE FUNCTION invite_beside_pairing();
-- For staff alone, sealed under the session's key.
CREATE TABLE session_notes (
  id TEXT COLLATE "C" PRIMARY KEY, session_id TEXT COLLATE "C" NOT NULL REFERENCES sessions (id), staff_id TEXT COLLATE "C" NOT NULL REFERENCES staff (id),
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('note', 'wrap_up')), at BIGINT NOT NULL, text_enc BYTEA NOT NULL
);
CREATE INDEX notes_of_session ON session_notes (session_id, id);

-- Appointments (预约): slots are data of a hall's queue; a counter a slot holds its capacity, an index one live appointment a person.
CREATE TABLE slot_rules (
  hall_id TEXT COLLATE "C" NOT NULL REFERENCES halls (id), queue TEXT COLLATE "C" NOT NULL, rule TEXT COLLATE "C" NOT NULL, version BIGINT NOT NULL,
  PRIMARY KEY (hall_id, queue)
);
CREATE TABLE slot_counts (
  hall_id TEXT COLLATE "C" NOT NULL REFERENCES halls (id), queue TEXT COLLATE "C" NOT NULL, starts_at BIGINT NOT NULL,
  capacity BIGINT NOT NULL, taken BIGINT NOT NULL,
  PRIMARY KEY (hall_id, queue, starts_at), CHECK (taken BETWEEN 0 AND capacity)
);
CREATE TABLE appointments (
  id TEXT COLLATE "C" PRIMARY KEY, hall_id TEXT COLLATE "C" NOT NULL REFERENCES halls (id), person TEXT COLLATE "C" NOT NULL, queue TEXT COLLATE "C" NOT NULL, item TEXT COLLATE "C",
  needs TEXT COLLATE "C" NOT NULL, starts_at BIGINT NOT NULL, ends_at BIGINT NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('booked', 'checked_in', 'served', 'cancelled', 'no_show')),
  code_hash TEXT COLLATE "C" NOT NULL UNIQUE, ticket_id TEXT COLLATE "C" REFERENCES tickets (id), created_at BIGINT NOT NULL, reminded_at BIGINT,
  CHECK (state NOT IN ('checked_in', 'served') OR ticket_id IS NOT NULL)
);
CREATE UNIQUE INDEX appointment_live ON appointments (hall_id, person) WHERE state IN ('booked', 'checked_in');
CREATE INDEX appointments_of_person ON appointments (person, starts_at);
CREATE INDEX appointments_due ON appointments (starts_at) WHERE state = 'booked';
CREATE INDEX appointments_in ON appointments (ticket_id) WHERE state = 'checked_in';

-- Call-backs (回拨): a ticket that needs no page to wait.
CREATE TABLE call_backs (
  ticket_id TEXT COLLATE "C" PRIMARY KEY REFERENCES tickets (id),
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'ringing', 'answered', 'closed', 'cancelled')),
  tries BIGINT NOT NULL CHECK (tries BETWEEN 0 AND 2), due_at BIGINT, keep_until BIGINT NOT NULL,
  CHECK (state <> 'ringing' OR due_at IS NOT NULL)
);
CREATE INDEX call_backs_keep ON call_backs (keep_until) WHERE state = 'waiting';
CREATE TABLE carry_codes (
  hash TEXT COLLATE "C" PRIMARY KEY, ticket_id TEXT COLLATE "C" NOT NULL REFERENCES tickets (id), expires_at BIGINT NOT NULL, used_at BIGINT
);

-- Requests that are left (留言) when nobody is on duty: text, number and answer under a key of their own.
CREATE TABLE requests (
  id TEXT COLLATE "C" PRIMARY KEY, hall_id TEXT COLLATE "C" NOT NULL REFERENCES halls (id), person TEXT COLLATE "C" NOT NULL, queue TEXT COLLATE "C" NOT NULL, item TEXT COLLATE "C",
  key_id TEXT COLLATE "C" NOT NULL REFERENCES data_keys (id), body_enc BYTEA NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'claimed', 'done')), claimed_by TEXT COLLATE "C" REFERENCES staff (id), answer_enc BYTEA,
  created_at BIGINT NOT NULL, answered_at BIGINT, erase_at BIGINT,
  CHECK ((state = 'open') = (claimed_by IS NULL)), CHECK ((state = 'done') = (answered_at IS NOT NULL))
);
CREATE INDEX requests_of_hall ON requests (hall_id, created_at, id) WHERE state <> 'done';
CREATE INDEX requests_of_person ON requests (person, created_at);
CREATE INDEX requests_erase ON requests (erase_at) WHERE erase_at IS NOT NULL;

-- Seats, queue rules and the supervisor: consent between halls, AB seats, overflow until switched off, time in states, words to a seat, canned replies.
CREATE TABLE hall_accepts (
  hall_id TEXT COLLATE "C" NOT NULL REFERENCES halls (id), from_hall TEXT COLLATE "C" NOT NULL REFERENCES halls (id),
  PRIMARY KEY (hall_id, from_hall), CHECK (hall_id <> from_hall)
);
-- No seat is offered a ticket of a hall whose people its own hall does not serve.
CREATE FUNCTION pairing_needs_consent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE home TEXT; there TEXT;
BEGIN
  SELECT t.hall_id, s.hall_id INTO home, there FROM tickets t, seats s WHERE t.id = NEW.ticket_id AND s.id = NEW.seat_id;
  IF home <> there THEN
    -- A withdrawal in another transaction and this offer would not see each other: whoever is second waits.
    PERFORM 1 FROM hall_accepts a WHERE a.hall_id = there AND a.from_hall = home FOR KEY SHARE;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'hall_consent_required' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER pairing_needs_consent BEFORE INSERT ON pairings FOR EACH ROW EXECUTE FUNCTION pairing_needs_consent();
-- Nor is it rung for help with a citizen of such a hall, unless the talk is at its own hall already.
CREATE FUNCTION invite_needs_consent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE home TEXT; here TEXT; there TEXT;
BEGIN
  SELECT t.hall_id, x.hall_id, s.hall_id INTO home, here, there FROM sessions x, tickets t, seats s
    WHERE x.id = NEW.session_id AND t.id = x.ticket_id AND s.id = NEW.seat_id;
  IF there <> home AND there <> here THEN
    PERFORM 1 FROM hall_accepts a WHERE a.hall_id = there AND a.from_hall = home FOR KEY SHARE;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'hall_consent_required' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER invite_needs_consent BEFORE INSERT ON invites FOR EACH ROW EXECUTE FUNCTION invite_needs_consent();
CREATE TABLE item_pairs (
  hall_id TEXT COLLATE "C" NOT NULL REFERENCES halls (id), item TEXT COLLATE "C" NOT NULL, a_staff TEXT COLLATE "C" NOT NULL REFERENCES staff (id), b_staff TEXT COLLATE "C" NOT NULL REFERENCES staff (id),
  PRIMARY KEY (hall_id, item), CHECK (a_staff <> b_staff)
);
CREATE TABLE queue_overflows (
  hall_id TEXT COLLATE "C" NOT NULL REFERENCES halls (id), code TEXT COLLATE "C" NOT NULL, to_hall TEXT COLLATE "C" NOT NULL REFERENCES halls (id),
  PRIMARY KEY (hall_id, code), CHECK (hall_id <> to_hall),
  -- Ends with the other hall's consent.
  FOREIGN KEY (to_hall, hall_id) REFERENCES hall_accepts (hall_id, from_hall) ON DELETE CASCADE
);
-- From inclusive, to exclusive; the one without an end lasts still.
CREATE TABLE seat_states (
  seat_id TEXT COLLATE "C" NOT NULL REFERENCES seats (id), from_at BIGINT NOT NULL, to_at BIGINT, state TEXT COLLATE "C" NOT NULL, reason TEXT COLLATE "C", staff_id TEXT COLLATE "C",
  PRIMARY KEY (seat_id, from_at), CHECK (to_at IS NULL OR to_at > from_at)
);
CREATE UNIQUE INDEX seat_state_open ON seat_states (seat_id) WHERE to_at IS NULL;
CREATE TABLE notices (
  id TEXT COLLATE "C" PRIMARY KEY, seat_id TEXT COLLATE "C" NOT NULL REFERENCES seats (id), from_staff TEXT COLLATE "C" NOT NULL REFERENCES staff (id), at BIGINT NOT NULL,
  text TEXT COLLATE "C" NOT NULL, read_at BIGINT
);
CREATE INDEX notices_of_seat ON notices (seat_id, id);
CREATE INDEX notices_at ON notices (at);
-- The owner is a hall or a member of staff.
CREATE TABLE phrases (
  id TEXT COLLATE "C" PRIMARY KEY, hall_id TEXT COLLATE "C" NOT NULL REFERENCES halls (id), owner TEXT COLLATE "C" NOT NULL, text_zh TEXT COLLATE "C" NOT NULL, text_en TEXT COLLATE "C" NOT NULL,
  shortcut TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX phrase_shortcut ON phrases (owner, shortcut);
CREATE INDEX tickets_day ON tickets (hall_id, enqueued_at);
