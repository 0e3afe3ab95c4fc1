//! Every bound of the product: name, unit last, reason. Nothing in the server is unbounded.

use crate::time::Span;

/// Ring before the ticket goes back to the head of its class and the seat to away (the desk's rule).
pub const RING: Span = Span::seconds(30);
/// A console that is silent this long leaves its seat (interface.md §3).
pub const SEAT_SILENCE: Span = Span::seconds(30);
/// A waiting citizen who closes the page keeps the place this long.
pub const TICKET_GRACE: Span = Span::seconds(600);
/// A booth that vanishes while waiting is likelier dead than reconnecting.
pub const BOOTH_TICKET_GRACE: Span = Span::seconds(90);
/// A citizen who drops within a session may return this long.
pub const CITIZEN_GRACE: Span = Span::seconds(120);
/// An agent who drops within a session may return this long; then the citizen is queued again at the head.
pub const AGENT_GRACE: Span = Span::seconds(30);
/// Wrap-up before the seat is ready again by itself.
pub const WRAP_UP: Span = Span::seconds(90);
/// A consent that nobody answers lapses with the session; one that is granted lives at most this long.
pub const CONSENT_LIFE: Span = Span::seconds(3600);

/// One WebSocket message (bytes); a signature's strokes and an SDP both fit.
pub const WS_MESSAGE_BYTES: usize = 256 * 1024;
/// Read buffer per idle connection (bytes): 10,000 connections must stay small.
pub const WS_READ_BUFFER_BYTES: usize = 4 * 1024;
/// Server ping period and the silence after which a connection is dead.
pub const WS_PING_S: u64 = 20;
pub const WS_DEAD_S: u64 = 45;
/// Commands per connection in one second, burst included.
pub const WS_COMMANDS_PER_S: u32 = 50;
/// JSON request body (bytes).
pub const HTTP_JSON_BYTES: usize = 256 * 1024;
/// One material or still (bytes).
pub const MATERIAL_BYTES: usize = 8 * 1024 * 1024;
/// Materials of one case.
pub const MATERIALS_PER_CASE: usize = 40;
/// Time to send request headers (seconds): slow-loris guard.
pub const HEADER_READ_S: u64 = 10;
/// Chat text (characters).
pub const CHAT_CHARS: usize = 2_000;
/// One form value (characters).
pub const FIELD_CHARS: usize = 2_000;
/// Idempotency key (characters) and how long an answer is kept.
pub const KEY_CHARS: usize = 64;
pub const IDEMPOTENCY_LIFE: Span = Span::seconds(24 * 3600);
/// Events returned in one resume; more means a fresh snapshot.
pub const RESUME_EVENTS: i64 = 1_000;
/// A call that has stood in line this long (by its place in the order of service) is not overtaken by younger texts at a seat
/// that could serve it: no more of them are begun there until it is served.
pub const TEXTS_YIELD_AFTER: Span = Span::seconds(60);
/// Candidates that one matching looks at, a hall at a time.
pub const MATCH_CANDIDATES: i64 = 64;
/// A keyset page.
pub const PAGE_MAX: i64 = 200;
/// Access token, refresh token, citizen token lives.
pub const ACCESS_LIFE: Span = Span::seconds(600);
pub const REFRESH_LIFE: Span = Span::seconds(12 * 3600);
pub const CITIZEN_LIFE: Span = Span::seconds(4 * 3600);
/// From the end of a visit to the end of its key: the wrap-up note, repeats of commands, a complaint about the call.
pub const ERASE_AFTER: Span = Span::seconds(24 * 3600);
/// A supervisor's words to a seat, and messages that were delivered, are kept so long.
pub const NOTICE_LIFE: Span = Span::seconds(30 * 24 * 3600);
/// From one heartbeat of a node to the next (seconds); without one for `NODE_DEAD_AFTER` it is dead, and after
/// `NODE_FORGOTTEN_AFTER` its row goes.
pub const NODE_HEARTBEAT_S: u64 = 5;
pub const NODE_DEAD_AFTER: Span = Span::seconds(15);
pub const NODE_FORGOTTEN_AFTER: Span = Span::seconds(3600);
/// A WebSocket ticket is used at once or never.
pub const WS_TICKET_LIFE: Span = Span::seconds(30);
/// The QR code on the booth's last screen.
pub const HANDOVER_LIFE: Span = Span::seconds(30 * 60);
/// Case-scoped phone token.
pub const CASE_TOKEN_LIFE: Span = Span::seconds(90 * 24 * 3600);
/// Failed log-ins before the lock, and the lock (等保 L3, customary).
pub const LOGIN_FAILURES: i64 = 5;
pub const LOGIN_LOCK: Span = Span::seconds(900);
/// A card read older than this is refused.
pub const CARD_READ_LIFE: Span = Span::seconds(60);

/// Requests for relay credentials by one caller in a minute: one a dial, and some for pages that reload.
pub const RELAY_PER_MIN: u32 = 30;
/// Offers into the room of a call by one caller in a minute: a page that loses its line makes seven before it gives up.
pub const OFFERS_PER_MIN: u32 = 30;
/// A check before a call: how long its room lives, and credentials of somebody who has no token.
pub const CHECK_LIFE: Span = Span::seconds(30);
pub const CHECK_CREDENTIAL_LIFE: Span = Span::seconds(60);
/// Rooms of checks at one time on a node: they must not crowd out calls.
pub const CHECK_ROOMS: usize = 32;
/// Those of them that all together may hold who have no token: they must not crowd out callers.
pub const STRANGERS_ROOMS: usize = 8;
/// Offers into them in a minute: by one caller, and by all together who have no token. A check makes three.
pub const CHECKS_PER_MIN: u32 = 24;
pub const STRANGERS_PER_MIN: u32 = 120;
/// Echoes of the check's WebSocket: messages, bytes of one, seconds that it lives, connections in a minute.
pub const ECHO_MESSAGES: usize = 16;
pub const ECHO_BYTES: usize = 64;
pub const ECHO_LIFE_S: u64 = 15;
pub const ECHOES_PER_MIN: u32 = 240;
/// Callers whose rate is remembered at one time.
pub const RATES_KEPT: usize = 10_000;

/// A replay that was opened works this long: a session of a few hours with pauses, and not the next day.
pub const REPLAY_LIFE: Span = Span::seconds(2 * 3600);
/// A file that was made of a recording.
pub const EXPORT_LIFE: Span = Span::seconds(24 * 3600);
/// Longest making of one.
pub const EXPORT_TIME: Span = Span::seconds(2 * 3600);
/// Parts that one such file is made of: each is an input of its own.
pub const EXPORT_PARTS: usize = 64;
/// A case's number (digits): region, day, serial.
pub const CASE_NUMBER_CHARS: usize = 20;
/// Reasons for a replay or a hold (characters).
pub const REASON_CHARS: usize = 200;
/// One snapshot as it is sent (bytes), its picture (pixels a side, pixels in all), and how many a session has. A smaller picture has no room for
/// the watermark.
pub const SNAPSHOT_BYTES: usize = 2 * 1024 * 1024;
pub const SNAPSHOT_SIDE_MIN: u32 = 240;
pub const SNAPSHOT_SIDE: u32 = 4_096;
pub const SNAPSHOT_PIXELS: u64 = 8_847_360;
pub const SNAPSHOTS_PER_SESSION: i64 = 60;
