//! What one member may send: one sound and up to three pictures, each on a lane of its own.
//!
//! A page names its lanes beside its offer ([`SentTrack`]); one that names none sends its first picture as the camera. Never knows rooms.

use crate::event::{Kind, Source};
use serde::{Deserialize, Serialize};

/// One m-line of an offer on which the page sends pictures, and what they show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentTrack {
    /// Media id of the m-line (`a=mid`).
    pub mid: String,
    /// What is on it.
    pub source: Source,
}

/// One of the tracks of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    Sound,
    Camera,
    Document,
    Screen,
}

impl Lane {
    pub(crate) const ALL: [Self; 4] = [Self::Sound, Self::Camera, Self::Document, Self::Screen];

    pub(crate) fn of(source: Source) -> Self {
        match source {
            Source::Camera => Self::Camera,
            Source::Document => Self::Document,
            Source::Screen => Self::Screen,
        }
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Sound => Kind::Audio,
            Self::Camera | Self::Document | Self::Screen => Kind::Video,
        }
    }

    pub(crate) fn source(self) -> Source {
        match self {
            Self::Sound | Self::Camera => Source::Camera,
            Self::Document => Source::Document,
            Self::Screen => Source::Screen,
        }
    }

    /// Something that is shown beside the person, and comes and goes.
    pub(crate) fn is_share(self) -> bool {
        matches!(self, Self::Document | Self::Screen)
    }
}
