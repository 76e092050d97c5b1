//! Which capabilities a script uses: those of all primitives that are reached from `main`, through modules as well.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque, btree_map::Entry},
    path::{Path, PathBuf},
};

use rhai::Position;

use super::{Rule, finding::Finding, header, imports::Units, known::Native, unit::Function};
use crate::{
    capability::{Access, Capability, FileScope},
    error::Excerpt,
    host::script::{Origin, Script, is_test},
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
        /// The file that it reads, where the text says which.
        file: Option<PathBuf>,
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
            target: Target::Primitive {
                natives,
                name,
                file: None,
            },
        }
    }

    /// It reads the file of this path. A relative one starts from a folder that is not known yet.
    pub(super) fn reads(&mut self, path: &str) {
        if let Target::Primitive { file, .. } = &mut self.target
            && Path::new(path).is_absolute()
        {
            *file = Some(path.into());
        }
    }

    /// The function of the script that it calls, if it does.
    pub(super) fn of_script(&self) -> Option<usize> {
        match self.target {
            Target::Function((0, place)) => Some(place),
            _ => None,
        }
    }
}

/// A function by the place of its text and its own, or the top level of a text.
type Caller = (usize, Option<usize>);

/// The calls of each function.
type Calls<'a> = HashMap<Caller, Vec<&'a Call>>;

/// The functions that are reached from some, each with the call in the script that leads out of its text.
fn reached(calls: &Calls<'_>, from: Vec<Caller>) -> BTreeMap<Caller, Position> {
    let mut entries: BTreeMap<_, _> = from.iter().map(|node| (*node, Position::NONE)).collect();
    let mut left: VecDeque<_> = from.into();
    while let Some(node) = left.pop_front() {
        let entry = entries[&node];
        for call in calls.get(&node).into_iter().flatten() {
            let Target::Function((unit, place)) = call.target else {
                continue;
            };
            let next = (unit, Some(place));
            if let Entry::Vacant(vacant) = entries.entry(next) {
                let leads_out = node.0 == 0 && unit != 0;
                vacant.insert(if leads_out { call.position } else { entry });
                left.push_back(next);
            }
        }
    }
    entries
}

/// Where the script begins: at `main`, and at what is called by nothing yet. What only tests call needs nothing.
fn roots(units: &Units, calls: &Calls<'_>) -> Vec<Caller> {
    let own = units[0].functions.iter().enumerate();
    let own = own.filter(|(_, function)| !function.is_closure());
    let (tests, others): (Vec<_>, Vec<_>) = own.partition(|(_, function)| is_test(&function.name));
    let of_tests = reached(calls, tests.iter().map(|(place, _)| (0, Some(*place))).collect());
    let is_root = |function: &Function, node: &Caller| function.name == "main" || !of_tests.contains_key(node);
    let others = others.into_iter().map(|(place, function)| (function, (0, Some(place))));
    let roots = others.filter(|(function, node)| is_root(function, node));
    roots.map(|(_, node)| node).chain([(0, None)]).collect()
}

/// What is missing in `needs`, and what is there in vain.
pub(super) fn check(script: &Script, units: &Units, calls: &[Call], findings: &mut Vec<Finding>) {
    let mut of: Calls<'_> = HashMap::new();
    for call in calls {
        of.entry((call.unit, call.caller)).or_default().push(call);
    }
    let mut used: HashSet<Capability> = HashSet::new();
    let mut missing: BTreeMap<String, (Position, &str)> = BTreeMap::new();
    for (node, entry) in reached(&of, roots(units, &of)) {
        for call in of.get(&node).into_iter().flatten() {
            let Target::Primitive { natives, name, file } = &call.target else {
                continue;
            };
            used.extend(
                natives
                    .iter()
                    .flat_map(|native| native.needs.iter().chain(&native.uses)),
            );
            let needed: Vec<_> = natives.iter().map(|native| native.needs).collect();
            let is_granted = |it: &Option<Capability>| it.is_none_or(|needed| script.header.needs.allow(needed));
            let capability = if needed.iter().any(is_granted) {
                match file.as_deref().filter(|file| !may_read(script, file)) {
                    Some(file) => format!("{}:{}", Capability::FILES, file.display()),
                    None => continue,
                }
            } else {
                let needed = needed.iter().flatten().map(ToString::to_string).min();
                needed.unwrap_or_default()
            };
            let position = if node.0 == 0 { call.position } else { entry };
            let known = missing.get(&capability);
            if known.is_none_or(|(known, _)| *known > position) {
                missing.insert(capability, (position, name));
            }
        }
    }
    for (capability, (position, name)) in missing {
        findings.push(lack(script, &capability, name, units[0].at(position)));
    }
    // A module that is not known may use anything.
    let is_whole = units
        .iter()
        .flat_map(|unit| &unit.imports)
        .all(|import| import.unit.is_some());
    if script.header.states_needs && script.origin != Origin::Expression && is_whole {
        find_unused(script, &used, findings);
    }
}

/// Whether a file can be one of those that the header names: what a parameter is given may be any.
fn may_read(script: &Script, file: &Path) -> bool {
    script.header.needs.files().any(|scope| match scope {
        FileScope::Below(path) => file.starts_with(path),
        FileScope::Given(_) => true,
    })
}

fn lack(script: &Script, capability: &str, name: &str, excerpt: Excerpt) -> Finding {
    let is_of_files = capability == Capability::FILES.to_string();
    let (asker, help) = if script.origin == Origin::Expression {
        let path = if is_of_files { ":/PATH" } else { "" };
        let which = if is_of_files {
            ", with the path of the file or of a folder above it"
        } else {
            ""
        };
        ("`--needs`", format!("Give `--needs {capability}{path}`{which}."))
    } else if is_of_files {
        let help = "Add `files:read:/PATH` to `needs`, with the path of a file or folder, or `files:read:$PARAM` for what a \
                    parameter of type `path` is given.";
        ("the header", help.to_owned())
    } else if script.header.states_needs {
        ("the header", format!("Add `{capability}` to `needs`."))
    } else if script.source.lines().any(|line| line.trim_end() == "//! ---") {
        let help = format!("Add the line `//! needs: [{capability}]` to the header.");
        ("the header", help)
    } else {
        let help = format!("Add the lines `//! ---` and `//! needs: [{capability}]` to the header.");
        ("the header", help)
    };
    let message = format!("`{name}` needs `{capability}`, which {asker} does not ask for");
    Finding {
        lacks: Capability::named(capability).filter(|lacking| *lacking != Capability::FILES),
        ..Finding::new(Rule::MissingCapability, message, excerpt).help(help)
    }
}

fn find_unused(script: &Script, used: &HashSet<Capability>, findings: &mut Vec<Finding>) {
    for need in script.header.needs.iter() {
        let asked = need.whole();
        let is_used_for = |access| used.contains(&Capability { access, ..asked });
        let is_used = match asked.access {
            Access::Read => is_used_for(Access::Read) || is_used_for(Access::Write),
            Access::Write => is_used_for(Access::Write),
        };
        if is_used {
            continue;
        }
        let finding = Finding::new(
            Rule::UnusedCapability,
            format!("Nothing in the script needs `{need}`"),
            header::place(script, &need.to_string()),
        );
        findings.push(if is_used_for(Access::Read) {
            finding.help(format!("`{}` is enough.", Capability::read(asked.resource)))
        } else {
            finding.help("Ask for no more than is needed: remove it.")
        });
    }
}
