//! The booth host: the native program that stands beside the booth's page. Owns the device key, the card reader and the
//! kiosk window; signs log-ins and card reads, so that a page can never assert an identity by itself.
//!
//! Never keeps a card longer than [`desk::KEEP`], never writes personal data to a log or a file, never listens beyond loopback.
//!
//! Where to look: [`desk`] the arming rules, [`bridge`] the page's door, [`guard`] who may knock, [`card`] the reader,
//! [`demo`] the simulator's page, [`kiosk`] the window; apart from all of these, [`call`] the headless caller.

pub mod bridge;
pub mod call;
pub mod card;
pub mod demo;
pub mod desk;
pub mod guard;
pub mod host;
pub mod key;
pub mod kiosk;
pub mod people;
pub mod server;
pub mod settings;
