//! Writes one fictitious paper of each kind, for looking at: `cargo run -p documents --example papers -- DIRECTORY`.

#[path = "../tests/samples/mod.rs"]
mod samples;

use documents::{DocumentError, Fonts, Pdf};
use std::{path::PathBuf, time::Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = PathBuf::from(std::env::args().nth(1).ok_or("give a directory")?);
    let fonts = Fonts::load_default()?;
    type Make<'a> = &'a dyn Fn() -> Result<Pdf, DocumentError>;
    let papers: [(&str, Make<'_>); 7] = [
        ("receipt", &|| samples::receipt().render(&fonts)),
        ("no_record", &|| samples::no_record().render(&fonts)),
        ("filing", &|| samples::filing().render(&fonts)),
        ("hygiene", &|| samples::hygiene().render(&fonts)),
        ("copy", &|| samples::copy().render(&fonts)),
        ("refusal", &|| samples::refusal().render(&fonts)),
        ("correction", &|| samples::correction().render(&fonts)),
    ];
    for (name, make) in papers {
        let start = Instant::now();
        let pdf = make()?;
        println!(
            "{name}: {} bytes, {} page(s), {} ms",
            pdf.bytes.len(),
            pdf.pages,
            start.elapsed().as_millis()
        );
        std::fs::write(directory.join(format!("{name}.pdf")), &pdf.bytes)?;
    }
    Ok(())
}
