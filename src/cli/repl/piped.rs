//! A session without a prompt: its inputs come from a file or a program, and the first that fails ends it.

use std::{
    io::{self, IsTerminal},
    ops::ControlFlow,
};

use super::{
    super::{
        execution,
        printer::Printer,
        render::{self, Format},
        signals::INTERRUPTED,
    },
    conversation::{Conversation, Step},
    feed::{self, Entered, Feed},
};
use crate::{
    console::Console,
    error::{Code, Error, Excerpt, Result},
    host::{Outcome, repl::Mode},
};

/// What errors call an input until its place in standard input is known: with the number of its first line.
const LABEL: &str = "standard input, line ";

/// What stands between two documents of YAML.
const NEXT_DOCUMENT: &str = "---\n";

/// Whether inputs are typed at a prompt: by somebody who sees what comes of them.
pub(super) fn is_at_prompt() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Takes inputs from standard input to its end, and returns the exit status.
///
/// # Errors
/// That of the first input that fails; those before it are done.
pub(super) fn converse(mut conversation: Conversation) -> Result<u8> {
    if io::stdin().is_terminal() {
        conversation.console.say("Reading inputs; Ctrl-D ends them:");
    }
    let mut feed = Feed::start()?;
    let mut session = Piped {
        conversation: &mut conversation,
        is_first: true,
    };
    while let Some(entered) = feed.next()? {
        match session.answer(&entered).map_err(|error| placed(error, &entered))? {
            Step::GoOn if session.conversation.is_over() => return Ok(INTERRUPTED),
            Step::GoOn => {}
            Step::Leave => break,
        }
    }
    Ok(0)
}

struct Piped<'conversation> {
    conversation: &'conversation mut Conversation,
    /// Whether nothing was shown yet.
    is_first: bool,
}

impl Piped<'_> {
    fn answer(&mut self, entered: &Entered) -> Result<Step> {
        let step = if entered.is_meta {
            self.conversation.answer(&entered.text)?
        } else if self.evaluate(entered)?.is_break() {
            // Nobody reads what comes of the others.
            Step::Leave
        } else {
            Step::GoOn
        };
        self.conversation.console.release();
        Ok(step)
    }

    /// Evaluates an input, and shows its result as `eval` does that of an expression. `Break` if its reader has gone away.
    fn evaluate(&mut self, entered: &Entered) -> Result<ControlFlow<()>> {
        let input = self.conversation.begin();
        let Conversation {
            session,
            console,
            options,
            changes,
            ..
        } = &mut *self.conversation;
        let only_reads = session.mode() != Mode::Write;
        let separates = options.wish.format == Format::Yaml && !self.is_first;
        let lead = if separates { NEXT_DOCUMENT } else { "" };
        let label = format!("{LABEL}{}", entered.line);
        let mut printer = Printer::following(&options.wish, lead);
        let outcome = if execution::streams(only_reads, &options.wish) {
            let done = session.execute(&label, &entered.text, input.interrupt(), Some(&mut printer));
            match done {
                Ok(outcome) if outcome.shown => {
                    self.is_first = false;
                    execution::conclude(&outcome.report, &**console);
                    return printer.finish();
                }
                Ok(outcome) => outcome,
                Err(error) => {
                    printer.abandon();
                    return Err(error);
                }
            }
        } else {
            session.execute(&label, &entered.text, input.interrupt(), None)?
        };
        drop(input);
        execution::tell(&outcome.report, &**console);
        if outcome.report.dry_run {
            return Err(unasked(&outcome));
        }
        changes.note(session.inputs(), &outcome.report);
        execution::conclude(&outcome.report, &**console);
        let text = execution::text(&outcome, only_reads, &options.wish, &**console)?;
        let shown = if text.is_empty() {
            ControlFlow::Continue(())
        } else {
            self.is_first = false;
            render::write_stdout(format!("{lead}{text}").as_bytes())?
        };
        match outcome.report.failure {
            Some(error) => Err(error),
            None => Ok(shown),
        }
    }
}

/// The error that something would change which nobody can be asked about.
fn unasked(outcome: &Outcome) -> Error {
    let changes = serde_json::to_value(&outcome.report.changes).unwrap_or_default();
    Error::new(
        Code::InputNotInteractive,
        "The input would change something, and nobody can be asked: nothing was changed",
    )
    .help("`masctl repl --mode write` changes without being asked.")
    .data("changes", changes)
}

/// The error with its places in standard input. That it is about the input tells how far the inputs were done.
fn placed(error: Error, entered: &Entered) -> Error {
    let error = error.with_places(&|place| match place.name.strip_prefix(LABEL).map(str::parse) {
        Some(Ok(line)) => place.within(feed::NAME, line),
        _ => place,
    });
    if !error.excerpts().is_empty() {
        return error;
    }
    let first = entered.text.lines().next().unwrap_or_default().len();
    error.at(Excerpt::new(feed::NAME, entered.text.as_str(), 0..first).within(feed::NAME, entered.line))
}
