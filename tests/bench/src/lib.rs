//! What the load generators share: figures, the clients' side of HTTP and WebSocket, the disk's own speed, the rows that a
//! bench starts from. Owns no server: `tools/bench` starts one and hands over its address.

#[cfg(feature = "desk")]
pub mod api;
#[cfg(feature = "desk")]
pub mod desk_sim;
pub mod disk;
pub mod figure;
#[cfg(feature = "desk")]
pub mod load;
pub mod media;
#[cfg(feature = "desk")]
pub mod next;
pub mod process;
#[cfg(feature = "desk")]
pub mod seats;
#[cfg(feature = "desk")]
pub mod seed;
#[cfg(feature = "desk")]
pub mod wire;

/// Progress, for people: standard output belongs to the figures.
pub fn say(text: &str) {
    eprintln!("bench: {text}");
}
