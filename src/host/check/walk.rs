//! Walks the statements of a text with what is known of the variables in sight.

use std::collections::HashSet;

use rhai::{Expr, FlowControl, FnCallExpr, FnPtr, Ident, Position, Stmt, StmtBlock};

use super::{
    MOST, Rule,
    arguments::Read,
    finding::Finding,
    imports::Units,
    known::{Known, Type},
    reach::Call,
    unit::{Function, Unit},
};
use crate::{
    error::nearest,
    host::{repl::last::LAST, script::is_test},
};

/// A walk over one text.
pub(super) struct Walk<'a> {
    pub(super) known: &'static Known,
    pub(super) units: &'a Units,
    pub(super) index: usize,
    pub(super) unit: &'a Unit,
    pub(super) findings: &'a mut Vec<Finding>,
    /// What is called, for the capabilities.
    pub(super) calls: &'a mut Vec<Call>,
    pub(super) read: &'a mut Read,
    /// The function that is walked, by its place in the text; none at the top level.
    pub(super) caller: Option<usize>,
    /// The variables in sight, the innermost last.
    pub(super) scope: Vec<(String, Type)>,
    /// The modules in sight that not all of the text has, with their places among the units.
    pub(super) modules: Vec<(String, Option<usize>)>,
    /// The variables of the function that get another value at some time, whose type is therefore not told.
    assigned: HashSet<String>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        units: &'a Units,
        index: usize,
        findings: &'a mut Vec<Finding>,
        calls: &'a mut Vec<Call>,
        read: &'a mut Read,
    ) -> Self {
        Self {
            known: Known::get(),
            units,
            index,
            unit: &units[index],
            findings,
            calls,
            read,
            caller: None,
            scope: Vec::new(),
            modules: Vec::new(),
            assigned: HashSet::new(),
        }
    }

    /// Walks the whole text.
    pub(super) fn all(&mut self) {
        let unit = self.unit;
        self.assigned = assigned_in(unit, &unit.top);
        let around = unit.around.variables.iter();
        self.scope = around
            .map(|(name, kind)| (name.clone(), self.kept(name, *kind)))
            .collect();
        self.statements(&unit.top);
        for (place, function) in unit.functions.iter().enumerate().filter(|(_, it)| !it.is_closure()) {
            self.caller = Some(place);
            self.assigned = assigned_in(unit, &function.body);
            let is_main = self.index == 0 && function.name == "main" && function.params.len() == 1;
            let param = if is_main { Type::Arguments } else { Type::Any };
            self.scope = function
                .params
                .iter()
                .map(|name| (name.clone(), self.kept(name, param)))
                .collect();
            self.modules.clear();
            self.statements(&function.body);
        }
    }

    /// Whether what is walked is a test, or in a file of them.
    pub(super) fn is_in_test(&self) -> bool {
        let function = self.caller.map(|place| &self.unit.functions[place]);
        self.unit.of_tests || function.is_some_and(|function| is_test(&function.name))
    }

    /// The type of a variable, unless it gets another value.
    fn kept(&self, name: &str, declared: Type) -> Type {
        if self.assigned.contains(name) {
            Type::Any
        } else {
            declared
        }
    }

    fn statements(&mut self, statements: &[Stmt]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    /// Statements whose variables and imports are out of sight after them.
    fn block(&mut self, block: &StmtBlock) {
        self.inside(|walk| walk.statements(block.statements()));
    }

    fn inside(&mut self, work: impl FnOnce(&mut Self)) {
        let (variables, modules) = (self.scope.len(), self.modules.len());
        work(self);
        self.scope.truncate(variables);
        self.modules.truncate(modules);
    }

    fn statement(&mut self, statement: &Stmt) {
        if self.findings.len() >= MOST {
            return;
        }
        match statement {
            Stmt::If(flow, _) => {
                self.expression(&flow.expr);
                self.block(&flow.body);
                self.block(&flow.branch);
            }
            Stmt::While(flow, _) | Stmt::Do(flow, ..) => {
                self.expression(&flow.expr);
                self.block(&flow.body);
            }
            Stmt::Switch(switch, _) => {
                self.expression(&switch.0);
                for case in &switch.1.expressions {
                    self.expression(&case.lhs);
                    self.expression(&case.rhs);
                }
            }
            Stmt::For(parts, _) => self.each_of(&parts.0.name, parts.1.as_ref(), &parts.2),
            Stmt::Var(declared, ..) => {
                let value = self.expression(&declared.1);
                self.declare(&declared.0.name, value);
            }
            Stmt::Assignment(assignment) => {
                self.expression(&assignment.1.rhs);
                self.target(&assignment.1.lhs);
            }
            Stmt::FnCall(call, position) => {
                self.function_call(call, *position);
            }
            Stmt::Block(block) => self.block(block),
            Stmt::TryCatch(flow, _) => {
                self.block(&flow.body);
                self.inside(|walk| {
                    if let Expr::Variable(variable, ..) = &flow.expr {
                        walk.declare(&variable.1, Type::Any);
                    }
                    walk.statements(flow.branch.statements());
                });
            }
            Stmt::Expr(expression) => {
                self.expression(expression);
            }
            Stmt::BreakLoop(Some(value), ..) | Stmt::Return(Some(value), ..) => {
                self.expression(value);
            }
            Stmt::Import(import, position) => self.import(&import.0, &import.1.name, *position),
            _ => {}
        }
    }

    fn each_of(&mut self, name: &str, counter: Option<&Ident>, flow: &FlowControl) {
        let item = match self.expression(&flow.expr) {
            Type::ListOf(item) => Type::Of(item),
            _ => Type::Any,
        };
        self.inside(|walk| {
            walk.declare(name, item);
            if let Some(counter) = counter {
                walk.declare(&counter.name, Type::Of("int"));
            }
            walk.statements(flow.body.statements());
        });
    }

    fn declare(&mut self, name: &str, value: Type) {
        let value = if value == Type::Arguments { Type::Any } else { value };
        self.scope.push((name.to_owned(), self.kept(name, value)));
    }

    fn import(&mut self, path: &Expr, alias: &str, position: Position) {
        self.expression(path);
        let at = if matches!(path, Expr::StringConstant(..)) {
            path.position()
        } else {
            position
        };
        let found = self.unit.imports.iter().find(|import| import.position == at);
        self.modules
            .push((alias.to_owned(), found.and_then(|import| import.unit)));
    }

    /// The type of a value, once all that it is made of is looked at.
    pub(super) fn expression(&mut self, expression: &Expr) -> Type {
        // A place costs the more the longer the text is.
        if self.findings.len() >= MOST {
            return Type::Any;
        }
        match expression {
            Expr::BoolConstant(..) => Type::Of("bool"),
            Expr::IntegerConstant(..) => Type::Of("int"),
            Expr::FloatConstant(..) => Type::Of("float"),
            Expr::CharConstant(..) => Type::Of("char"),
            Expr::StringConstant(text, _) => {
                self.mention(text);
                Type::Of("string")
            }
            Expr::DynamicConstant(value, _) => match value.read_lock::<FnPtr>() {
                Some(pointer) => {
                    self.closure(pointer.fn_name(), &[]);
                    Type::Of("Fn")
                }
                None if value.is_array() => Type::Of("array"),
                None if value.is_map() => Type::Of("map"),
                None => Type::Any,
            },
            Expr::InterpolatedString(parts, _) => {
                self.each(parts);
                Type::Of("string")
            }
            Expr::Array(items, _) => {
                self.each(items);
                Type::Of("array")
            }
            Expr::Map(entries, _) => {
                self.each(entries.0.iter().map(|(_, value)| value));
                Type::Of("map")
            }
            Expr::And(parts, _) | Expr::Or(parts, _) => {
                self.each(&**parts);
                Type::Of("bool")
            }
            Expr::Coalesce(parts, _) => {
                self.each(&**parts);
                Type::Any
            }
            Expr::Variable(variable, _, position) => self.variable(&variable.1, &variable.2, *position),
            Expr::FnCall(call, position) => self.function_call(call, *position),
            Expr::Stmt(block) => self.block_value(block),
            Expr::Dot(parts, ..) => self.dot(&parts.lhs, &parts.rhs),
            Expr::Index(parts, flags, _) => self.indexed(&parts.lhs, &parts.rhs, *flags),
            _ => Type::Any,
        }
    }

    fn each<'b>(&mut self, expressions: impl IntoIterator<Item = &'b Expr>) {
        for expression in expressions {
            self.expression(expression);
        }
    }

    /// A block as a value. A closure that captures variables is one: it shares them and binds them to itself.
    fn block_value(&mut self, block: &StmtBlock) -> Type {
        if let [Stmt::Share(_), Stmt::Expr(bound)] = block.statements()
            && let Expr::FnCall(call, _) = &**bound
            && let Some((Expr::DynamicConstant(pointer, _), captured)) = call.args.split_first()
            && let Some(pointer) = pointer.read_lock::<FnPtr>()
        {
            let captured = captured.iter().filter_map(|it| match it {
                Expr::Variable(variable, _, position) => Some((variable.1.as_str(), *position)),
                _ => None,
            });
            let captured: Vec<_> = captured.collect();
            for (name, position) in &captured {
                self.look_up(name, *position);
            }
            let names: Vec<_> = captured.iter().map(|(name, _)| *name).collect();
            self.closure(pointer.fn_name(), &names);
            return Type::Of("Fn");
        }
        self.block(block);
        Type::Any
    }

    /// Walks the body of a closure where it stands.
    fn closure(&mut self, name: &str, captured: &[&str]) {
        let unit = self.unit;
        let Some((_, function)) = unit.named(name).next() else {
            self.mention(name);
            return;
        };
        let params = function.params.iter().map(|param| {
            let is_captured = captured.contains(&param.as_str());
            let outer = self.scope.iter().rev().find(|(known, _)| known == param);
            let value = outer.filter(|_| is_captured).map_or(Type::Any, |(_, value)| *value);
            (param.clone(), value)
        });
        let inner = params.collect();
        let outer = std::mem::replace(&mut self.scope, inner);
        let modules = self.modules.len();
        self.statements(&function.body);
        self.scope = outer;
        self.modules.truncate(modules);
    }

    fn variable(&mut self, name: &str, namespace: &rhai::Namespace, position: Position) -> Type {
        if !namespace.is_empty() {
            self.variable_of_module(name, namespace, position);
            return Type::Any;
        }
        let found = self.look_up(name, position);
        if found == Type::Arguments {
            self.read.whole = true;
        }
        found
    }

    /// The type of a variable, which may be one that does not exist.
    pub(super) fn look_up(&mut self, name: &str, position: Position) -> Type {
        if let Some((_, value)) = self.scope.iter().rev().find(|(known, _)| known == name) {
            return *value;
        }
        if self.unit.named(name).next().is_some() {
            self.mention(name);
            return Type::Of("Fn");
        }
        let message = format!("There is no variable `{name}`");
        let finding = Finding::new(Rule::UnknownVariable, message, self.unit.at(position));
        let finding = if self.unit.variables.contains_key(name) {
            finding.help(format!(
                "Functions do not see the variables of the top level: write `global::{name}` for a `const`."
            ))
        } else if self.unit.around.variables.iter().any(|(known, _)| known == name) {
            finding.help("Functions do not see the variables of the session: give it to the function as an argument.")
        } else if self.known.has_namespace(name) {
            finding.help(format!(
                "`{name}` is a namespace: what is in it is written with `{name}::`."
            ))
        } else {
            let known = self.scope.iter().map(|(known, _)| known.as_str());
            let known: Vec<_> = known.filter(|known| *known != LAST).collect();
            finding.meant(nearest(name, &known))
        };
        self.findings.push(finding);
        Type::Any
    }

    /// A text that may name a function: `Fn("name")`, or `list.map("name")`.
    fn mention(&mut self, name: &str) {
        let unit = self.unit;
        for (place, _) in unit.named(name) {
            self.calls.push(Call::of_function(
                self.index,
                self.caller,
                self.index,
                place,
                Position::NONE,
            ));
        }
    }

    /// The types of arguments, which are looked at.
    pub(super) fn arguments_of(&mut self, call: &FnCallExpr) -> Vec<Type> {
        call.args.iter().map(|argument| self.expression(argument)).collect()
    }
}

/// The variables that get another value in these statements, or in a closure in them.
fn assigned_in(unit: &Unit, statements: &[Stmt]) -> HashSet<String> {
    let mut names = HashSet::new();
    let mut left: Vec<&[Stmt]> = vec![statements];
    let mut seen = HashSet::new();
    while let Some(statements) = left.pop() {
        for statement in statements {
            statement.walk(&mut Vec::new(), &mut |path: &[rhai::ASTNode<'_>]| {
                match path.last() {
                    Some(rhai::ASTNode::Stmt(Stmt::Assignment(assignment))) => {
                        if let Expr::Variable(variable, ..) = &assignment.1.lhs {
                            names.insert(variable.1.to_string());
                        }
                    }
                    Some(rhai::ASTNode::Expr(Expr::DynamicConstant(value, _))) => {
                        let pointer = value.read_lock::<FnPtr>();
                        let place = pointer.and_then(|pointer| Some(unit.named(pointer.fn_name()).next()?.0));
                        if let Some(place) = place.filter(|place| seen.insert(*place)) {
                            let function: &Function = &unit.functions[place];
                            left.push(&function.body);
                        }
                    }
                    _ => {}
                }
                true
            });
        }
    }
    names
}
