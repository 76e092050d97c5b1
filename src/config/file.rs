//! Reading a file that is named in the configuration or is one, or a script: bounded in size, and in time where it may never end.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use zeroize::Zeroizing;

/// How long something that is no plain file, such as a named pipe, may take to say what is in it. Nobody may ever
/// write.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no content.
#[derive(Debug)]
pub enum Unread {
    /// The operating system says so, or nothing came in time.
    Failed(io::Error),
    /// There are more bytes than allowed.
    TooLarge,
}

/// All bytes of a file that has at most `limit` of them.
///
/// # Errors
/// Why there are none.
pub fn read(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, Unread> {
    read_within(path, limit, PATIENCE)
}

fn read_within(path: &Path, limit: usize, patience: Duration) -> Result<Zeroizing<Vec<u8>>, Unread> {
    let metadata = fs::metadata(path).map_err(Unread::Failed)?;
    if metadata.is_file() || metadata.is_dir() {
        let room = usize::try_from(metadata.len()).unwrap_or(limit).min(limit);
        return read_all(path, limit, room);
    }
    // Opening a named pipe alone may wait for ever. What still waits then ends with the program.
    let (sender, receiver) = mpsc::channel();
    let name: PathBuf = path.to_owned();
    thread::spawn(move || sender.send(read_all(&name, limit, limit)));
    receiver.recv_timeout(patience).unwrap_or_else(|_| {
        let seconds = patience.as_secs();
        let problem = format!("it is a pipe or a device, and did not come to its end within {seconds} s");
        Err(Unread::Failed(io::Error::new(io::ErrorKind::TimedOut, problem)))
    })
}

fn read_all(path: &Path, limit: usize, room: usize) -> Result<Zeroizing<Vec<u8>>, Unread> {
    // The whole room at once: a buffer that grows would leave copies of a secret behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(room + 2));
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)
        .and_then(|file| file.take(bound).read_to_end(&mut bytes))
        .map_err(Unread::Failed)?;
    if bytes.len() > limit {
        return Err(Unread::TooLarge);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use nix::{sys::stat::Mode, unistd::mkfifo};

    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "12345").unwrap();
        assert_eq!(**read(&path, 5).unwrap(), *b"12345");
        assert!(matches!(read(&path, 4), Err(Unread::TooLarge)));
        assert!(matches!(read(Path::new("/dev/zero"), 4), Err(Unread::TooLarge)));
        assert!(matches!(read(folder.path(), 4), Err(Unread::Failed(error)) if error.raw_os_error() == Some(21)));
    }

    #[test]
    fn a_pipe_is_read_to_its_end_and_not_waited_for_without_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        let writer = thread::spawn({
            let path = path.clone();
            move || fs::write(path, "a: 1\n")
        });
        assert_eq!(**read(&path, 100).unwrap(), *b"a: 1\n");
        writer.join().unwrap().unwrap();
        let start = Instant::now();
        let Err(Unread::Failed(error)) = read_within(&path, 100, Duration::from_millis(50)) else {
            panic!("a pipe that nobody writes to has no content");
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}
