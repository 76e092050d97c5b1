//! Which capabilities a script uses: those of all primitives that are reached from `main`, through modules as well.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use rhai::Position;

use super::{Rule, finding::Finding, header, imports::Units, is_test, known::Native};
use crate::{
    capability::{Access, Capability},
    error::Excerpt,
    host::script::Script,
};

/// A function, by the places of its text and of itself.
type Node = (usize, usize);

/// A call that was found in a text.
pub(super) struct Call {
    unit: usize,
    /// The function that calls; none at the top level.
    caller: Option<usize>,
    position: Position,
    target: Target,
}

enum Target {
    Function(Node),
    /// What is called if the type of the receiver is not known: one of these.
    Primitive {
        natives: Vec<&'static Native>,
        name: String,
    },
}

impl Call {
    pub(super) fn of_function(unit: usize, caller: Option<usize>, of: usize, place: usize, position: Position) -> Self {
        Self {
            unit,
            caller,
            position,
            target: Target::Function((of, place)),
        }
    }

    pub(super) fn of_primitive(
        unit: usize,
        caller: Option<usize>,
        natives: Vec<&'static Native>,
        name: &str,
        position: Position,
    ) -> Self {
        let name = name.to_owned();
        Self {
            unit,
            caller,
            position,
            target: Target::Primitive { natives, name },
        }
    }

    /// Whether it calls this function.
    pub(super) fn is_of(&self, unit: usize, place: usize) -> bool {
        matches!(self.target, Target::Function(node) if node == (unit, place))
    }
}

/// The calls of each function.
type Calls<'a> = HashMap<(usize, Option<usize>), Vec<&'a Call>>;

/// The functions that are reached from some, each with the call in the script that leads out of its text.
fn reached(calls: &Calls<'_>, from: Vec<(usize, Option<usize>)>) -> HashMap<(usize, Option<usize>), Position> {
    let mut entries: HashMap<_, _> = from.iter().map(|node| (*node, Position::NONE)).collect();
    let mut left: VecDeque<_> = from.into();
    while let Some(node) = left.pop_front() {
        let entry = entries[&node];
        for call in calls.get(&node).into_iter().flatten() {
            let Target::Function((unit, place)) = call.target else {
                continue;
            };
            let next = (unit, Some(place));
            if !entries.contains_key(&next) {
                let leads_out = node.0 == 0 && unit != 0;
                entries.insert(next, if leads_out { call.position } else { entry });
                left.push_back(next);
            }
        }
    }
    entries
}

/// What a header needs that reads files.
const WHICH_FILES: &str = "Add `files:read:` to `needs` with the path of a file or folder, or with `$` and a parameter of type \
                           `path`.";

/// What is missing in `needs`, and what is there in vain.
pub(super) fn check(script: &Script, units: &Units, calls: &[Call], findings: &mut Vec<Finding>) {
    let mut of: Calls<'_> = HashMap::new();
    for call in calls {
        of.entry((call.unit, call.caller)).or_default().push(call);
    }
    let own = units[0]
        .functions
        .iter()
        .enumerate()
        .filter(|(_, function)| !function.is_closure());
    let (tests, others): (Vec<_>, Vec<_>) = own.partition(|(_, function)| is_test(&function.name));
    let of_tests = reached(&of, tests.iter().map(|(place, _)| (0, Some(*place))).collect());
    let mains = others.iter().filter(|(_, function)| function.name == "main");
    let mut roots: Vec<_> = mains.map(|(place, _)| (0, Some(*place))).collect();
    // What is neither called by `main` nor by a test will be.
    let unused = others
        .iter()
        .map(|(place, _)| (0, Some(*place)))
        .filter(|node| !of_tests.contains_key(node));
    roots.extend(unused);
    roots.push((0, None));
    let reached = reached(&of, roots);
    let mut used: HashSet<Capability> = HashSet::new();
    let mut missing: BTreeMap<String, (Excerpt, String)> = BTreeMap::new();
    for (node, entry) in &reached {
        for call in of.get(node).into_iter().flatten() {
            let Target::Primitive { natives, name } = &call.target else {
                continue;
            };
            used.extend(
                natives
                    .iter()
                    .flat_map(|native| native.needs.iter().chain(&native.uses)),
            );
            let needed: Vec<_> = natives.iter().map(|native| native.needs).collect();
            let is_granted = |it: &Option<Capability>| it.is_none_or(|needed| script.header.needs.allow(needed));
            if needed.iter().any(is_granted) {
                continue;
            }
            let position = if node.0 == 0 { call.position } else { *entry };
            let excerpt = units[0].at(position);
            let capability = needed
                .iter()
                .flatten()
                .map(ToString::to_string)
                .min()
                .unwrap_or_default();
            let known = missing.get(&capability);
            if known.is_none_or(|(known, _)| known.span.start > excerpt.span.start) {
                missing.insert(capability, (excerpt, name.clone()));
            }
        }
    }
    for (capability, (excerpt, name)) in missing {
        let message = format!("`{name}` needs `{capability}`, which the header does not ask for");
        let help = if capability == Capability::FILES.to_string() {
            WHICH_FILES.to_owned()
        } else if script.header.states_needs {
            format!("Add `{capability}` to `needs`.")
        } else {
            format!("Add the line `//! needs: [{capability}]` to the header.")
        };
        findings.push(Finding::new(Rule::MissingCapability, message, excerpt).help(help));
    }
    // A module that is not known may use anything.
    let is_whole = units
        .iter()
        .flat_map(|unit| &unit.imports)
        .all(|import| import.unit.is_some());
    if script.header.states_needs && is_whole {
        find_unused(script, &used, findings);
    }
}

fn find_unused(script: &Script, used: &HashSet<Capability>, findings: &mut Vec<Finding>) {
    for need in script.header.needs.iter() {
        let asked = need.whole();
        let uses = |access| used.contains(&Capability { access, ..asked });
        let is_used = match asked.access {
            Access::Read => uses(Access::Read) || uses(Access::Write),
            Access::Write => uses(Access::Write),
        };
        if is_used {
            continue;
        }
        let finding = Finding::new(
            Rule::UnusedCapability,
            format!("Nothing in the script needs `{need}`"),
            header::place(script, &need.to_string()),
        );
        findings.push(if uses(Access::Read) {
            finding.help(format!("`{}` is enough.", Capability::read(asked.resource)))
        } else {
            finding.help("Ask for no more than is needed: remove it.")
        });
    }
}
