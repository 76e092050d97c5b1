//! What a call calls: a function of the script, of a module or of masctl's, or nothing that there is.

use std::collections::BTreeSet;

use rhai::{Expr, FnCallExpr, Namespace, Position};

use super::{
    Rule,
    finding::Finding,
    known::{Native, Type, has_only_known_methods, takes},
    reach::Call,
    unit::Unit,
    walk::Walk,
};
use crate::error::{listed, nearest, one_of};

/// What a name before `::` stands for.
enum Root {
    Namespace,
    Module(usize),
    /// It is there, but what it has is not known.
    Unknown,
    Nothing,
}

impl Walk<'_> {
    /// A call that is no method: `get(x)`, `users::get(x)`, or an operator.
    pub(super) fn function_call(&mut self, call: &FnCallExpr, position: Position) -> Type {
        if call.is_operator_call() {
            return self.operator(call);
        }
        let given = self.arguments_of(call);
        if call.is_qualified() {
            self.qualified_call(call, &given, position)
        } else {
            self.bare_call(call, &given, position)
        }
    }

    fn operator(&mut self, call: &FnCallExpr) -> Type {
        // `"name" in args`
        if let [first, Expr::StringConstant(name, position)] = &call.args[..]
            && call.name == "contains"
            && self.is_arguments(first)
        {
            self.argument(name, *position);
            return Type::Of("bool");
        }
        self.arguments_of(call);
        match call.name.as_str() {
            "==" | "!=" | "<" | "<=" | ">" | ">=" | "!" | "contains" => Type::Of("bool"),
            ".." | "..=" => Type::Of("range"),
            _ => Type::Any,
        }
    }

    fn bare_call(&mut self, call: &FnCallExpr, given: &[Type], position: Position) -> Type {
        let (name, count) = (call.name.as_str(), given.len());
        match (name, count) {
            ("Fn", 1) => {
                self.pointer(&call.args[0]);
                return Type::Of("Fn");
            }
            ("call", 1..) | ("curry", 2..) | ("is_shared" | "is_def_var" | "type_of", 1) | ("is_def_fn", 2 | 3) => {
                return Type::Any;
            }
            _ => {}
        }
        let own: Vec<_> = self.unit.named(name).collect();
        if let Some((place, _)) = own.iter().find(|(_, function)| function.params.len() == count) {
            self.calls
                .push(Call::of_function(self.index, self.caller, self.index, *place, position));
            return Type::Any;
        }
        let around = || self.unit.around.functions.iter().filter(|(known, _)| known == name);
        if around().any(|(_, params)| *params == count) {
            return Type::Any;
        }
        let natives: Vec<_> = self.known.named(name).collect();
        let fitting = natives.iter().copied().filter(|native| native.arity == count);
        let fitting: Vec<_> = fitting.collect();
        if !fitting.is_empty() {
            let first = given.first().copied().unwrap_or(Type::Any);
            let taking: Vec<_> = fitting
                .iter()
                .copied()
                .filter(|native| takes(native.receiver, first))
                .collect();
            return self.native(if taking.is_empty() { fitting } else { taking }, name, position);
        }
        let counts = own.iter().map(|(_, function)| function.params.len());
        let counts = counts.chain(around().map(|(_, params)| *params));
        let counts: BTreeSet<_> = counts.chain(natives.iter().map(|native| native.arity)).collect();
        if counts.is_empty() {
            self.no_function(name, position);
        } else {
            self.wrong_count(&format!("`{name}`"), &counts, count, position);
            self.mean_namespaced(name, count);
        }
        Type::Any
    }

    /// Says of the last finding what to do.
    fn help_last(&mut self, help: String) {
        if let Some(finding) = self.findings.pop() {
            self.findings.push(finding.help(help));
        }
    }

    /// Says of the last finding that a function of a namespace may be meant.
    fn mean_namespaced(&mut self, name: &str, count: usize) {
        let takes = |namespace: &&str| {
            self.known
                .in_namespace(namespace, name)
                .any(|native| native.arity == count)
        };
        let meant = self
            .known
            .namespaces()
            .find(takes)
            .map(|namespace| format!("{namespace}::{name}"));
        if let Some(finding) = self.findings.pop() {
            self.findings.push(finding.meant(meant));
        }
    }

    /// `Fn("name")` names a function that there is.
    fn pointer(&mut self, name: &Expr) {
        let Expr::StringConstant(name, position) = name else {
            return;
        };
        let is_around = self
            .unit
            .around
            .functions
            .iter()
            .any(|(known, _)| *known == name.as_str());
        if !is_around && self.unit.named(name).next().is_none() && self.known.named(name).next().is_none() {
            self.no_function(name, *position);
        }
    }

    fn no_function(&mut self, name: &str, position: Position) {
        let finding = Finding::new(
            Rule::UnknownFunction,
            format!("There is no function `{name}`"),
            self.unit.at(position),
        );
        let namespaced = self
            .known
            .namespaces()
            .find(|it| self.known.in_namespace(it, name).next().is_some());
        let finding = if self.scope.iter().any(|(known, _)| known == name) {
            finding.help(format!(
                "The closure in the variable `{name}` is called as `{name}.call(…)`."
            ))
        } else if let Some(namespace) = namespaced {
            finding.meant(Some(format!("{namespace}::{name}")))
        } else {
            let own = self.unit.functions.iter().filter(|function| !function.is_closure());
            let mut known: Vec<_> = own.map(|function| function.name.as_str()).collect();
            known.extend(self.unit.around.functions.iter().map(|(name, _)| name.as_str()));
            known.extend(self.known.global_names());
            finding.meant(nearest(name, &known))
        };
        self.findings.push(finding);
    }

    fn wrong_count(&mut self, what: &str, counts: &BTreeSet<usize>, given: usize, position: Position) {
        let message = format!("{what} takes {}, not {given}", arguments(counts));
        self.findings
            .push(Finding::new(Rule::ArgumentCount, message, self.unit.at(position)));
    }

    /// Notes the call of functions that are registered, and returns what they return.
    fn native(&mut self, natives: Vec<&'static Native>, name: &str, position: Position) -> Type {
        let mut returns = natives.iter().map(|native| native.returns);
        let first = returns.next().unwrap_or(Type::Any);
        let returned = if returns.all(|other| other == first) {
            first
        } else {
            Type::Any
        };
        if natives.iter().any(|native| native.namespace.is_some()) {
            self.calls
                .push(Call::of_primitive(self.index, self.caller, natives, name, position));
        }
        returned
    }

    fn qualified_call(&mut self, call: &FnCallExpr, given: &[Type], position: Position) -> Type {
        let (name, count) = (call.name.as_str(), given.len());
        let path = shown(&call.namespace);
        match self.root(&call.namespace) {
            Root::Namespace => {
                let named: Vec<_> = self.known.in_namespace(&path, name).collect();
                let fitting = named.iter().copied().filter(|native| native.arity == count);
                let fitting: Vec<_> = fitting.collect();
                if !fitting.is_empty() {
                    let returned = self.native(fitting, &format!("{path}::{name}"), position);
                    if let ("files", Some(Expr::StringConstant(file, _)), Some(call)) =
                        (path.as_str(), call.args.first(), self.calls.last_mut())
                    {
                        call.reads(file);
                    }
                    return returned;
                }
                let counts: BTreeSet<_> = named.iter().map(|native| native.arity).collect();
                if counts.is_empty() {
                    let known = self.known.functions_of(&path);
                    self.not_in(&path, name, &known, position);
                } else {
                    self.wrong_count(&format!("`{path}::{name}`"), &counts, count, position);
                    if count == 0 && named.iter().any(|native| takes_only_options(native)) {
                        self.help_last(format!("Without any options it is `{path}::{name}(#{{}})`."));
                    }
                }
            }
            Root::Module(unit) => self.call_of_module(unit, &path, name, count, position),
            Root::Unknown => {}
            Root::Nothing => self.no_module(&call.namespace),
        }
        Type::Any
    }

    fn call_of_module(&mut self, index: usize, path: &str, name: &str, count: usize, position: Position) {
        let unit: &Unit = &self.units[index];
        let named: Vec<_> = unit.named(name).collect();
        let public: Vec<_> = named.iter().filter(|(_, function)| !function.private).collect();
        if let Some((place, _)) = public.iter().find(|(_, function)| function.params.len() == count) {
            self.calls
                .push(Call::of_function(self.index, self.caller, index, *place, position));
        } else if !public.is_empty() {
            let counts = public.iter().map(|(_, function)| function.params.len()).collect();
            self.wrong_count(&format!("`{path}::{name}`"), &counts, count, position);
        } else if !named.is_empty() {
            let message = format!("`{path}::{name}` is private to its module");
            self.findings
                .push(Finding::new(Rule::UnknownFunction, message, self.unit.at(position)));
        } else {
            let known = unit
                .functions
                .iter()
                .filter(|function| !function.private && !function.is_closure());
            let known: Vec<_> = known.map(|function| function.name.as_str()).collect();
            self.not_in(path, name, &known, position);
        }
    }

    fn not_in(&mut self, path: &str, name: &str, known: &[&str], position: Position) {
        let message = format!("There is no function `{path}::{name}`");
        let finding = Finding::new(Rule::UnknownFunction, message, self.unit.at(position));
        self.findings
            .push(finding.meant(nearest(name, known).map(|name| format!("{path}::{name}"))));
    }

    /// What stands before `::`, each part within the one before.
    fn root(&self, namespace: &Namespace) -> Root {
        let mut parts = namespace.path.iter().map(|part| part.name.as_str());
        let Some(first) = parts.next() else {
            return Root::Unknown;
        };
        let of_all = self.unit.imports.iter().filter(|import| import.of_all);
        let of_all = of_all.map(|import| (import.alias.as_str(), import.unit));
        let inner = self.modules.iter().map(|(alias, unit)| (alias.as_str(), *unit));
        let found = of_all.chain(inner).rfind(|(alias, _)| *alias == first);
        let mut module = match found {
            Some((_, Some(unit))) => unit,
            Some((_, None)) => return Root::Unknown,
            None if self.unit.around.modules.iter().any(|alias| alias == first) => return Root::Unknown,
            None if first == "global" => return Root::Unknown,
            None if first == "testing" && !self.is_in_test() && !self.unit.is_shipped => return Root::Nothing,
            None if self.known.has_namespace(first) && namespace.path.len() == 1 => return Root::Namespace,
            None => return Root::Nothing,
        };
        for part in parts {
            let unit: &Unit = &self.units[module];
            let mut imports = unit.imports.iter().filter(|import| import.of_all);
            match imports.find(|import| import.alias == part) {
                Some(import) => match import.unit {
                    Some(next) => module = next,
                    None => return Root::Unknown,
                },
                None => return Root::Nothing,
            }
        }
        Root::Module(module)
    }

    fn no_module(&mut self, namespace: &Namespace) {
        let name = shown(namespace);
        let imports = self.unit.imports.iter().map(|import| import.alias.as_str());
        let namespaces = self.known.namespaces().map(|name| -> &str { name });
        let around = self.unit.around.modules.iter().map(String::as_str);
        let imports = imports.filter(|alias| !alias.is_empty()).chain(around);
        let known: Vec<&str> = namespaces.chain(imports).collect();
        let message = format!("There is no namespace or module `{name}`");
        let finding = Finding::new(Rule::UnknownModule, message, self.unit.at(namespace.position()));
        let finding = if name == "testing" {
            finding.help("Only tests have it: functions named `test_…`, and files named `….test.rhai`.")
        } else if known.contains(&name.as_str()) {
            finding.help("It is imported only further down, or in another block or function.")
        } else {
            finding.meant(nearest(&name, &known))
        };
        self.findings.push(finding);
    }

    /// A variable of a module or of the top level: `global::LIMIT`.
    pub(super) fn variable_of_module(&mut self, name: &str, namespace: &Namespace, position: Position) {
        let path = shown(namespace);
        let (unit, needs_export): (&Unit, bool) = match self.root(namespace) {
            Root::Unknown if path == "global" => (self.unit, false),
            Root::Module(unit) => (&self.units[unit], true),
            Root::Nothing => return self.no_module(namespace),
            Root::Namespace => {
                let message = format!("There is no variable `{path}::{name}`");
                self.findings
                    .push(Finding::new(Rule::UnknownVariable, message, self.unit.at(position)));
                return;
            }
            Root::Unknown => return,
        };
        match unit.variables.get(name) {
            Some(exported) if *exported || !needs_export => {}
            found => {
                let message = format!("There is no variable `{path}::{name}`");
                let finding = Finding::new(Rule::UnknownVariable, message, self.unit.at(position));
                let known: Vec<_> = unit.variables.keys().map(String::as_str).collect();
                self.findings.push(if found.is_some() {
                    finding.help(format!("Its module must say `export const {name}`."))
                } else {
                    finding.meant(nearest(name, &known).map(|name| format!("{path}::{name}")))
                });
            }
        }
    }

    /// A call of a method: `user.lock()`.
    pub(super) fn method_call(&mut self, receiver: Type, call: &FnCallExpr, position: Position) -> Type {
        if receiver == Type::Arguments {
            match (call.name.as_str(), call.args.first()) {
                ("get" | "contains", Some(Expr::StringConstant(name, at))) => self.argument(name, *at),
                _ => self.reads_all(),
            }
        }
        let (name, count) = (call.name.as_str(), call.args.len());
        self.arguments_of(call);
        if matches!(name, "call" | "curry") || (matches!(name, "type_of" | "is_shared") && count == 0) {
            return Type::Any;
        }
        let own = self.own_methods(name);
        let mut is_known = false;
        for (unit, place, params) in &own {
            if *params == count {
                self.calls
                    .push(Call::of_function(self.index, self.caller, *unit, *place, position));
                is_known = true;
            }
        }
        let natives = self
            .known
            .named(name)
            .filter(|native| native.arity > 0 && takes(native.receiver, receiver));
        let natives: Vec<_> = natives.collect();
        let fitting: Vec<_> = natives
            .iter()
            .copied()
            .filter(|native| native.arity == count + 1)
            .collect();
        if !fitting.is_empty() {
            let returned = self.native(fitting, name, position);
            return if is_known { Type::Any } else { returned };
        }
        // A map may hold a closure of this name.
        let may_be_map = matches!(receiver, Type::Any | Type::Arguments | Type::Of("map"));
        if is_known || (may_be_map && self.units.iter().any(|unit| unit.texts.contains(name))) {
            return Type::Any;
        }
        let counts = own.iter().map(|(.., params)| *params);
        let counts: BTreeSet<_> = counts.chain(natives.iter().map(|native| native.arity - 1)).collect();
        if counts.is_empty() {
            self.no_method(receiver, name, position);
        } else {
            self.wrong_count(&format!("`{name}`"), &counts, count, position);
        }
        Type::Any
    }

    /// The functions of scripts that can be called as methods: all of the same text, and those of a type in modules.
    fn own_methods(&self, name: &str) -> Vec<(usize, usize, usize)> {
        let units = self.units.iter().enumerate();
        let found = units.flat_map(|(index, unit)| {
            let of_unit = unit
                .functions
                .iter()
                .enumerate()
                .filter(|(_, function)| function.name == name);
            let visible = of_unit.filter(move |(_, function)| index == self.index || function.this_type.is_some());
            visible.map(move |(place, function)| (index, place, function.params.len()))
        });
        found.collect()
    }

    fn no_method(&mut self, receiver: Type, name: &str, position: Position) {
        let is_known = has_only_known_methods(receiver);
        let message = if is_known {
            format!("There is no method `{name}` of {}", receiver.words())
        } else {
            format!("There is no method `{name}`")
        };
        let finding = Finding::new(Rule::UnknownMethod, message, self.unit.at(position));
        let properties = self.known.properties_of(receiver).unwrap_or_default();
        let finding = if matches!(receiver, Type::ListOf(_)) {
            finding.help(ONLY_READ)
        } else if is_known && properties.contains(&name) {
            finding.help(format!("It is a property: write `.{name}` without parentheses."))
        } else {
            let mut known = self.known.methods_of(receiver);
            let own = self.unit.functions.iter().filter(|function| !function.is_closure());
            known.extend(own.map(|function| function.name.as_str()));
            finding.meant(nearest(name, &known))
        };
        self.findings.push(finding);
    }

    /// A property that is read: `user.username`.
    pub(super) fn property(&mut self, receiver: Type, name: &str, position: Position) -> Type {
        if receiver == Type::Arguments {
            self.argument(name, position);
            return Type::Any;
        }
        let Some(known) = self.known.properties_of(receiver) else {
            return Type::Any;
        };
        if !known.contains(&name) {
            let message = format!("There is no property `{name}` of {}", receiver.words());
            let finding = Finding::new(Rule::UnknownProperty, message, self.unit.at(position));
            let is_method = self.known.methods_of(receiver).contains(&name);
            self.findings.push(if is_method {
                finding.help(format!("It is a method: write `.{name}()`."))
            } else if let Some(meant) = nearest(name, &known) {
                finding.meant(Some(meant))
            } else {
                let shown: Vec<_> = known.iter().filter(|name| **name != "tag").copied().collect();
                finding.help(match &shown[..] {
                    [] => "It has no properties.".to_owned(),
                    shown => format!("Its properties are {}.", listed(shown)),
                })
            });
        }
        Type::Any
    }
}

/// What can be done with a list that is read while it is walked.
pub(super) const ONLY_READ: &str = "Go over it with `for`, which reads it as it goes; `count` of its namespace counts.";

/// The names before the last `::`.
/// Whether a function takes options, each of which may be left out: it lists or counts.
fn takes_only_options(native: &Native) -> bool {
    let (options, list) = (native.receiver == Type::Of("map"), native.returns);
    native.arity == 1 && options && matches!(list, Type::ListOf(_) | Type::Of("int" | "array"))
}

fn shown(namespace: &Namespace) -> String {
    let parts: Vec<_> = namespace.path.iter().map(|part| part.name.as_str()).collect();
    parts.join("::")
}

/// `no arguments`, `1 argument`, `1 or 2 arguments`.
fn arguments(counts: &BTreeSet<usize>) -> String {
    let all: Vec<_> = counts.iter().map(ToString::to_string).collect();
    match (&all[..], counts.first()) {
        ([_], Some(0)) | ([], _) => "no arguments".to_owned(),
        ([_], Some(1)) => "1 argument".to_owned(),
        _ => format!("{} arguments", one_of(&all)),
    }
}
