//! What the load generators share: figures, the clients' side of HTTP and WebSocket, the disk's own speed, the rows that a
//! bench starts from. Owns no server: `tools/bench` starts one and hands over its address.

pub mod api;
pub mod desk_sim;
pub mod disk;
pub mod figure;
pub mod load;
pub mod next;
pub mod process;
pub mod seats;
pub mod seed;
pub mod wire;

/// Progress, for people: standard output belongs to the figures.
pub fn say(text: &str) {
    eprintln!("bench: {text}");
}
