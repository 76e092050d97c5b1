//! What an input would change, and the question whether to do it.

use super::super::terminal::one_line;
use crate::{
    console::Console,
    error::{Result, counted},
    operations::{Delivery, Plan},
};

/// How many changes, calls to the homeserver and notes are shown, of each.
const MOST: usize = 50;

/// Shows a plan, and asks whether to carry it out.
///
/// # Errors
/// Those of asking.
pub(super) fn ask(plan: &Plan, console: &dyn Console) -> Result<bool> {
    for line in lines(plan) {
        console.insist(&line);
    }
    console.confirm(&question(plan), false)
}

fn lines(plan: &Plan) -> Vec<String> {
    let changes = cut(plan.changes(), |change| Some(change.sentence(true)));
    let effects = cut(plan.effects(), Delivery::sentence);
    let notes = cut(plan.notes(), |note| Some(note.clone()));
    [changes, effects, notes].concat()
}

/// A line for each of the first, and how many more there are: the question is not to be all that is left on the screen.
fn cut<T>(all: &[T], sentence: impl Fn(&T) -> Option<String>) -> Vec<String> {
    let shown = all.iter().take(MOST).filter_map(sentence);
    let mut lines: Vec<_> = shown.map(|sentence| one_line(&sentence).into_owned()).collect();
    if all.len() > MOST {
        lines.push(format!("… and {} more", all.len() - MOST));
    }
    lines
}

fn question(plan: &Plan) -> String {
    let changes = plan.changes().len() as u64;
    match (changes, plan.jobs()) {
        (0, 0) => "Apply this?".to_owned(),
        (0, jobs) => format!("Nothing would change. Queue {} for MAS?", counted(jobs, "job")),
        (1, _) => "Apply this change?".to_owned(),
        _ => format!("Apply these {changes} changes?"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_the_first_are_shown_and_all_are_counted() {
        let notes: Vec<String> = (0..1112).map(|at| format!("user{at} is locked\nalready")).collect();
        let lines = cut(&notes, |note| Some(note.clone()));
        assert_eq!(lines.len(), MOST + 1);
        assert!(!lines[0].contains('\n'), "{:?}", lines[0]);
        assert_eq!(lines[MOST], "… and 1062 more");
        assert_eq!(cut(&notes[..MOST], |note| Some(note.clone())).len(), MOST);
    }
}
