//! What an input would change, and the question whether to do it.

use super::super::terminal::one_line;
use crate::{
    console::Console,
    error::{Result, counted},
    operations::{Delivery, Plan},
};

/// How many changes are shown.
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
    let changes = plan.changes();
    let mut lines: Vec<_> = changes
        .iter()
        .take(MOST)
        .map(|change| one_line(&change.sentence(true)).into_owned())
        .collect();
    if changes.len() > MOST {
        lines.push(format!("… and {} more", changes.len() - MOST));
    }
    lines.extend(plan.effects().iter().filter_map(Delivery::sentence));
    lines.extend(plan.notes().iter().map(|note| one_line(note).into_owned()));
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
