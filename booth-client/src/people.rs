//! The demo people whose cards the simulator holds. Fictitious, from a file or from the embedded demo county.

use crate::card::Card;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::{fs, path::Path};

const EMBEDDED: &str = include_str!("../../signaling/demo/people.json");
/// Longest file read, bytes, and most people in it.
const FILE_MAX: u64 = 1 << 20;
const PEOPLE_MAX: usize = 200;

#[derive(Clone, Deserialize)]
pub struct Person {
    pub id: String,
    pub name: String,
    id_number: String,
    #[serde(default)]
    pub note: protocol::Bilingual,
}

impl Person {
    #[must_use]
    pub fn card(&self) -> Card {
        Card {
            name: self.name.clone(),
            number: self.id_number.clone(),
        }
    }
    /// 4309**********9647
    #[must_use]
    pub fn number_masked(&self) -> String {
        let c: Vec<char> = self.id_number.chars().collect();
        if c.len() < 9 {
            return "*".repeat(c.len());
        }
        let (head, tail) = (c.iter().take(4), c.iter().skip(c.len() - 4));
        head.chain(std::iter::repeat_n(&'*', c.len() - 8))
            .chain(tail)
            .collect()
    }
}

/// Reads the people.
pub fn load(path: Option<&Path>) -> Result<Vec<Person>> {
    let text = match path {
        None => EMBEDDED.to_owned(),
        Some(path) => {
            let meta =
                fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
            ensure!(meta.len() <= FILE_MAX, "{} is too long", path.display());
            fs::read_to_string(path)?
        }
    };
    let people: Vec<Person> =
        serde_json::from_str(&text).context("the people file is not a list of people")?;
    ensure!(people.len() <= PEOPLE_MAX, "more than {PEOPLE_MAX} people");
    Ok(people)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    #[test]
    fn the_demo_county_has_people() {
        let people = super::load(None).unwrap();
        assert!(people.len() >= 5);
        let masked = people[0].number_masked();
        assert_eq!((masked.len(), masked.matches('*').count()), (18, 10));
    }
}
