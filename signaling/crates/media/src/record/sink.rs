//! Where segments go: the trait that the application gives, and files in a directory.
//!
//! Everything here may block: it runs on the recording's own thread. Never overwrites: a segment is created once.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Which file of which leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentName {
    /// Leg, from 1.
    pub leg: u16,
    /// Number within the leg, from 1.
    pub index: u32,
}

/// Takes the encrypted segments of one recording.
pub trait SegmentSink: Send + 'static {
    /// Creates a segment; it must not exist.
    ///
    /// # Errors
    /// What the storage says. The recording goes on with a gap and tries the next segment after a pause.
    fn open(&mut self, name: SegmentName) -> io::Result<Box<dyn Segment>>;
}

/// A segment being written.
pub trait Segment: Send {
    /// Appends all bytes.
    ///
    /// # Errors
    /// What the storage says; the segment is given up.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Returns when what was appended outlasts a power cut.
    ///
    /// # Errors
    /// What the storage says; the segment is given up.
    fn sync(&mut self) -> io::Result<()>;
    /// Ends the segment; synced before by the caller.
    ///
    /// # Errors
    /// What the storage says.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

impl SegmentName {
    /// The file's name: `leg-01-000001.seg`.
    #[must_use]
    pub fn file_name(self) -> String {
        format!("leg-{:02}-{:06}.seg", self.leg, self.index)
    }

    /// Reads a file's name; none if it is of something else.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (leg, index) = name
            .strip_prefix("leg-")?
            .strip_suffix(".seg")?
            .split_once('-')?;
        let name_of = Self {
            leg: leg.parse().ok()?,
            index: index.parse().ok()?,
        };
        (name_of.file_name() == name).then_some(name_of)
    }
}

/// Segments as files of one directory, which must belong to one recording alone.
#[derive(Debug)]
pub struct FileSink {
    dir: PathBuf,
}

impl FileSink {
    /// Makes the directory if need be.
    ///
    /// # Errors
    /// What the file system says.
    pub fn new(dir: impl Into<PathBuf>) -> io::Result<Self> {
        let dir = dir.into();
        std::fs::create_dir_all(&dir)?;
        match dir.parent().filter(|p| !p.as_os_str().is_empty()) {
            Some(parent) => sync_dir(parent)?,
            None => sync_dir(Path::new("."))?,
        }
        Ok(Self { dir })
    }
}

struct FileSegment(File);

impl SegmentSink for FileSink {
    fn open(&mut self, name: SegmentName) -> io::Result<Box<dyn Segment>> {
        let path = self.dir.join(name.file_name());
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(path)?;
        sync_dir(&self.dir)?;
        Ok(Box::new(FileSegment(file)))
    }
}

/// A file whose directory entry is not on disk is lost with all that is in it.
fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

impl Segment for FileSegment {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.0.sync_data()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_are_not_ours() {
        let name = SegmentName { leg: 3, index: 12 };
        assert_eq!(name.file_name(), "leg-03-000012.seg");
        assert_eq!(SegmentName::parse("leg-03-000012.seg"), Some(name));
        for other in [
            "leg-3-12.seg",
            "leg-03-000012.seg.tmp",
            "x",
            "leg-+3-000012.seg",
        ] {
            assert_eq!(SegmentName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_segment_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let mut sink = FileSink::new(dir.path().join("new")).unwrap();
        let name = SegmentName { leg: 1, index: 1 };
        let mut segment = sink.open(name).unwrap();
        segment.append(b"first").unwrap();
        segment.finish().unwrap();
        let error = sink.open(name).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        let kept = std::fs::read(dir.path().join("new/leg-01-000001.seg")).unwrap();
        assert_eq!(kept, b"first");
    }
}
