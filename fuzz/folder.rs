// The folder whose modules the target `module_path` imports: files, links that lead out of it, and files around it.

use std::{fs, os::unix::fs::symlink, path::Path};

/// What only files outside of the folder say.
pub const OUTSIDE: &str = "fn outside() {}";

/// Makes the folder in a folder that is empty.
///
/// # Panics
/// If it cannot be made.
pub fn make(around: &Path) -> std::path::PathBuf {
    let folder = around.join("scripts");
    fs::create_dir_all(folder.join("lib/deep")).expect("the folder can be made");
    for (name, text) in [
        ("scripts/one.rhai", "fn one() {}"),
        ("scripts/lib/two.rhai", "fn two() {}"),
        ("scripts/lib/deep/three.rhai", "fn three() {}"),
        ("scripts/binary.rhai", "fn nul() { \"\0\" }"),
        ("outside.rhai", OUTSIDE),
    ] {
        fs::write(around.join(name), text).expect("the folder takes files");
    }
    for (target, link) in [
        ("../outside.rhai", "escape.rhai"),
        ("..", "up"),
        ("/", "root"),
        ("../../outside.rhai", "lib/escape.rhai"),
        ("up/outside.rhai", "through.rhai"),
        ("lib", "inside"),
        ("loop.rhai", "loop.rhai"),
    ] {
        symlink(target, folder.join(link)).expect("the folder takes links");
    }
    folder
}
