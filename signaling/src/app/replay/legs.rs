//! What there is to play: one leg a member, its parts and gaps, and who that was.

use crate::{
    app::{App, auth, case_words::both, invites, media as room, session_view},
    problem::AppError,
};
use domain::{id::ReplayId, session::Role};
use media::{
    Kind,
    record::{Codec, Gap, GapReason, LegEntry, Manifest, PartEntry},
};
use protocol::{Bilingual, MemberRole, ReplayGap, ReplayLeg, ReplayPart};
use std::collections::HashMap;
use store::{Tx, keys, session, visit};

/// Somebody who was in the session.
pub(super) struct Person {
    /// Member id.
    pub id: String,
    pub name: Bilingual,
    pub role: MemberRole,
}

/// Everybody, by the name that they had in the media room and by their member id.
#[derive(Default)]
pub(super) struct Cast {
    people: Vec<Person>,
    by_name: HashMap<String, usize>,
}

impl Cast {
    pub(super) fn find(&self, name: &str) -> Option<&Person> {
        self.people.get(*self.by_name.get(name)?)
    }
}

const fn role_word(r: MemberRole) -> &'static str {
    match r {
        MemberRole::Citizen => "citizen",
        MemberRole::Agent => "agent",
        MemberRole::Guest => "guest",
        MemberRole::Supervisor => "supervisor",
    }
}

/// Names as the session showed them: the citizen's masked. Where the visit's key is gone so are the names that it kept.
pub(super) async fn cast(app: &App, tx: &mut Tx, s: &session::Session) -> Result<Cast, AppError> {
    let members = session::members(tx, &s.id).await?;
    let readable = keys::wrapped(tx, &s.key_id).await?.is_some();
    let mut citizen = both("办事人", "Citizen");
    let mut guests = HashMap::new();
    if readable {
        if let Some(v) = visit::get(tx, &s.visit_id).await?
            && let Some(i) = auth::identity_of(app, tx, &v).await?
        {
            let masked = i.view().name_masked;
            citizen = both(&masked, &masked);
        }
        guests = invites::guest_names(app, tx, s, &members).await?;
    }
    let mut out = Cast::default();
    for m in members {
        let name = match m.role {
            Role::Citizen => citizen.clone(),
            Role::Guest if m.staff_id.is_none() => match guests.get(&m.id) {
                Some(n) => both(n, n),
                None => both("亲友", "Guest"),
            },
            Role::Guest | Role::Agent | Role::Supervisor => both(&m.name, &m.name),
        };
        let at = out.people.len();
        out.by_name.insert(room::room_name(&m), at);
        out.by_name.insert(m.id.to_string(), at);
        out.people.push(Person {
            id: m.id.to_string(),
            name,
            role: session_view::role_view(m.role),
        });
    }
    Ok(out)
}

const fn codec(c: Codec) -> &'static str {
    match c {
        Codec::Opus => "opus",
        Codec::Vp8 => "vp8",
        Codec::H264 => "avc1",
    }
}

/// RFC 6381; a part with H.264 is Matroska by name.
fn content_type(p: &PartEntry) -> String {
    let video = p.video_codec();
    let kind = match video {
        Some(Codec::H264) => "video/x-matroska",
        Some(Codec::Vp8 | Codec::Opus) => "video/webm",
        None => "audio/webm",
    };
    let codecs: Vec<_> = p.tracks.iter().map(|t| codec(t.codec)).collect();
    format!("{kind}; codecs=\"{}\"", codecs.join(","))
}

fn ms(v: u64) -> i64 {
    i64::try_from(v).unwrap_or(i64::MAX)
}

fn part(replay: &ReplayId, leg: &LegEntry, p: &PartEntry) -> ReplayPart {
    let picture = p.tracks.iter().find(|t| t.kind == Kind::Video);
    ReplayPart {
        src: format!("/api/v1/replays/{replay}/legs/{}/parts/{}", leg.leg, p.part),
        content_type: content_type(p),
        from_ms: ms(p.from_ms),
        to_ms: ms(p.to_ms),
        video: p.has_video(),
        width: picture.and_then(|t| t.width),
        height: picture.and_then(|t| t.height),
    }
}

/// The word of the manifest.
pub(super) const fn reason(r: GapReason) -> &'static str {
    r.as_str()
}

fn gap(g: &Gap) -> ReplayGap {
    ReplayGap {
        media: g.kind.map(|k| match k {
            Kind::Audio => "audio".to_owned(),
            Kind::Video => "video".to_owned(),
        }),
        from_ms: ms(g.from_ms),
        to_ms: g.to_ms.map(ms),
        reason: reason(g.reason).into(),
    }
}

pub(super) fn views(replay: &ReplayId, m: &Manifest, cast: &Cast) -> Vec<ReplayLeg> {
    let leg = |l: &LegEntry| {
        let person = cast.find(&l.member);
        ReplayLeg {
            leg: u32::from(l.leg),
            member: person.map_or_else(|| l.member.clone(), |p| p.id.clone()),
            name: person.map_or_else(|| both("", ""), |p| p.name.clone()),
            role: person.map_or("guest", |p| role_word(p.role)).to_owned(),
            source: l.source.as_str().into(),
            parts: l.parts.iter().map(|p| part(replay, l, p)).collect(),
            gaps: l.gaps.iter().map(gap).collect(),
        }
    };
    m.legs.iter().map(leg).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::record::TrackEntry;

    fn entry(codecs: &[Codec]) -> PartEntry {
        let track = |c: &Codec| TrackEntry {
            kind: if *c == Codec::Opus {
                Kind::Audio
            } else {
                Kind::Video
            },
            codec: *c,
            width: None,
            height: None,
            sample_rate: None,
            frames: 1,
        };
        PartEntry {
            part: 1,
            from_ms: 0,
            to_ms: 1,
            bytes: 1,
            head_bytes: 1,
            tracks: codecs.iter().map(track).collect(),
            cues: vec![],
        }
    }

    #[test]
    fn a_part_says_what_it_is_coded_in() {
        let of = |c: &[Codec]| content_type(&entry(c));
        assert_eq!(
            of(&[Codec::Vp8, Codec::Opus]),
            "video/webm; codecs=\"vp8,opus\""
        );
        assert_eq!(of(&[Codec::Opus]), "audio/webm; codecs=\"opus\"");
        assert_eq!(
            of(&[Codec::H264, Codec::Opus]),
            "video/x-matroska; codecs=\"avc1,opus\""
        );
    }
}
