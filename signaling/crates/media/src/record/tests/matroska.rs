//! A small reader of Matroska, written apart from the writer: strict about structure, so that a wrong size is noticed.
#![allow(dead_code, reason = "shared by tests that ask for different things")]

/// One block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub track: u64,
    pub ms: i64,
    pub key: bool,
    pub data: Vec<u8>,
    /// First of its cluster.
    pub opens_cluster: bool,
}

/// Width and height, where there is a picture.
pub type Size = Option<(u64, u64)>;

/// What a file holds.
#[derive(Debug, Default)]
pub struct File {
    pub doc_type: String,
    /// Number, codec, size.
    pub tracks: Vec<(u64, String, Size)>,
    pub private: Vec<Vec<u8>>,
    pub blocks: Vec<Block>,
    pub duration_ms: Option<u64>,
    /// Where the segment says that it ends; none if it does not say.
    pub segment_end: Option<usize>,
    /// Time and place in the file.
    pub cues: Vec<(u64, usize)>,
    /// Id and place in the file.
    pub seeks: Vec<(u32, usize)>,
    /// Bytes of a block that is not whole.
    pub torn: usize,
}

/// An element's head: id, length (none if unknown), bytes of the head.
fn head(b: &[u8]) -> Option<(u32, Option<usize>, usize)> {
    let id_len = b.first()?.leading_zeros() as usize + 1;
    if id_len > 4 || b.len() < id_len + 1 {
        return None;
    }
    let id = b[..id_len].iter().fold(0, |n, x| n << 8 | u32::from(*x));
    let len_len = b[id_len].leading_zeros() as usize + 1;
    if len_len > 8 || b.len() < id_len + len_len {
        return None;
    }
    let mask = (1u64 << (7 * len_len)) - 1;
    let len = b[id_len..id_len + len_len]
        .iter()
        .fold(0u64, |n, x| n << 8 | u64::from(*x))
        & mask;
    let len = (len != mask).then_some(len as usize);
    Some((id, len, id_len + len_len))
}

/// Id, content, place in the parent.
type Child<'a> = (u32, &'a [u8], usize);

fn children(b: &[u8]) -> Result<Vec<Child<'_>>, String> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < b.len() {
        let (id, len, n) = head(&b[at..]).ok_or("a bad element")?;
        let len = len.ok_or("unknown size inside")?;
        let body = b
            .get(at + n..at + n + len)
            .ok_or_else(|| format!("{id:x} is longer than its parent"))?;
        out.push((id, body, at));
        at += n + len;
    }
    Ok(out)
}

fn number(b: &[u8]) -> u64 {
    b.iter().fold(0, |n, x| n << 8 | u64::from(*x))
}

fn find<'a>(list: &[(u32, &'a [u8], usize)], id: u32) -> Option<&'a [u8]> {
    list.iter().find(|(i, _, _)| *i == id).map(|(_, b, _)| *b)
}

/// Reads a file or a prefix of one.
pub fn read(bytes: &[u8]) -> Result<File, String> {
    let mut file = File::default();
    let (id, len, n) = head(bytes).ok_or("no header")?;
    if id != 0x1A45_DFA3 {
        return Err(format!("not EBML: {id:x}"));
    }
    let ebml = children(&bytes[n..n + len.ok_or("EBML of unknown size")?])?;
    file.doc_type = String::from_utf8(find(&ebml, 0x4282).ok_or("no type")?.to_vec())
        .map_err(|e| e.to_string())?;
    let mut at = n + len.unwrap_or_default();
    let (id, len, n) = head(&bytes[at..]).ok_or("no segment")?;
    if id != 0x1853_8067 {
        return Err(format!("not a segment: {id:x}"));
    }
    at += n;
    let data = at;
    file.segment_end = len.map(|l| data + l);
    let (mut cluster, mut fresh) = (None, false);
    while at < bytes.len() {
        let Some((id, len, n)) = head(&bytes[at..]) else {
            file.torn = bytes.len() - at;
            return Ok(file);
        };
        if id == 0x1F43_B675 {
            // Its children follow on this level: its end is the next cluster.
            at += n;
            (cluster, fresh) = (None, true);
            continue;
        }
        let len = len.ok_or_else(|| format!("{id:x} of unknown size"))?;
        let Some(body) = bytes.get(at + n..at + n + len) else {
            file.torn = bytes.len() - at;
            return Ok(file);
        };
        match id {
            0x1549_A966 => {
                let list = children(body)?;
                if find(&list, 0x2A_D7B1).map(number) != Some(1_000_000) {
                    return Err("ticks are not milliseconds".into());
                }
                file.duration_ms = find(&list, 0x4489)
                    .and_then(|b| b.try_into().ok())
                    .map(|b| f64::from_be_bytes(b) as u64);
            }
            0x1654_AE6B => {
                for (_, entry, _) in children(body)? {
                    let entry = children(entry)?;
                    let size = find(&entry, 0xE0).map(children).transpose()?.map(|v| {
                        let side = |id| find(&v, id).map_or(0, number);
                        (side(0xB0), side(0xBA))
                    });
                    let codec = find(&entry, 0x86).ok_or("no codec")?;
                    file.tracks.push((
                        find(&entry, 0xD7).map_or(0, number),
                        String::from_utf8_lossy(codec).into_owned(),
                        size,
                    ));
                    file.private
                        .push(find(&entry, 0x63A2).unwrap_or_default().to_vec());
                }
            }
            0x1C53_BB6B => {
                for (_, point, _) in children(body)? {
                    let point = children(point)?;
                    let place = children(find(&point, 0xB7).ok_or("no place")?)?;
                    let ms = find(&point, 0xB3).map_or(0, number);
                    file.cues
                        .push((ms, data + find(&place, 0xF1).map_or(0, number) as usize));
                }
            }
            0x114D_9B74 => {
                for (_, entry, _) in children(body)? {
                    let entry = children(entry)?;
                    let id = number(find(&entry, 0x53AB).ok_or("no id")?) as u32;
                    file.seeks
                        .push((id, data + find(&entry, 0x53AC).map_or(0, number) as usize));
                }
            }
            0xE7 => cluster = Some(number(body) as i64),
            0xA3 => {
                let base = cluster.ok_or("a block before its cluster's time")?;
                if body.len() < 4 || body[0] & 0x80 == 0 {
                    return Err("a bad block".into());
                }
                file.blocks.push(Block {
                    track: u64::from(body[0] & 0x7f),
                    ms: base + i64::from(i16::from_be_bytes([body[1], body[2]])),
                    key: body[3] & 0x80 != 0,
                    data: body[4..].to_vec(),
                    opens_cluster: std::mem::take(&mut fresh),
                });
            }
            other => return Err(format!("unknown element {other:x}")),
        }
        at += n + len;
    }
    Ok(file)
}

/// Blocks of one track.
pub fn of(file: &File, track: u64) -> Vec<&Block> {
    file.blocks.iter().filter(|b| b.track == track).collect()
}
