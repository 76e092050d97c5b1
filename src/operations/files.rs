//! Reading the files that a script was granted, and no others.
//!
//! What is granted is looked up once, when the run starts. A folder is held open from then on, and nothing outside of it
//! can be reached through it, also not by a symbolic link. A file must be the one that it was then.

mod kept;

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use cap_std::{
    ambient_authority,
    fs::{Dir, OpenOptions, OpenOptionsExt as _},
};
use rustix::fs::OFlags;
use serde_json::Value;

pub use self::kept::KeptFiles;
use super::Run;
use crate::{
    capability::{Capability, Denier, FileScope, Granted, Need},
    error::{Code, Error, Result, counted, listed},
};

/// What stands for standard input.
const INPUT: &str = "-";

/// How long a file may be, in bytes: a script's texts may be no longer together.
pub const LONGEST: u64 = 16 << 20;

/// How many cells a table may have, which are the entries of its maps.
const MOST_CELLS: usize = 600_000;

/// What is put in a line of its own after a table: a quote that nothing ends has it in its cell.
const END: &str = "\0";

/// How many values a file of JSON may have.
const MOST_VALUES: usize = 1_000_000;

/// How many lines a file may have.
const MOST_LINES: usize = 2_000_000;

/// A table with headings.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// The headings, no two of them alike.
    pub headings: Vec<String>,
    /// As many cells in each row as there are headings.
    pub rows: Vec<Vec<String>>,
}

/// The files that a run may read.
pub(super) struct Files {
    /// What relative paths start from.
    directory: PathBuf,
    roots: Vec<Root>,
    /// Whether standard input was read: that can be done once.
    input_read: AtomicBool,
    /// What was read, if another execution of the same is to find the same.
    kept: Option<Arc<KeptFiles>>,
}

/// A file or folder that a script needs.
struct Root {
    scope: FileScope,
    /// As it was written, made absolute unless it is standard input.
    path: PathBuf,
    place: Result<Place>,
}

/// Where it was when it was granted.
enum Place {
    Input,
    Folder(Dir),
    File { path: PathBuf, device: u64, inode: u64 },
    Missing(io::Error),
}

impl Files {
    /// Looks up what is granted. Nothing of it is read, and what cannot be found is an error only where it is read.
    pub(super) fn open(granted: &Granted, directory: &Path) -> Self {
        let roots = granted.paths().map(|(granted, allowed)| {
            let is_input = granted.path == INPUT && matches!(granted.scope, FileScope::Given(_));
            let path = if is_input {
                INPUT.into()
            } else {
                directory.join(&granted.path)
            };
            let place = allowed.map(|()| {
                if is_input {
                    Place::Input
                } else {
                    place(&path).unwrap_or_else(Place::Missing)
                }
            });
            Root {
                scope: granted.scope.clone(),
                path,
                place,
            }
        });
        Self {
            directory: directory.to_owned(),
            roots: roots.collect(),
            input_read: AtomicBool::new(false),
            kept: None,
        }
    }

    /// Reads what was read before from there, and keeps there what is read.
    pub(super) fn share(&mut self, kept: Arc<KeptFiles>) {
        self.kept = Some(kept);
    }

    /// The root that a path is in, and the path from there. What is not denied comes before what is, and what was granted
    /// itself before a folder that it is in.
    fn find(&self, path: &str) -> Option<(&Root, PathBuf)> {
        let absolute = self.directory.join(path);
        let is_input = |root: &&Root| path == INPUT && root.path == Path::new(INPUT);
        let input = self.roots.iter().filter(is_input).map(|root| (root, PathBuf::new()));
        let roots = self.roots.iter();
        let inside = roots.filter_map(|root| Some((root, absolute.strip_prefix(&root.path).ok()?.to_owned())));
        let found = input.chain(inside);
        found.min_by_key(|(root, rest)| (root.place.is_err(), !rest.as_os_str().is_empty()))
    }

    /// The error that the header says nothing of this path.
    fn refuse(&self, path: &str) -> Error {
        let words = |root: &Root| match &root.scope {
            FileScope::Below(path) => format!("`{}`", path.display()),
            FileScope::Given(param) => format!("what is given for `{param}`"),
        };
        let mut may: Vec<String> = self.roots.iter().map(words).collect();
        may.dedup();
        let mut help = match &may[..] {
            [] => String::new(),
            may => format!("It may read {}. ", listed(may)),
        };
        let need = Need::Files(FileScope::Below(self.directory.join(path)));
        help.extend(["Add `", &need.to_string(), "` to `needs` in the script's header."]);
        denied(path, "it lacks `files:read` of that", &need).help(help)
    }
}

/// What there is at a path now.
fn place(path: &Path) -> io::Result<Place> {
    let path = path.canonicalize()?;
    let metadata = path.metadata()?;
    if metadata.is_dir() {
        return Dir::open_ambient_dir(&path, ambient_authority()).map(Place::Folder);
    }
    Ok(Place::File {
        device: metadata.dev(),
        inode: metadata.ino(),
        path,
    })
}

/// The text of a file in UTF-8, without a byte order mark.
///
/// # Errors
/// `capability.denied`, `file.unreadable`; `value.invalid` for what is no UTF-8 or is too long, and for standard input
/// that was read before; `run.writing` for standard input while changes wait to be committed; `run.interrupted`.
pub fn text(run: &Run, path: &str) -> Result<String> {
    let files = run.files();
    let (root, rest) = files.find(path).ok_or_else(|| files.refuse(path))?;
    let place = root.place.as_ref().map_err(Clone::clone)?;
    run.use_of(Need::Files(match &root.scope {
        FileScope::Below(_) => FileScope::Below(files.directory.join(path)),
        given @ FileScope::Given(_) => given.clone(),
    }));
    if let Place::Input = place {
        start_input(run)?;
    }
    let read = || {
        text_of(
            path,
            match place {
                Place::Input => read_input(run)?,
                place => read(place, &rest, path)?,
            },
        )
    };
    match &files.kept {
        Some(kept) => kept.text(&files.directory.join(path), read),
        None => read(),
    }
}

fn text_of(path: &str, bytes: Vec<u8>) -> Result<String> {
    let name = name(path);
    if bytes.len() as u64 > LONGEST {
        let message = format!("{name} is larger than {} MiB", LONGEST >> 20);
        return Err(Error::new(Code::ValueInvalid, message).help("Split it."));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.split(|&byte| byte == b'\n').count();
        Error::new(Code::ValueInvalid, format!("{name} is not UTF-8 in line {line}")).data("line", line)
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// The lines of a file, without their ends.
///
/// # Errors
/// Those of [`text`], and `value.invalid` for too many.
pub fn lines(run: &Run, path: &str) -> Result<Vec<String>> {
    let text = text(run, path)?;
    let lines: Vec<String> = text.lines().take(MOST_LINES + 1).map(str::to_owned).collect();
    if lines.len() > MOST_LINES {
        let message = format!("{} has more than {MOST_LINES} lines", name(path));
        return Err(Error::new(Code::ValueInvalid, message).help("Split it."));
    }
    Ok(lines)
}

/// A file of values separated by commas, whose first line has the headings.
///
/// # Errors
/// Those of [`text`], and `value.invalid` with the line for what is no such table.
pub fn table(run: &Run, path: &str) -> Result<Table> {
    Table::parse(&text(run, path)?, &name(path))
}

/// What a file of JSON holds.
///
/// # Errors
/// Those of [`text`], and `value.invalid` for what is no JSON.
pub fn json(run: &Run, path: &str) -> Result<Value> {
    let text = text(run, path)?;
    if values(&text) > MOST_VALUES {
        let message = format!("{} has more than {MOST_VALUES} values", name(path));
        return Err(Error::new(Code::ValueInvalid, message).help("Split it."));
    }
    serde_json::from_str(&text)
        .map_err(|error| Error::new(Code::ValueInvalid, format!("{} is no JSON: {error}", name(path))))
}

/// How many values a JSON has at most, counted before they are made: a small text has many that are large in memory.
fn values(json: &str) -> usize {
    let (mut count, mut quoted, mut escaped) = (1, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'{' | b'[' | b',' if !quoted => count += 1,
            _ => {}
        }
    }
    count
}

/// Refuses to read standard input where that cannot be: changes that wait to be committed would hold locks meanwhile.
fn start_input(run: &Run) -> Result<()> {
    if run.is_writing() {
        let message = "Standard input cannot be read while changes wait to be committed";
        return Err(Error::new(Code::RunWriting, message).help("Read it first, then change."));
    }
    if run.files().input_read.swap(true, Ordering::Relaxed) {
        let message = "Standard input was read before: it can be read once";
        return Err(Error::new(Code::ValueInvalid, message).help("Keep what was read in a variable."));
    }
    Ok(())
}

/// Standard input, to its end.
fn read_input(run: &Run) -> Result<Vec<u8>> {
    if run.console().interactive() {
        run.console().say("Reading standard input; Ctrl-D ends it:");
    }
    run.ask(|console| {
        console
            .read_input(LONGEST + 1)
            .map_err(|error| unreadable(INPUT, &error))
    })
}

/// The bytes of a file, one more than there may be at most.
fn read(place: &Place, rest: &Path, path: &str) -> Result<Vec<u8>> {
    let file = open(place, rest).map_err(|error| match error.raw_os_error() {
        None if error.kind() == io::ErrorKind::PermissionDenied => {
            let problem = "that leads out of the folder that it may read";
            denied(path, problem, &Capability::FILES.into())
        }
        _ => unreadable(path, &error),
    })?;
    let mut bytes = Vec::new();
    file.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error))?;
    Ok(bytes)
}

/// Opens a regular file. Whatever else there is, such as a FIFO, is not waited for.
fn open(place: &Place, rest: &Path) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = match place {
        Place::Missing(error) => return Err(again(error)),
        Place::Folder(_) if rest.as_os_str().is_empty() => return Err(io::Error::other("it is a folder")),
        Place::Folder(folder) => {
            let metadata = folder.metadata(rest)?;
            require_regular(metadata.is_file(), metadata.is_dir())?;
            let mut options = OpenOptions::new();
            folder
                .open_with(rest, options.read(true).custom_flags(flags))?
                .into_std()
        }
        Place::File { .. } if !rest.as_os_str().is_empty() => return Err(io::ErrorKind::NotADirectory.into()),
        Place::File { path, .. } => {
            require_regular(path.symlink_metadata()?.is_file(), false)?;
            File::options().read(true).custom_flags(flags).open(path)?
        }
        Place::Input => return Err(io::ErrorKind::Unsupported.into()),
    };
    let metadata = file.metadata()?;
    require_regular(metadata.is_file(), metadata.is_dir())?;
    if let Place::File { device, inode, .. } = place
        && (metadata.dev(), metadata.ino()) != (*device, *inode)
    {
        return Err(io::Error::other(
            "it is no longer the file that it was when the script began",
        ));
    }
    refuse_kernel(&file)?;
    Ok(file)
}

fn require_regular(is_file: bool, is_folder: bool) -> io::Result<()> {
    match (is_file, is_folder) {
        (true, _) => Ok(()),
        (_, true) => Err(io::Error::other("it is a folder")),
        _ => Err(io::Error::other("it is no regular file")),
    }
}

/// Refuses what the kernel says of processes, such as their environment.
#[cfg(target_os = "linux")]
fn refuse_kernel(file: &File) -> io::Result<()> {
    if rustix::fs::fstatfs(file)?.f_type == rustix::fs::PROC_SUPER_MAGIC {
        return Err(io::Error::other("it is no file of a disk, but the kernel's"));
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn refuse_kernel(_: &File) -> io::Result<()> {
    Ok(())
}

fn again(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => error.kind().into(),
    }
}

fn unreadable(path: &str, error: &io::Error) -> Error {
    let error = Error::new(Code::FileUnreadable, format!("{} cannot be read: {error}", name(path)));
    error.data("path", path)
}

fn denied(path: &str, problem: &str, need: &Need) -> Error {
    Error::new(
        Code::CapabilityDenied,
        format!("The script may not read `{path}`: {problem}"),
    )
    .data("capability", need.to_string())
    .data("denied_by", Denier::Header.as_str())
    .data("path", path)
}

/// A file as messages name it.
fn name(path: &str) -> String {
    if path == INPUT {
        "Standard input".to_owned()
    } else {
        format!("The file `{path}`")
    }
}

impl Table {
    /// Reads a table; `name` is what messages call it.
    fn parse(text: &str, name: &str) -> Result<Self> {
        let wrong = |line: Option<u64>, problem: &str| {
            let place = line.map(|line| format!(" in line {line}")).unwrap_or_default();
            Error::new(Code::ValueInvalid, format!("{name} {problem}{place}")).data("line", line)
        };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes().chain(b"\n".as_slice()).chain(END.as_bytes()));
        let mut table = Self {
            headings: Vec::new(),
            rows: Vec::new(),
        };
        let mut record = csv::StringRecord::new();
        // The text is UTF-8 and in memory, so that nothing is left that could fail.
        let failed = |error| wrong(None, &format!("cannot be read: {error}"));
        while reader.read_record(&mut record).map_err(failed)? {
            let line = record.position().map(|position| line_of(text, position));
            if reader.position().byte() > text.len() as u64 + 1 {
                if record.iter().eq([END]) {
                    break;
                }
                return Err(wrong(line, "has a quote that nothing ends, in a row that begins"));
            }
            let cells = record.iter().map(str::to_owned).collect::<Vec<_>>();
            if table.headings.is_empty() {
                table.headings = headings(&cells).map_err(|problem| wrong(line, &problem))?;
                continue;
            }
            let columns = table.headings.len();
            if cells.len() != columns {
                let problem = format!("has {}, but {columns} headings,", counted(cells.len() as u64, "cell"));
                return Err(wrong(line, &problem));
            }
            if (table.rows.len() + 1) * columns > MOST_CELLS {
                let error = wrong(None, &format!("has more than {MOST_CELLS} cells"));
                return Err(error.help("Split it, or read it by `files::lines`."));
            }
            table.rows.push(cells);
        }
        if table.headings.is_empty() {
            return Err(wrong(None, "is empty: it has no headings"));
        }
        Ok(table)
    }
}

/// The line of a record, which a reader of CSV takes to begin with the empty lines before it.
fn line_of(text: &str, position: &csv::Position) -> u64 {
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + ends.filter(|&&byte| byte == b'\n').count() as u64
}

/// The headings without the spaces around them, or what is wrong with them.
fn headings(cells: &[String]) -> Result<Vec<String>, String> {
    let mut headings: Vec<String> = Vec::with_capacity(cells.len());
    for (at, cell) in cells.iter().enumerate() {
        let heading = cell.trim();
        if heading.is_empty() {
            return Err(format!("has no heading over column {}", at + 1));
        }
        if headings.iter().any(|known| known == heading) {
            return Err(format!("has the heading `{heading}` twice"));
        }
        headings.push(heading.to_owned());
    }
    Ok(headings)
}

#[cfg(test)]
mod tests;
