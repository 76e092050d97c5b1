//! What a check found: a rule that is broken, and where.

use serde_json::{Value, json};

use crate::{
    capability::Capability,
    error::{Code, Error, Excerpt, words},
};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The script would fail where it stands, or do something else than it says. It is not run.
    Error,
    /// Something that has no effect. The script can be run.
    Warning,
}

impl Severity {
    /// How it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $severity:ident;)+) => {
        words! {
            /// The rules that scripts are checked by. Their texts are an interface: editors compare them.
            Rule:
            $($(#[doc = $doc])+ $name = $text,)+
        }

        impl Rule {
            /// How bad it is to break it.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)+ }
            }
        }
    };
}

rules! {
    /// A call has as many arguments as the function takes.
    ArgumentCount = "check.argument_count", Error;
    /// A script has one function `main`, which takes the arguments.
    Main = "check.main", Error;
    /// `needs` asks for every capability that the script uses.
    MissingCapability = "check.missing_capability", Error;
    /// No function and no import of a script takes the place of one of masctl's.
    Replaced = "check.replaced", Error;
    /// Nothing happens at the top level of a script.
    TopLevel = "check.top_level", Error;
    /// A function that is called exists.
    UnknownFunction = "check.unknown_function", Error;
    /// A method that is called exists.
    UnknownMethod = "check.unknown_method", Error;
    /// A module that is imported exists.
    UnknownModule = "check.unknown_module", Error;
    /// A parameter that is read is declared by the header.
    UnknownParam = "check.unknown_param", Error;
    /// A property that is read exists.
    UnknownProperty = "check.unknown_property", Error;
    /// A variable that is used is declared.
    UnknownVariable = "check.unknown_variable", Error;
    /// What `needs` asks for is used.
    UnusedCapability = "check.unused_capability", Warning;
    /// Every function of a script is called.
    UnusedFunction = "check.unused_function", Warning;
    /// Every module that is imported is used.
    UnusedImport = "check.unused_import", Warning;
    /// A parameter that the header declares is read.
    UnusedParam = "check.unused_param", Warning;
    /// A script can be read.
    Unreadable = "file.unreadable", Error;
    /// A header follows its grammar.
    Header = "header.invalid", Error;
    /// A module is in the folder of the script, and modules do not import each other in a circle.
    Import = "script.import", Error;
    /// A script can be parsed.
    Syntax = "script.syntax", Error;
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule that is broken.
    pub rule: Rule,
    /// What is wrong, one line.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where.
    pub excerpt: Excerpt,
    /// What `needs` lacks, if that is what is wrong; of files it lacks which.
    pub lacks: Option<Capability>,
}

impl Finding {
    pub(super) fn new(rule: Rule, message: impl Into<String>, excerpt: Excerpt) -> Self {
        Self {
            rule,
            message: message.into(),
            help: None,
            excerpt,
            lacks: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what somebody most likely meant.
    pub(super) fn meant(self, name: Option<impl std::fmt::Display>) -> Self {
        match name {
            Some(name) => self.help(format!("Did you mean `{name}`?")),
            None => self,
        }
    }

    /// What an error is as a finding, if a text is to blame. One without a place is at the start of the text `label`.
    #[must_use]
    pub fn of(error: &Error, label: &str) -> Self {
        let rule = match error.code() {
            Code::HeaderInvalid => Rule::Header,
            Code::FileUnreadable => Rule::Unreadable,
            Code::ScriptNotFound => Rule::UnknownModule,
            Code::ScriptSyntax => Rule::Syntax,
            _ => Rule::Import,
        };
        let excerpt = error.excerpts().first().cloned();
        Self {
            rule,
            message: error.message().to_owned(),
            help: error.help_text().map(str::to_owned),
            excerpt: excerpt.unwrap_or_else(|| Excerpt::new(label, "", 0..0)),
            lacks: None,
        }
    }

    /// Whether a name is not known, for which Rhai would refuse the whole text.
    pub(super) const fn is_of_names(&self) -> bool {
        matches!(self.rule, Rule::UnknownVariable | Rule::UnknownModule)
    }

    /// How bad it is.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.rule.severity()
    }

    /// The finding for programs. Lines and columns count from 1, columns in characters; the end is the first after it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let (line, column) = self.excerpt.line_and_column();
        let end = self.excerpt.span.end;
        let after = Excerpt::new("", self.excerpt.text.clone(), end..end);
        let (end_line, end_column) = after.line_and_column();
        json!({
            "file": self.excerpt.name,
            "line": line,
            "column": column,
            "end_line": end_line,
            "end_column": end_column,
            "severity": self.severity().as_str(),
            "code": self.rule.as_str(),
            "message": self.message,
            "help": self.help,
        })
    }

    /// The error that it is for a run.
    #[must_use]
    pub fn into_error(self) -> Error {
        let code = match self.rule {
            Rule::Header => Code::HeaderInvalid,
            Rule::Syntax => Code::ScriptSyntax,
            Rule::Import => Code::ScriptImport,
            Rule::MissingCapability => Code::CapabilityDenied,
            Rule::UnknownModule => Code::ScriptNotFound,
            Rule::Unreadable => Code::FileUnreadable,
            _ => Code::ScriptInvalid,
        };
        let error = Error::new(code, self.message).at(self.excerpt);
        match self.help {
            Some(help) => error.help(help),
            None => error,
        }
    }
}
