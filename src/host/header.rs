//! The header of a script: what it is for, which arguments it takes and what it may do, read without running it.
//!
//! ```text
//! //! Lock an account so that its owner can no longer log in      ← about
//! //!
//! //! The account and its data stay.                              ← details
//! //! ---
//! //! params:                                                     ← YAML, up to a second `---` or the end
//! //!   username: { type: user, positional: true, required: true, help: Account to lock }
//! //! needs: [users:write]
//! ```

pub mod keys;
mod lines;
mod params;
mod rules;
mod yaml;

use self::{lines::Lines, yaml::Fields};
use crate::{
    capability::{Capabilities, FileScope, Need},
    error::Result,
};

pub(super) use self::lines::is_invisible;
pub use self::params::{Completion, Kind, Limit, Number, Param, Pattern};

/// How many parameters a script may have.
const MAX_PARAMS: usize = 64;

/// What a script says of itself.
#[derive(Clone, Debug)]
pub struct Header {
    /// The first line of the prose: what the script does. Empty if it has no prose.
    pub about: String,
    /// The rest of the prose, its lines as written.
    pub details: String,
    /// The parameters, in written order.
    pub params: Vec<Param>,
    /// What the script may do: reading all of MAS's data if it does not say.
    pub needs: Capabilities,
    /// Whether the header has `needs`.
    pub states_needs: bool,
    /// Command lines to show in the help.
    pub examples: Vec<String>,
    /// Whether to ask before it runs, whatever its arguments are.
    pub destructive: bool,
    /// What is lost then, as a sentence.
    pub loss: Option<String>,
    /// Whether lists of scripts leave it out.
    pub hidden: bool,
}

/// What is wrong with a header, and at which node of its YAML.
#[derive(Debug)]
struct Fault {
    at: usize,
    message: String,
    help: Option<String>,
}

impl Fault {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
            help: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Header {
    /// Reads the header of the script `source`, which errors call `name`, such as `manage/lock-user.rhai`.
    ///
    /// # Errors
    /// `header.invalid`, with the place in the script, for everything that the grammar does not allow.
    pub fn parse(name: &str, source: &str) -> Result<Self> {
        let lines = Lines::split(name, source)?;
        let mut header = Self::of_prose(&lines);
        if let Some(text) = lines.yaml() {
            let root = yaml::parse(&text).map_err(|error| lines.syntax_error(&error))?;
            header
                .fill(&root)
                .map_err(|fault| lines.error(yaml::place(&text, fault.at), &fault.message, fault.help))?;
        }
        Ok(header)
    }

    /// Reads only the prose, which is all that a list of scripts shows. Reading the YAML takes far longer.
    ///
    /// # Errors
    /// `header.invalid`, where the lines of the header are not as they should be.
    pub fn outline(name: &str, source: &str) -> Result<Self> {
        Ok(Self::of_prose(&Lines::split(name, source)?))
    }

    /// The header of statements that have none.
    pub(super) fn of_expression(needs: Option<Capabilities>) -> Self {
        let mut header = Self::without_yaml(String::new(), String::new());
        header.states_needs = needs.is_some();
        header.needs = needs.unwrap_or(header.needs);
        header
    }

    fn of_prose(lines: &Lines<'_>) -> Self {
        let (about, details) = lines.prose();
        Self::without_yaml(about, details)
    }

    fn without_yaml(about: String, details: String) -> Self {
        Self {
            about,
            details,
            params: Vec::new(),
            needs: Capabilities::read_only(),
            states_needs: false,
            examples: Vec::new(),
            destructive: false,
            loss: None,
            hidden: false,
        }
    }

    /// The parameter of this name.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|param| param.name == name)
    }

    /// Whether there are arguments with which it is asked about before it runs.
    #[must_use]
    pub fn may_be_destructive(&self) -> bool {
        self.destructive || self.params.iter().any(|param| param.loss.is_some())
    }

    fn fill(&mut self, root: &yaml::Node) -> Result<(), Fault> {
        let entries = match &root.value {
            yaml::Value::Null => return Ok(()),
            yaml::Value::Map(entries) => entries,
            _ => return Err(Fault::new(root.id, "the YAML of a header must be a mapping").help(keys_help())),
        };
        let fields = Fields::new(root.id, "a header", entries, &keys::names(keys::OF_HEADER))?;
        if let Some(params) = fields.map("params")? {
            yaml::refuse_repetition(params)?;
            if let Some(entry) = params.get(MAX_PARAMS) {
                let message = format!(
                    "a script has at most {MAX_PARAMS} parameters, this one has {}",
                    params.len()
                );
                return Err(Fault::new(entry.id, message));
            }
            self.params = rules::read(params)?;
        }
        if let Some(needs) = fields.texts("needs")? {
            self.needs = needs
                .into_iter()
                .map(|(id, text)| need(id, &text, &self.params))
                .collect::<Result<Capabilities, Fault>>()?;
            self.states_needs = true;
        }
        if let Some(examples) = fields.texts("examples")? {
            self.examples = examples.into_iter().map(|(_, text)| text).collect();
        }
        self.destructive = match fields.node("destructive").map(|node| &node.value) {
            None | Some(yaml::Value::Bool(false)) => false,
            Some(yaml::Value::Bool(true)) => true,
            Some(_) => {
                self.loss = fields.sentence("destructive", "`true` or a sentence that says what is lost")?;
                true
            }
        };
        self.hidden = fields.truth("hidden")?;
        Ok(())
    }
}

fn keys_help() -> String {
    format!("its keys are {}", keys::names(keys::OF_HEADER).join(", "))
}

fn need(id: usize, text: &str, params: &[Param]) -> Result<Need, Fault> {
    let need = text
        .parse()
        .and_then(Need::exact)
        .map_err(|error: crate::error::Error| Fault {
            at: id,
            message: error.message().to_owned(),
            help: error.help_text().map(str::to_owned),
        })?;
    if let Need::Files(FileScope::Given(name)) = &need {
        check_path(id, name, params)?;
    }
    Ok(need)
}

/// Refuses a `$name` that is no parameter of type `path`.
fn check_path(id: usize, name: &str, params: &[Param]) -> Result<(), Fault> {
    let problem = match params.iter().find(|param| param.name == *name) {
        Some(param) if param.kind == Kind::Path => return Ok(()),
        Some(param) => format!(
            "the parameter `{name}` is no `path`, but of type `{}`",
            param.kind.as_str()
        ),
        None => format!("there is no parameter `{}`", yaml::clipped(name)),
    };
    let paths = params.iter().filter(|param| param.kind == Kind::Path);
    let paths: Vec<&str> = paths.map(|param| param.name.as_str()).collect();
    let help = match &paths[..] {
        [] => "what stands after `$` is a parameter of type `path`; there is none".to_owned(),
        paths => yaml::suggestion(name, paths),
    };
    Err(Fault::new(id, problem).help(help))
}

#[cfg(test)]
mod tests;
