#![no_main]

use std::{fs, path::PathBuf, sync::LazyLock};

use masctl::cli::invariants::of_module_path;

#[path = "../folder.rs"]
mod folder;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    // Beside the program: nothing is written into the tree but what is built.
    let program = std::env::current_exe().expect("this process has a file");
    let around = program.with_extension(format!("folder-{}", std::process::id()));
    fs::create_dir_all(&around).expect("target/ takes folders");
    folder::make(&around)
});

libfuzzer_sys::fuzz_target!(|input: &str| {
    let read = of_module_path(&FOLDER, input);
    assert_ne!(
        read.as_deref(),
        Some(folder::OUTSIDE),
        "a file outside of the folder was read"
    );
});
