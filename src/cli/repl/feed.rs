//! The inputs on standard input, one after the other, as they come.

use std::{
    io::{self, ErrorKind, Read},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use crate::{
    error::{Code, Error, Excerpt, Result},
    host::{
        repl::{
            entry::{self, LONGEST, Shape},
            scan,
        },
        script,
    },
};

/// What errors call it.
pub(super) const NAME: &str = "standard input";

/// How much is read at once, in bytes, and how many of those are waiting at most.
const PIECE: usize = 64 << 10;
const PIECES: usize = 2;

/// How long standard input must be quiet until an input counts as whole that the next line could go on with. A file is
/// never quiet before its end, and neither is a program that has more to say at once.
const PAUSE: Duration = Duration::from_millis(200);

/// An input.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entered {
    pub(super) text: String,
    /// The line of standard input that it begins on, counted from 1.
    pub(super) line: usize,
    /// Whether it is a meta-command.
    pub(super) is_meta: bool,
}

/// Takes inputs from standard input.
pub(super) struct Feed {
    /// What is read; after the last piece there is no sender.
    pieces: Receiver<io::Result<Vec<u8>>>,
    /// The beginning of a line.
    rest: Vec<u8>,
    /// The lines behind the last input that was taken.
    text: String,
    /// The number of the first line of `text`.
    line: usize,
    /// Whether nothing comes any more, and why, if it is no end as it should be.
    ended: bool,
    failure: Option<Error>,
}

impl Feed {
    /// Starts reading, on a thread of its own: whoever waits for an input is not to wait for the next one.
    ///
    /// # Errors
    /// `bug` if no thread can be started.
    pub(super) fn start() -> Result<Self> {
        let (sender, pieces) = sync_channel(PIECES);
        let reading = move || read(io::stdin().lock(), &sender);
        thread::Builder::new()
            .name("inputs".to_owned())
            .spawn(reading)
            .map_err(|cause| Error::new(Code::Bug, format!("No thread for standard input: {cause}")))?;
        Ok(Self::of(pieces))
    }

    fn of(pieces: Receiver<io::Result<Vec<u8>>>) -> Self {
        Self {
            pieces,
            rest: Vec::new(),
            text: String::new(),
            line: 1,
            ended: false,
            failure: None,
        }
    }

    /// Waits for the next input. `None` at the end.
    ///
    /// # Errors
    /// `script.syntax` for what is no text, and where it ends within an input; `script.limit` for an input that is too
    /// long; `file.unreadable`. The inputs before it were taken.
    pub(super) fn next(&mut self) -> Result<Option<Entered>> {
        let mut is_quiet = false;
        loop {
            let waits = match self.first()? {
                First::Over(length, is_meta) => return Ok(Some(self.take(length, is_meta))),
                First::Whole(length) if is_quiet || self.ended => return Ok(Some(self.take(length, false))),
                First::Whole(_) => true,
                First::Open if self.ended => return Err(self.failure.take().unwrap_or_else(|| self.cut())),
                First::Nothing if self.ended => return self.failure.take().map_or(Ok(None), Err),
                First::Open | First::Nothing => false,
            };
            is_quiet = !self.receive(waits.then_some(PAUSE));
        }
    }

    /// What there is of the next input.
    fn first(&mut self) -> Result<First> {
        let mut inputs = entry::inputs(&self.text);
        let Some(input) = inputs.next() else {
            self.forget_blank();
            return Ok(First::Nothing);
        };
        if input.text.len() > LONGEST {
            let line = self.line + input.line - 1;
            let message = format!(
                "The input that begins in line {line} of {NAME} is larger than {} KiB",
                LONGEST >> 10
            );
            let help = "Put it into a script, and run that with `\\run`.";
            return Err(Error::new(Code::ScriptLimit, message).help(help));
        }
        // What the input is begins somewhere in the lines that there are.
        let end = input.text.as_ptr().addr() - self.text.as_ptr().addr() + input.text.len();
        let ends_itself = || {
            scan::scan(input.text)
                .tokens
                .iter()
                .rev()
                .find(|token| token.is_code())
                .is_some_and(|token| token.text(input.text) == ";")
        };
        Ok(match input.shape {
            Shape::Incomplete | Shape::Blank => First::Open,
            Shape::Meta => First::Over(end, true),
            Shape::Whole if inputs.next().is_some() || ends_itself() => First::Over(end, false),
            Shape::Whole => First::Whole(end),
        })
    }

    /// Takes the input that ends behind so many bytes.
    fn take(&mut self, end: usize, is_meta: bool) -> Entered {
        let taken: String = self.text.drain(..end).collect();
        let text = taken.trim_start_matches(['\r', '\n']);
        let line = self.line + lines(&taken) - lines(text);
        self.line += lines(&taken);
        Entered {
            text: text.to_owned(),
            line,
            is_meta,
        }
    }

    /// Forgets lines without any input, unless they may be the comment of the next.
    fn forget_blank(&mut self) {
        if self.text.len() > LONGEST || self.text.trim().is_empty() {
            self.line += lines(&self.text);
            self.text.clear();
        }
    }

    /// The error that the last input is not whole.
    fn cut(&self) -> Error {
        let blank = self.text.len() - self.text.trim_start().len();
        let line = self.line + lines(&self.text[..blank]);
        let text = self.text[blank..].trim_end();
        let first = text.lines().next().unwrap_or_default().len();
        let message = format!("The last input of {NAME} is incomplete: it begins in line {line}");
        Error::new(Code::ScriptSyntax, message).at(Excerpt::new(NAME, text, 0..first).within(NAME, line))
    }

    /// Waits for more, not longer than this. Whether more came, or the end.
    fn receive(&mut self, limit: Option<Duration>) -> bool {
        let received = match limit {
            Some(limit) => self.pieces.recv_timeout(limit),
            None => self.pieces.recv().map_err(RecvTimeoutError::from),
        };
        match received {
            Ok(Ok(piece)) => {
                self.rest.extend(piece);
                let end = self.rest.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
                let whole: Vec<u8> = self.rest.drain(..end).collect();
                self.add(&whole);
                if self.rest.len() > LONGEST {
                    let line = self.line + lines(&self.text);
                    let message = format!("Line {line} of {NAME} is larger than {} KiB", LONGEST >> 10);
                    self.fail(Error::new(Code::ScriptLimit, message));
                }
            }
            Ok(Err(cause)) => {
                let message = format!("Standard input cannot be read: {cause}");
                self.fail(Error::new(Code::FileUnreadable, message));
            }
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => {
                let last = std::mem::take(&mut self.rest);
                self.add(&last);
                self.ended = true;
            }
        }
        true
    }

    /// Adds whole lines, up to the first that is no text.
    fn add(&mut self, whole: &[u8]) {
        for line in whole.split_inclusive(|&byte| byte == b'\n') {
            match script::text_of(line, NAME) {
                Ok(Ok(text)) => self.text.push_str(&text),
                Ok(Err(cause)) => return self.fail(Error::new(Code::FileUnreadable, cause.to_string())),
                Err(error) => {
                    let number = self.line + lines(&self.text);
                    let error = if std::str::from_utf8(line).is_err() {
                        error.reworded(format!("Standard input is not UTF-8 in line {number}"))
                    } else {
                        error.with_places(&|place| place.within(NAME, number))
                    };
                    return self.fail(error);
                }
            }
        }
    }

    fn fail(&mut self, error: Error) {
        self.ended = true;
        self.failure.get_or_insert(error);
    }
}

/// What there is of the next input, and behind how many bytes it ends.
enum First {
    /// It is whole, and nothing that comes can belong to it. Whether it is a meta-command.
    Over(usize, bool),
    /// It is whole, unless the next line goes on with it.
    Whole(usize),
    /// Its beginning.
    Open,
    /// Nothing yet.
    Nothing,
}

fn lines(text: &str) -> usize {
    text.bytes().filter(|&byte| byte == b'\n').count()
}

/// Sends what there is to read, piece by piece, as long as somebody takes it.
fn read(mut source: impl Read, pieces: &SyncSender<io::Result<Vec<u8>>>) {
    let mut buffer = vec![0; PIECE];
    loop {
        let piece = match source.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => Ok(buffer[..length].to_vec()),
            Err(cause) if cause.kind() == ErrorKind::Interrupted => continue,
            Err(cause) => Err(cause),
        };
        let is_over = piece.is_err();
        if pieces.send(piece).is_err() || is_over {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is taken of these pieces, and the error at the end.
    fn taken(pieces: &[&[u8]]) -> (Vec<(usize, String)>, Option<Error>) {
        let (sender, receiver) = sync_channel(pieces.len());
        for piece in pieces {
            sender.send(Ok(piece.to_vec())).unwrap();
        }
        drop(sender);
        let mut feed = Feed::of(receiver);
        let mut inputs = Vec::new();
        loop {
            match feed.next() {
                Ok(Some(input)) => inputs.push((input.line, input.text)),
                Ok(None) => return (inputs, None),
                Err(error) => return (inputs, Some(error)),
            }
        }
    }

    fn inputs(text: &str) -> Vec<(usize, String)> {
        let (inputs, error) = taken(&[text.as_bytes()]);
        assert!(error.is_none(), "{error:?}");
        for size in [1, 2, 7] {
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            assert_eq!(taken(&pieces).0, inputs, "in pieces of {size}");
        }
        inputs
    }

    #[test]
    fn inputs_have_their_lines_however_they_come() {
        let text = "\n1\n// é\n\nfn f() {\r\n  2\r\n}\r\n\\d users\n\n\nlet a = 3; let b = 4;\na\n  .b()\nif a {\n}\nelse {\n}\n// end";
        let expected = [
            (2, "1"),
            (3, "// é\n\nfn f() {\r\n  2\r\n}"),
            (8, "\\d users"),
            (11, "let a = 3; let b = 4;"),
            (12, "a\n  .b()"),
            (14, "if a {\n}\nelse {\n}"),
        ];
        let expected: Vec<_> = expected.iter().map(|&(line, text)| (line, text.to_owned())).collect();
        assert_eq!(inputs(text), expected);
        assert_eq!(inputs(""), []);
        assert_eq!(inputs("\n \n"), []);
    }

    #[test]
    fn an_input_is_taken_when_nothing_more_comes() {
        let (sender, receiver) = sync_channel(4);
        let mut feed = Feed::of(receiver);
        for (piece, text) in [("1 + 1\n", "1 + 1"), ("\n2;\n", "2;"), ("\\x\n", "\\x")] {
            sender.send(Ok(piece.as_bytes().to_vec())).unwrap();
            assert_eq!(feed.next().unwrap().unwrap().text, text);
        }
        sender.send(Ok(b"a\n".to_vec())).unwrap();
        sender.send(Ok(b".b()\n".to_vec())).unwrap();
        drop(sender);
        let input = feed.next().unwrap().unwrap();
        assert_eq!((input.line, input.text.as_str()), (5, "a\n.b()"));
        assert_eq!(feed.next().unwrap(), None);
    }

    #[test]
    fn what_is_before_a_mistake_is_taken() {
        let failed = |pieces: &[&[u8]]| {
            let (inputs, error) = taken(pieces);
            let error = error.unwrap();
            (inputs.len(), error.code(), error.to_string())
        };
        let cut = "The last input of standard input is incomplete: it begins in line 3";
        assert_eq!(failed(&[b"1\n\nf("]), (1, Code::ScriptSyntax, cut.to_owned()));
        let bytes = "Standard input is not UTF-8 in line 2";
        assert_eq!(failed(&[b"1\n\"\xff\"\n3"]), (1, Code::ScriptSyntax, bytes.to_owned()));
        let nul = "The script `standard input` has a NUL character";
        assert_eq!(failed(&[b"1\n2\na", b"\0\n"]), (2, Code::ScriptSyntax, nul.to_owned()));
        let (_, error) = taken(&[b"1\n2\na\0\n"]);
        assert_eq!(error.unwrap().excerpts()[0].line_and_column(), (3, 2));
    }

    #[test]
    fn nothing_is_larger_than_an_input_may_be() {
        let line = vec![b'1'; LONGEST + 1];
        let (inputs, error) = taken(&[b"1\n", &line]);
        assert_eq!(inputs.len(), 1);
        assert_eq!(
            error.unwrap().message(),
            "Line 2 of standard input is larger than 256 KiB"
        );
        let open = format!("1\n[\n{}", "1,\n".repeat(LONGEST));
        let pieces: Vec<&[u8]> = open.as_bytes().chunks(PIECE).collect();
        let (inputs, error) = taken(&pieces);
        assert_eq!(inputs.len(), 1);
        let message = "The input that begins in line 2 of standard input is larger than 256 KiB";
        assert_eq!(error.unwrap().message(), message);
        let comments = "// a\n".repeat(LONGEST);
        let pieces: Vec<&[u8]> = comments.as_bytes().chunks(PIECE).collect();
        assert_eq!(taken(&pieces).0, []);
    }
}
