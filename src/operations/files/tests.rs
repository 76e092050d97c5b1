//! What is found at the paths of a script, without a run.

use std::{fs, os::unix::fs::symlink};

use super::*;
use crate::capability::{Narrowing, Need};

/// A folder `in` that is granted with all below it, a file beside it that was given for `$file`, and one that was not.
struct Scene {
    folder: tempfile::TempDir,
    files: Files,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("in/deep")).unwrap();
        for name in ["in/a.txt", "in/deep/b.txt", "given.txt", "other.txt"] {
            fs::write(at(name), name).unwrap();
        }
        symlink("deep/b.txt", at("in/inner")).unwrap();
        symlink("../other.txt", at("in/outer")).unwrap();
        symlink(at("other.txt"), at("in/absolute")).unwrap();
        symlink("..", at("in/up")).unwrap();
        symlink("given.txt", at("link")).unwrap();
        let files = open_files(folder.path(), &["in"], &["./given.txt", "link", "missing.txt"]);
        Self { folder, files }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What is read at a path, or why it cannot be.
    fn read(&self, path: &str) -> Result<String, String> {
        let found = self.files.find(path).ok_or_else(|| self.files.refuse(path));
        let read = found.and_then(|(root, rest)| super::read(root.place.as_ref().unwrap(), &rest, path));
        let shorter =
            |error: Error| format!("{}: {error}", error.code()).replace(&*self.folder.path().to_string_lossy(), "");
        read.map(|bytes| String::from_utf8(bytes).unwrap()).map_err(shorter)
    }
}

fn open_files(directory: &Path, folders: &[&str], given: &[&str]) -> Files {
    let below = folders
        .iter()
        .map(|folder| Need::Files(FileScope::Below(directory.join(folder))));
    let needs = below.chain(["files:read:$file".parse().unwrap()]).collect();
    let given = |_: &str| given.iter().copied().map(str::to_owned).collect();
    Files::open(&Granted::new(needs, Narrowing::default(), given), directory)
}

fn denied(path: &str) -> Result<String, String> {
    Err(format!(
        "capability.denied: The script may not read `{path}`: it lacks `files:read` of that"
    ))
}

fn escaping(path: &str) -> Result<String, String> {
    Err(format!(
        "capability.denied: The script may not read `{path}`: that leads out of the folder that it may read"
    ))
}

fn unreadable(path: &str, why: &str) -> Result<String, String> {
    Err(format!("file.unreadable: The file `{path}` cannot be read: {why}"))
}

#[test]
fn a_folder_is_granted_with_all_below_it_and_nothing_else() {
    let scene = Scene::new();
    for path in ["in/a.txt", "./in//a.txt", "in/./a.txt", "in/deep/../a.txt"] {
        assert_eq!(scene.read(path), Ok("in/a.txt".to_owned()), "{path}");
    }
    let absolute = scene.at("in/deep/b.txt");
    assert_eq!(
        scene.read(&absolute.display().to_string()),
        Ok("in/deep/b.txt".to_owned())
    );
    assert_eq!(scene.read("in/inner"), Ok("in/deep/b.txt".to_owned()));
    for path in [
        "in/outer",
        "in/absolute",
        "in/up/other.txt",
        "in/../other.txt",
        "in/deep/../../other.txt",
    ] {
        assert_eq!(scene.read(path), escaping(path), "{path}");
    }
    // What is there, and what is not, is the same to who may not look.
    for path in [
        "other.txt",
        "nowhere.txt",
        "inner.txt",
        "/etc/passwd",
        "",
        ".",
        "..",
        "/",
    ] {
        assert_eq!(scene.read(path), denied(path), "{path}");
    }
    assert_eq!(scene.read("in"), unreadable("in", "it is a folder"));
    assert_eq!(scene.read("in/deep"), unreadable("in/deep", "it is a folder"));
    assert_eq!(
        scene.read("in/x"),
        unreadable("in/x", "No such file or directory (os error 2)")
    );
}

#[test]
fn a_file_is_granted_alone_and_as_what_it_was() {
    let scene = Scene::new();
    for path in ["given.txt", "./given.txt", "link"] {
        assert_eq!(scene.read(path), Ok("given.txt".to_owned()), "{path}");
    }
    assert_eq!(
        scene.read("missing.txt"),
        unreadable("missing.txt", "No such file or directory (os error 2)")
    );
    assert_eq!(scene.read("given.txt/x"), unreadable("given.txt/x", "not a directory"));
    // The link now leads elsewhere, but the file is the one that was granted.
    fs::remove_file(scene.at("link")).unwrap();
    symlink("other.txt", scene.at("link")).unwrap();
    assert_eq!(scene.read("link"), Ok("given.txt".to_owned()));
    for replace in [
        |scene: &Scene| fs::rename(scene.at("other.txt"), scene.at("given.txt")).unwrap(),
        |scene: &Scene| {
            fs::remove_file(scene.at("given.txt")).unwrap();
            symlink("in/a.txt", scene.at("given.txt")).unwrap();
        },
    ] {
        replace(&scene);
        let read = scene.read("given.txt").unwrap_err();
        assert!(read.starts_with("file.unreadable: "), "{read}");
    }
}

#[test]
fn what_would_keep_a_reader_waiting_is_no_file() {
    let scene = Scene::new();
    let fifo = scene.at("in/fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(scene.read("in/fifo"), unreadable("in/fifo", "it is no regular file"));
    let others = open_files(
        scene.folder.path(),
        &[],
        &["in/fifo", "/dev/zero", "/proc/self/environ"],
    );
    let scene = Scene { files: others, ..scene };
    for path in ["in/fifo", "/dev/zero"] {
        assert_eq!(scene.read(path), unreadable(path, "it is no regular file"));
    }
    if cfg!(target_os = "linux") {
        let why = "it is no file of a disk, but the kernel's";
        assert_eq!(scene.read("/proc/self/environ"), unreadable("/proc/self/environ", why));
    }
}

#[test]
fn a_dash_is_standard_input_only_where_it_was_given() {
    let scene = Scene::new();
    assert_eq!(scene.read("-"), denied("-"));
    let files = open_files(scene.folder.path(), &[], &["-", "./-"]);
    fs::write(scene.at("-"), "a file").unwrap();
    let is_input = |path: &str| matches!(files.find(path).unwrap().0.place, Ok(Place::Input));
    assert!(is_input("-") && !is_input("./-"));
    let below = Files::open(
        &["files:read:/-".parse::<Need>().unwrap()].into_iter().collect(),
        Path::new("/"),
    );
    assert!(!matches!(below.find("-").unwrap().0.place, Ok(Place::Input)));
}

#[test]
fn values_are_counted_outside_of_texts() {
    for (json, count) in [("1", 1), ("[1,{\"a\":[2,3]}]", 6), (r#"["a,b{[\"",  "\\", 1]"#, 4)] {
        assert_eq!(values(json), count, "{json}");
    }
}

fn table(text: &str) -> Result<Table, String> {
    Table::parse(text, "The file `x.csv`").map_err(|error| error.to_string())
}

#[test]
fn a_table_has_headings_and_as_many_cells() {
    let read = table("username, email \nalice,\"a, \"\"b\"\"\"\r\n\nbob,\n").unwrap();
    assert_eq!(read.headings, ["username", "email"]);
    assert_eq!(read.rows, [["alice", "a, \"b\""], ["bob", ""]]);
    assert_eq!(table("a\n").unwrap().rows.len(), 0);
    for (text, problem) in [
        ("", "is empty: it has no headings"),
        ("\n\n", "is empty: it has no headings"),
        ("a,,b\n", "has no heading over column 2 in line 1"),
        ("\na,b, a\n", "has the heading `a` twice in line 2"),
        ("a,b\n1,2\n\n3\n", "has 1 cell, but 2 headings, in line 4"),
        ("a,b\r\n1,2\r\n\r\n3\r\n", "has 1 cell, but 2 headings, in line 4"),
        (
            "a,b\n1,2\n\n3,\"4\n5,6\n",
            "has a quote that nothing ends, in a row that begins in line 4",
        ),
        (
            "a,\"b\n1,2",
            "has a quote that nothing ends, in a row that begins in line 1",
        ),
        ("a,b\n\"1\n1\",2\n1,2,3\n", "has 3 cells, but 2 headings, in line 4"),
    ] {
        assert_eq!(table(text), Err(format!("The file `x.csv` {problem}")), "{text:?}");
    }
    for (text, cells) in [
        ("a,b\n1,\"x\n\0\"", "x\n\0"),
        ("a,b\n1,\0", "\0"),
        ("a,b\n1,5\" pipe\n", "5\" pipe"),
        ("a,b\n1,2\n\n\n", "2"),
    ] {
        assert_eq!(table(text).unwrap().rows, [["1", cells]], "{text:?}");
    }
    let rows = |count: usize| format!("a,b\n{}", "1,2\n".repeat(count));
    assert_eq!(table(&rows(MOST_CELLS / 2)).unwrap().rows.len(), MOST_CELLS / 2);
    assert_eq!(
        table(&rows(MOST_CELLS / 2 + 1)),
        Err("The file `x.csv` has more than 600000 cells".to_owned())
    );
}
