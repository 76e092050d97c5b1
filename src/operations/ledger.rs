//! What a world has handed out to one run: so that two executions of the same can be compared, each with times, ids and
//! tokens of its own.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::model::{Id, Time};

/// What was handed out, in order. What a deed was given that came to nothing is forgotten.
#[derive(Default)]
pub(super) struct Ledger {
    times: Vec<(Turn, Time)>,
    ids: Vec<Id>,
    texts: Vec<Text>,
    /// How many times were handed out outside of deeds.
    outside: u32,
    /// How many deeds have left something behind.
    deeds: u32,
    doing: Option<Start>,
}

/// A text that was made of randomness: a token, a password, a hash, the id of a device.
struct Text {
    text: SecretString,
    is_secret: bool,
}

/// When a time was handed out: in which deed, if in any, and how many there were before it. Reads look at the clock too,
/// and how often they do depends on others: so deeds count for themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Turn {
    deed: Option<u32>,
    number: u32,
}

/// How much there was when the deed began that is being done.
#[derive(Clone, Copy)]
struct Start {
    times: usize,
    ids: usize,
    texts: usize,
}

impl Ledger {
    pub(super) fn time(&mut self, time: Time) {
        let turn = match self.doing {
            Some(start) => Turn {
                deed: Some(self.deeds),
                number: number(self.times.len() - start.times),
            },
            None => Turn {
                deed: None,
                number: self.outside,
            },
        };
        if self.doing.is_none() {
            self.outside = self.outside.saturating_add(1);
        }
        self.times.push((turn, time));
    }

    /// Keeps an id that is handed out. The ids of one millisecond are random, and lists are in their order: here they come
    /// one after the other, so that both executions find the same order.
    pub(super) fn id(&mut self, id: Id) -> Id {
        let id = self.ids.last().map_or(id, |last| id.at_once_after(*last));
        self.ids.push(id);
        id
    }

    pub(super) fn text(&mut self, text: SecretString, is_secret: bool) {
        self.texts.push(Text { text, is_secret });
    }

    /// What is handed out from now on, a deed is given.
    pub(super) fn start_deed(&mut self) {
        self.doing = Some(Start {
            times: self.times.len(),
            ids: self.ids.len(),
            texts: self.texts.len(),
        });
    }

    /// The deed is done. If it left nothing behind, nothing of what it was given can be found anywhere.
    pub(super) fn end_deed(&mut self, left_something: bool) {
        let Some(start) = self.doing.take() else { return };
        if left_something {
            self.deeds = self.deeds.saturating_add(1);
        } else {
            self.times.truncate(start.times);
            self.ids.truncate(start.ids);
            self.texts.truncate(start.texts);
        }
    }

    /// The text with everything masked that is secret.
    pub(super) fn masked(&self, text: &str) -> String {
        let secrets = self.texts.iter().filter(|text| text.is_secret);
        secrets.fold(text.to_owned(), |text, secret| {
            text.replace(secret.text.expose_secret(), "<secret>")
        })
    }

    /// The ids and texts, to be looked up.
    pub(super) fn names(&self) -> Names<'_> {
        let texts: HashSet<&str> = self.texts.iter().map(|text| text.text.expose_secret()).collect();
        let mut lengths: Vec<usize> = texts
            .iter()
            .map(|text| text.len())
            .filter(|&length| length > 0)
            .collect();
        lengths.sort_unstable_by(|one, other| other.cmp(one));
        lengths.dedup();
        Names {
            ids: self.ids.iter().map(|&id| id.into()).collect(),
            texts,
            lengths,
        }
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}

/// What one execution was handed out and finds again by its text.
pub(super) struct Names<'ledger> {
    ids: HashSet<Uuid>,
    texts: HashSet<&'ledger str>,
    /// The lengths of the texts, the longest first.
    lengths: Vec<usize>,
}

/// Something that was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Handed<'ledger> {
    /// An id.
    Id(Uuid),
    /// A token, the id of a device.
    Text(&'ledger str),
}

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Piece<'text, 'ledger> {
    /// What nobody handed out.
    Plain(&'text str),
    /// What was handed out, and how long it is as it is written there.
    Handed(Handed<'ledger>, usize),
    /// A moment, handed out or not.
    Time(&'text str, Time),
}

impl<'ledger> Names<'ledger> {
    /// Takes a text apart.
    pub(super) fn pieces<'text>(&self, text: &'text str) -> Vec<Piece<'text, 'ledger>> {
        let (mut pieces, mut plain, mut at) = (Vec::new(), 0, 0);
        while at < text.len() {
            let Some((piece, length)) = text.get(at..).and_then(|rest| self.first(rest)) else {
                at += 1;
                continue;
            };
            if plain < at {
                pieces.push(Piece::Plain(&text[plain..at]));
            }
            pieces.push(piece);
            at += length;
            plain = at;
        }
        if plain < text.len() {
            pieces.push(Piece::Plain(&text[plain..]));
        }
        pieces
    }

    /// What a text begins with, if it is not plain.
    fn first<'text>(&self, text: &'text str) -> Option<(Piece<'text, 'ledger>, usize)> {
        const ULID: usize = 26;
        const UUID: usize = 36;
        if let Some((written, time)) = time_at(text) {
            return Some((Piece::Time(written, time), written.len()));
        }
        let mut texts = self.lengths.iter().filter_map(|&length| text.get(..length));
        if let Some(found) = texts.find_map(|start| self.texts.get(start)) {
            return Some((Piece::Handed(Handed::Text(found), found.len()), found.len()));
        }
        let long = || Some((Uuid::try_parse(text.get(..UUID)?).ok()?, UUID));
        let short = || Some((text.get(..ULID)?.parse::<Id>().ok()?.into(), ULID));
        let is_known = |(id, _): &(Uuid, usize)| self.ids.contains(id);
        let (id, length) = long().filter(is_known).or_else(|| short().filter(is_known))?;
        Some((Piece::Handed(Handed::Id(id), length), length))
    }
}

/// The moment in RFC 3339 that a text begins with.
fn time_at(text: &str) -> Option<(&str, Time)> {
    let bytes = text.as_bytes();
    let has_shape = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')]
        .iter()
        .all(|&(at, byte)| bytes.get(at) == Some(&byte));
    if !has_shape {
        return None;
    }
    let is_fraction = bytes.get(19) == Some(&b'.');
    let digits = bytes.iter().skip(20).take_while(|byte| byte.is_ascii_digit()).count();
    let zone = if is_fraction { 20 + digits } else { 19 };
    let end = match bytes.get(zone)? {
        b'Z' => zone + 1,
        _ => zone + "+00:00".len(),
    };
    let written = text.get(..end)?;
    let time = chrono::DateTime::parse_from_rfc3339(written).ok()?;
    Some((written, time.into()))
}

/// Which moments of two executions are the same.
pub(super) struct Times {
    /// Those that were handed out at the same turn.
    pairs: HashSet<(Time, Time)>,
    /// How far those are from each other.
    shifts: HashSet<TimeDelta>,
}

impl Times {
    pub(super) fn of(was: &Ledger, now: &Ledger) -> Self {
        let now: HashMap<Turn, Time> = now.times.iter().copied().collect();
        let both = was.times.iter().filter_map(|(turn, was)| Some((*was, *now.get(turn)?)));
        let pairs: HashSet<(Time, Time)> = both.collect();
        Self {
            shifts: pairs.iter().map(|(was, now)| *now - *was).collect(),
            pairs,
        }
    }

    /// Whether two moments are the same: handed out at the same turn, or as far away from two that were, such as
    /// `expires_at`. What was found so is known from then on. What somebody else may have written, `only_known` says,
    /// is the same only if it is known.
    pub(super) fn are_same(&mut self, was: Time, now: Time, only_known: bool) -> bool {
        if self.pairs.contains(&(was, now)) {
            return true;
        }
        let is_derived = !only_known && self.shifts.contains(&(now - was));
        if is_derived {
            self.pairs.insert((was, now));
        }
        is_derived
    }
}
