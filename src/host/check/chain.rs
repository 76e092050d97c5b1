//! What stands behind a dot or between brackets, and what it is the last of: a property, a method, an item, an argument.

use rhai::{ASTFlags, Expr, Position};

use super::{Rule, calls::ONLY_READ, finding::Finding, known::Type, walk::Walk};

impl Walk<'_> {
    /// Sets a variable or a property.
    pub(super) fn target(&mut self, target: &Expr) {
        match target {
            Expr::Variable(variable, _, position) if variable.2.is_empty() => {
                self.look_up(&variable.1, *position);
            }
            Expr::Dot(parts, ..) => {
                if self.is_arguments(&parts.lhs)
                    && let Expr::Property(property, _) = &parts.rhs
                {
                    self.read.set.insert(property.2.to_string());
                    return;
                }
                self.dot(&parts.lhs, &parts.rhs);
            }
            Expr::Index(parts, ..) => {
                if self.is_arguments(&parts.lhs)
                    && let Expr::StringConstant(name, _) = &parts.rhs
                {
                    self.read.set.insert(name.to_string());
                    return;
                }
                self.expression(target);
            }
            other => {
                self.expression(other);
            }
        }
    }

    /// Whether it is the variable that holds the arguments.
    pub(super) fn is_arguments(&self, expression: &Expr) -> bool {
        let Expr::Variable(variable, ..) = expression else {
            return false;
        };
        let mut scope = self.scope.iter().rev();
        variable.2.is_empty()
            && scope
                .find(|(name, _)| *name == *variable.1)
                .is_some_and(|(_, it)| *it == Type::Arguments)
    }

    /// One of the arguments is read.
    pub(super) fn argument(&mut self, name: &str, position: Position) {
        if !self.read.names.contains_key(name) {
            self.read.names.insert(name.to_owned(), self.unit.at(position));
        }
    }

    /// What is before a dot or bracket: the arguments are not read as a whole there.
    fn base(&mut self, expression: &Expr) -> Type {
        if self.is_arguments(expression) {
            Type::Arguments
        } else {
            self.expression(expression)
        }
    }

    pub(super) fn dot(&mut self, base: &Expr, link: &Expr) -> Type {
        let base = self.base(base);
        self.link(base, link)
    }

    /// What stands after a dot.
    fn link(&mut self, base: Type, link: &Expr) -> Type {
        match link {
            Expr::Property(property, position) => self.property(base, &property.2, *position),
            Expr::MethodCall(call, position) => self.method_call(base, call, *position),
            Expr::Dot(parts, ..) => {
                let base = self.link(base, &parts.lhs);
                self.link(base, &parts.rhs)
            }
            Expr::Index(parts, flags, _) => {
                let base = self.link(base, &parts.lhs);
                self.brackets(base, &parts.rhs, *flags)
            }
            other => self.expression(other),
        }
    }

    pub(super) fn indexed(&mut self, base: &Expr, link: &Expr, flags: ASTFlags) -> Type {
        let base = self.base(base);
        self.brackets(base, link, flags)
    }

    /// What stands between brackets, and what follows it.
    fn brackets(&mut self, base: Type, link: &Expr, flags: ASTFlags) -> Type {
        let (index, rest) = match link {
            Expr::Dot(parts, ..) if !flags.contains(ASTFlags::BREAK) => (&parts.lhs, Some((&parts.rhs, None))),
            Expr::Index(parts, inner, _) if !flags.contains(ASTFlags::BREAK) => {
                (&parts.lhs, Some((&parts.rhs, Some(*inner))))
            }
            index => (index, None),
        };
        match (base, index) {
            (Type::Arguments, Expr::StringConstant(name, position)) => self.argument(name, *position),
            (Type::Arguments, _) => self.read.whole = true,
            _ => {}
        }
        self.expression(index);
        if let Type::ListOf(item) = base {
            let message = format!("A list of {item} has no element by its number");
            let finding = Finding::new(Rule::UnknownProperty, message, self.unit.at(index.position()));
            self.findings.push(finding.help(ONLY_READ));
        }
        match rest {
            None => Type::Any,
            Some((link, None)) => self.link(Type::Any, link),
            Some((link, Some(flags))) => self.brackets(Type::Any, link, flags),
        }
    }

    /// The arguments as a whole are used in a way that may read any of them.
    pub(super) fn reads_all(&mut self) {
        self.read.whole = true;
    }
}
