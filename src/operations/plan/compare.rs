//! Whether two executions would commit the same, and what is the first difference if not.
//!
//! What was handed out to the one stands for what was handed out to the other: each id, token and device of the one for
//! one and the same of the other, wherever it is in a text; each time for one that is as far away from a time that was
//! handed out at the same turn. All else is the same byte for byte.

use std::{cell::OnceCell, collections::HashMap};

use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::Plan;
use crate::{
    console::no_longer_the_same,
    error::Result,
    model::Id,
    operations::{
        Delivery, Effect,
        ledger::{Handed, Ledger, Names, Piece, Times},
        record::What,
    },
};

/// The most bytes of a value that a sentence shows.
const MOST_SHOWN: usize = 200;

pub(super) fn compare(was: &Plan, now: &Plan) -> Result<()> {
    let mut comparison = Comparison::new(&was.ledger, &now.ledger);
    let found = changes(&mut comparison, was, now)
        .and_then(|()| unsaid(&mut comparison, was, now))
        .and_then(|()| effects(&mut comparison, was, now))
        .and_then(|()| jobs(&mut comparison, was, now));
    let Err(difference) = found else { return Ok(()) };
    let masked = |text: &str| now.ledger.masked(&was.ledger.masked(text));
    let value = |value: Value| match serde_json::from_str(&masked(&value.to_string())) {
        Ok(value) => value,
        Err(_) => Value::Null,
    };
    Err(no_longer_the_same(&masked(&difference.sentence))
        .data("at", difference.at)
        .data("was", value(difference.was))
        .data("now", value(difference.now)))
}

/// What differs first.
struct Difference {
    sentence: String,
    at: String,
    was: Value,
    now: Value,
}

/// Two values that differ, and where in what was compared.
struct Differing {
    path: Vec<String>,
    was: Value,
    now: Value,
}

fn changes(comparison: &mut Comparison, was: &Plan, now: &Plan) -> Result<(), Box<Difference>> {
    let title = |plan: &Plan, at: usize| plan.record.changes[at].sentence(true);
    let noted = || {
        let mut new = now.record.notes.iter().filter(|note| !was.record.notes.contains(note));
        new.next().map_or_else(String::new, |note| format!(": {note}"))
    };
    let list = List {
        name: "changes",
        counts: (was.record.changes.len(), now.record.changes.len()),
        titles: (&|at| title(was, at), &|at| title(now, at)),
        why: &noted,
    };
    list.compare(|at| {
        let values = [&was.record.changes[at], &now.record.changes[at]].map(|change| json!(change));
        comparison.values(&values[0], &values[1])
    })
}

/// What the changes do not say. It is never shown.
fn unsaid(comparison: &mut Comparison, was: &Plan, now: &Plan) -> Result<(), Box<Difference>> {
    let differing = |change: usize, what: &str| {
        let title = was
            .record
            .changes
            .get(change)
            .map_or_else(String::new, |change| change.sentence(true));
        Err(Box::new(Difference {
            sentence: format!("`{title}`: {what} is not the same as when it was shown."),
            at: format!("changes[{change}]"),
            was: Value::Null,
            now: Value::Null,
        }))
    };
    for (one, other) in was.record.unsaid.iter().zip(&now.record.unsaid) {
        match (&one.what, &other.what) {
            (What::Things(was), What::Things(now)) => {
                let mut pairs = was.iter().zip(now);
                if was.len() != now.len() || !pairs.all(|(was, now)| comparison.ids(*was, *now)) {
                    return differing(one.change, "what it is about");
                }
            }
            (What::Secret(was), What::Secret(now)) => {
                if !comparison.texts(was.expose_secret(), now.expose_secret(), false) {
                    return differing(one.change, "the secret");
                }
            }
            _ => return differing(one.change, "what it is about"),
        }
    }
    let (old, new) = (&was.record.unsaid, &now.record.unsaid);
    match old.get(new.len()).or_else(|| new.get(old.len())) {
        Some(more) => differing(more.change, "what it is about"),
        None => Ok(()),
    }
}

fn effects(comparison: &mut Comparison, was: &Plan, now: &Plan) -> Result<(), Box<Difference>> {
    let title = |plan: &Plan, at: usize| plan.record.effects[at].sentence().unwrap_or_default();
    let list = List {
        name: "effects",
        counts: (was.record.effects.len(), now.record.effects.len()),
        titles: (&|at| title(was, at), &|at| title(now, at)),
        why: &String::new,
    };
    list.compare(|at| comparison.values(&whole(&was.record.effects[at]), &whole(&now.record.effects[at])))
}

/// An effect with what it is made good by, which is not shown.
fn whole(delivery: &Delivery) -> Value {
    let Effect::UpsertDevice { user, session, .. } = &delivery.effect;
    let (kind, session) = session;
    json!({"effect": delivery, "user": user, "session": [kind.noun(), session]})
}

fn jobs(comparison: &mut Comparison, was: &Plan, now: &Plan) -> Result<(), Box<Difference>> {
    for (at, (one, other)) in was.each_job().zip(now.each_job()).enumerate() {
        if one != other {
            let [was, now] = [one, other].map(|(queue, payload)| job(queue, payload));
            let found = comparison.values(&was, &now);
            found.map_err(|differing| of_job(at, one.0, *differing))?;
        }
    }
    if was.record.jobs == now.record.jobs {
        return Ok(());
    }
    Err(Box::new(Difference {
        sentence: format!(
            "It would have queued {} jobs, and would now queue {}.",
            was.record.jobs, now.record.jobs
        ),
        at: "jobs".to_owned(),
        was: was.record.jobs.into(),
        now: now.record.jobs.into(),
    }))
}

fn job(queue: &str, payload: &str) -> Value {
    json!({"queue": queue, "payload": serde_json::from_str::<Value>(payload).unwrap_or_default()})
}

fn of_job(at: usize, queue: &str, differing: Differing) -> Box<Difference> {
    let Differing { path, was, now } = differing;
    Box::new(Difference {
        sentence: format!(
            "Of job {} that it queues, `{queue}`, {} was {} when it was shown, and is {} now.",
            at + 1,
            field(&path),
            shown(&was),
            shown(&now)
        ),
        at: format!("jobs[{at}].{}", path.join(".")),
        was,
        now,
    })
}

type Title<'a> = &'a dyn Fn(usize) -> String;

/// Two lists whose items people know by sentences.
struct List<'a> {
    name: &'static str,
    counts: (usize, usize),
    titles: (Title<'a>, Title<'a>),
    /// Why something may be missing.
    why: &'a dyn Fn() -> String,
}

impl List<'_> {
    fn compare(&self, mut compare: impl FnMut(usize) -> Result<(), Box<Differing>>) -> Result<(), Box<Difference>> {
        let (was, now) = self.counts;
        for at in 0..was.min(now) {
            if let Err(differing) = compare(at) {
                return Err(self.difference(at, *differing));
            }
        }
        if was == now {
            return Ok(());
        }
        Err(self.missing(was.min(now)))
    }

    fn difference(&self, at: usize, differing: Differing) -> Box<Difference> {
        let (was, now) = self.counts;
        if was != now {
            return self.missing(at);
        }
        let titles = ((self.titles.0)(at), (self.titles.1)(at));
        let Differing { path, was, now } = differing;
        let (old, new) = (shown(&was), shown(&now));
        let sentence = match path.first().map(String::as_str) {
            Some("before") => {
                let field = field(&path[1..]);
                format!("`{}`: {field} was {old} when it was shown, and is {new} now.", titles.0)
            }
            Some("after") => {
                let field = field(&path[1..]);
                format!(
                    "`{}`: {field} would have become {old}, and would now become {new}.",
                    titles.0
                )
            }
            _ if titles.0 != titles.1 => format!("It was `{}`, and is now `{}`.", titles.0, titles.1),
            _ => {
                let field = field(&path);
                format!("`{}`: {field} was {old} when it was shown, and is {new} now.", titles.0)
            }
        };
        Box::new(Difference {
            sentence,
            at: format!("{}[{at}].{}", self.name, path.join(".")),
            was,
            now,
        })
    }

    /// One has more than the other, from there on.
    fn missing(&self, at: usize) -> Box<Difference> {
        let (was, now) = self.counts;
        let sentence = if was > now {
            format!("`{}` is no longer among them{}.", (self.titles.0)(at), (self.why)())
        } else {
            format!("`{}` was not among them before.", (self.titles.1)(at))
        };
        Box::new(Difference {
            sentence,
            at: format!("{}[{at}]", self.name),
            was: was.into(),
            now: now.into(),
        })
    }
}

fn field(path: &[String]) -> String {
    if path.is_empty() {
        "it".to_owned()
    } else {
        format!("`{}`", path.join("."))
    }
}

fn shown(value: &Value) -> String {
    let mut text = value.to_string();
    if text.len() > MOST_SHOWN {
        text.truncate(text.floor_char_boundary(MOST_SHOWN));
        text.push('…');
    }
    text
}

/// What is known of how the one execution corresponds to the other.
struct Comparison<'ledger> {
    was: Side<'ledger>,
    now: Side<'ledger>,
    times: OnceCell<Times>,
    there: HashMap<Handed<'ledger>, Handed<'ledger>>,
    back: HashMap<Handed<'ledger>, Handed<'ledger>>,
}

/// What one execution was handed out. It is made ready only if something differs at all: of a bulk run it is much.
struct Side<'ledger> {
    ledger: &'ledger Ledger,
    names: OnceCell<Names<'ledger>>,
}

impl<'ledger> Side<'ledger> {
    const fn new(ledger: &'ledger Ledger) -> Self {
        Self {
            ledger,
            names: OnceCell::new(),
        }
    }

    fn pieces<'text>(&self, text: &'text str) -> Vec<Piece<'text, 'ledger>> {
        self.names.get_or_init(|| self.ledger.names()).pieces(text)
    }
}

impl<'ledger> Comparison<'ledger> {
    fn new(was: &'ledger Ledger, now: &'ledger Ledger) -> Self {
        Self {
            was: Side::new(was),
            now: Side::new(now),
            times: OnceCell::new(),
            there: HashMap::new(),
            back: HashMap::new(),
        }
    }

    fn values(&mut self, was: &Value, now: &Value) -> Result<(), Box<Differing>> {
        self.value(was, now, &mut Vec::new())
    }

    fn value(&mut self, was: &Value, now: &Value, path: &mut Vec<String>) -> Result<(), Box<Differing>> {
        let is_same = match (was, now) {
            (Value::Object(was), Value::Object(now)) => return self.fields(was, now, path),
            (Value::Array(was), Value::Array(now)) if was.len() == now.len() => {
                for (at, (was, now)) in was.iter().zip(now).enumerate() {
                    path.push(at.to_string());
                    self.value(was, now, path)?;
                    path.pop();
                }
                true
            }
            (Value::String(was), Value::String(now)) => {
                let others_may_write = path.first().is_some_and(|part| part == "before");
                self.texts(was, now, others_may_write)
            }
            _ => was == now,
        };
        if is_same {
            Ok(())
        } else {
            Err(differing(path, was, now))
        }
    }

    fn fields(
        &mut self,
        was: &Map<String, Value>,
        now: &Map<String, Value>,
        path: &mut Vec<String>,
    ) -> Result<(), Box<Differing>> {
        let mut others = now.iter();
        for (name, value) in was {
            path.push(name.clone());
            match others.next() {
                Some((other, now)) if self.texts(name, other, false) => self.value(value, now, path)?,
                Some((other, new)) if now.contains_key(name) => {
                    path.pop();
                    path.push(other.clone());
                    return Err(differing(path, was.get(other).unwrap_or(&Value::Null), new));
                }
                _ => return Err(differing(path, value, &Value::Null)),
            }
            path.pop();
        }
        if let Some((name, value)) = others.next() {
            path.push(name.clone());
            return Err(differing(path, &Value::Null, value));
        }
        Ok(())
    }

    fn ids(&mut self, was: Id, now: Id) -> bool {
        was == now || self.texts(&was.to_string(), &now.to_string(), false)
    }

    fn texts(&mut self, was: &str, now: &str, others_may_write: bool) -> bool {
        if was == now {
            return true;
        }
        let (was, now) = (self.was.pieces(was), self.now.pieces(now));
        let mut pairs = was.iter().zip(&now);
        was.len() == now.len() && pairs.all(|(was, now)| self.piece(was, now, others_may_write))
    }

    fn piece(&mut self, was: &Piece<'_, 'ledger>, now: &Piece<'_, 'ledger>, others_may_write: bool) -> bool {
        match (*was, *now) {
            (Piece::Plain(was), Piece::Plain(now)) => was == now,
            (Piece::Handed(was, length), Piece::Handed(now, other)) => length == other && self.stands_for(was, now),
            (Piece::Time(was, from), Piece::Time(now, to)) => {
                let (old, new) = (self.was.ledger, self.now.ledger);
                self.times.get_or_init(|| Times::of(old, new));
                let times = self.times.get_mut();
                was == now || times.is_some_and(|times| times.are_same(from, to, others_may_write))
            }
            _ => false,
        }
    }

    /// Whether the one stands for the other, from the first place on where both were found.
    fn stands_for(&mut self, was: Handed<'ledger>, now: Handed<'ledger>) -> bool {
        if std::mem::discriminant(&was) != std::mem::discriminant(&now) {
            return false;
        }
        *self.there.entry(was).or_insert(now) == now && *self.back.entry(now).or_insert(was) == was
    }
}

fn differing(path: &[String], was: &Value, now: &Value) -> Box<Differing> {
    Box::new(Differing {
        path: path.to_vec(),
        was: was.clone(),
        now: now.clone(),
    })
}
