//! Kinds of session events: the journal that clients resume from, the replay timeline and the evidence.
//!
//! Owns the stable names. A name, once published, never changes its meaning and is never given to another.
//! Payloads carry ids, codes, paths and versions, never values of the form; chat text is sealed by the store.

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// What happened in a session. The text form is the column, the wire name and the OpenAPI value.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Kind { $($(#[$doc])* #[serde(rename = $name)] $variant,)+ }
        impl Kind {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

kinds! {
    /// A member entered for the first time: {member, role}.
    MemberJoined = "member_joined",
    /// A member's connection was lost; the grace runs: {member, until}.
    MemberDropped = "member_dropped",
    /// The same member is back within the grace: {member}.
    MemberBack = "member_back",
    /// A member left for good: {member, reason}.
    MemberLeft = "member_left",
    /// The session is active: citizen and agent are both there.
    Connected = "connected",
    /// A chat message: {message, member}; the text is kept apart.
    Chat = "chat",
    /// A card was read and belongs to the citizen: {assurance, booth}.
    Identified = "identified",
    /// The privacy notice was shown and acknowledged: {policy_version}.
    PolicyAccepted = "policy_accepted",
    /// An item's form was opened on both screens: {item, item_version}.
    FormOpened = "form_opened",
    /// The form was put away unsigned: {item}.
    FormClosed = "form_closed",
    /// Somebody typed: {path, version, by}.
    FieldSet = "field_set",
    /// A licence filled fields: {licence, licence_version, consent, paths}.
    Prefilled = "prefilled",
    /// An earlier case filled fields: {case, paths}.
    Reused = "reused",
    /// The agent asks for a look at a group: {group}.
    ConfirmAsked = "confirm_asked",
    /// 都对: {group, versions}.
    GroupConfirmed = "group_confirmed",
    /// 有不对的: {group}.
    GroupDisputed = "group_disputed",
    /// A deciding fact was confirmed by itself: {path, version}.
    FieldConfirmed = "field_confirmed",
    /// {consent, licence_type, attributes, purpose}.
    ConsentAsked = "consent_asked",
    /// {consent}.
    ConsentGranted = "consent_granted",
    /// {consent}; also when nobody answered.
    ConsentRefused = "consent_refused",
    /// {consent}.
    ConsentWithdrawn = "consent_withdrawn",
    /// The one reading took place: {consent, licence}.
    ConsentUsed = "consent_used",
    /// {consent}.
    ConsentExpired = "consent_expired",
    /// The agent asks to see masked fields: {paths, purpose}.
    UnmaskAsked = "unmask_asked",
    /// The citizen allowed it for a moment: {paths, until}.
    Unmasked = "unmasked",
    /// The citizen did not: {paths}.
    UnmaskRefused = "unmask_refused",
    /// {material, spec, source, sm3}.
    MaterialAdded = "material_added",
    /// {material}.
    MaterialRemoved = "material_removed",
    /// The agent took a picture: {snapshot, member}.
    SnapshotTaken = "snapshot_taken",
    /// The declaration is laid before the citizen: {digest}.
    SignAsked = "sign_asked",
    /// {signature, digest, language}.
    Signed = "signed",
    /// The citizen put the pen down: {digest}.
    SignDeclined = "sign_declined",
    /// A change after signing made the signature void: {signature, path}.
    SignatureVoided = "signature_voided",
    /// The case is with the department: {case, number}.
    HandedOff = "handed_off",
    /// Another seat or skill takes over: {from, to}.
    Transferred = "transferred",
    /// The citizen is asked for their consent to a recording: {recording}.
    RecordingAsked = "recording_asked",
    /// {recording, grant}.
    RecordingAnswered = "recording_answered",
    /// Proven: bytes of both sides are on disk: {recording}.
    RecordingStarted = "recording_started",
    /// {recording, reason}.
    RecordingInterrupted = "recording_interrupted",
    /// {recording}.
    RecordingResumed = "recording_resumed",
    /// Nothing is written any more: {recording, reason}.
    RecordingStopped = "recording_stopped",
    /// The manifest is signed: {recording}.
    RecordingSealed = "recording_sealed",
    /// A prompt of the script was read out: {recording, prompt}.
    PromptRead = "prompt_read",
    /// {recording, prompt, answer}.
    PromptAnswered = "prompt_answered",
    /// A member's media reached the room: {member, transport}.
    MediaConnected = "media_connected",
    /// {member, reason}.
    MediaLost = "media_lost",
    /// The call stepped down or up the ladder video, audio, text: {member, level}.
    MediaLevel = "media_level",
    /// Help was asked for: {invite, invite_kind}.
    Invited = "invited",
    /// {invite, state}.
    InviteChanged = "invite_changed",
    /// The citizen is on hold, or heard again: {on}.
    Hold = "hold",
    /// The call moved on the ladder: {mode}.
    ModeChanged = "mode_changed",
    /// The citizen is asked for a rung: {mode}.
    ModeAsked = "mode_asked",
    /// The citizen said no.
    ModeRefused = "mode_refused",
    /// Staff left a note for each other: {note}.
    Noted = "noted",
    /// The session is over: {reason, by}.
    Ended = "ended",
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_come_back() {
        let mut names: Vec<_> = Kind::ALL.iter().map(|k| k.as_str()).collect();
        for k in Kind::ALL {
            assert_eq!(Kind::parse(k.as_str()), Some(*k));
            assert_eq!(
                serde_json::to_string(k).unwrap(),
                format!("\"{}\"", k.as_str())
            );
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Kind::ALL.len());
        assert_eq!(Kind::parse("member_vanished"), None);
    }
}
