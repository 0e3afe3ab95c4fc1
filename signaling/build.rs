//! The pages may not be built yet: an empty folder lets the server compile, and it answers 404 for them.

fn main() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for app in [
        "booth-client/apps/booth",
        "booth-client/apps/phone",
        "booth-client/apps/public",
        "agent-console/apps/desk",
        "agent-console/apps/office",
        "agent-console/apps/admin",
        "agent-console/apps/wall",
    ] {
        let dist = root.join(app).join("dist");
        if let Err(e) = std::fs::create_dir_all(&dist) {
            println!("cargo:warning={}: {e}", dist.display());
        }
    }
    println!("cargo:rerun-if-changed=build.rs");
}
