//! `import "std/…"`: the standard library that ships inside of the binary. `import "./…"`: a file beside the one that
//! imports it, in the script's folder or below it. Nothing else can be imported.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use cap_std::{ambient_authority, fs::Dir};
use rhai::{AST, Dynamic, Engine, EvalAltResult, Module, ModuleResolver, Position, Scope, Shared};

use super::{
    catalogue,
    script::{self, Origin, Script},
};
use crate::error::{Code, Error, Result, nearest, shortened};

/// How many modules a script may import, its modules' modules counted in.
const MOST: usize = 64;

/// The modules of one script.
#[derive(Clone)]
pub(super) struct Modules(Arc<Mutex<Inner>>);

struct Inner {
    origin: Origin,
    /// The folder of the script, once one of its modules was asked for. Nothing outside of it can be reached through it.
    folder: Option<Arc<Dir>>,
    /// The text of each module that was found, by its label.
    sources: HashMap<String, Source>,
    /// The text of what was read before: by earlier inputs of a session.
    earlier: HashMap<String, Arc<str>>,
    loaded: HashMap<String, Shared<Module>>,
    /// The modules that are being loaded, the outermost first.
    loading: Vec<String>,
}

/// The text of a module, and where it is.
#[derive(Clone)]
pub(super) struct Source {
    /// What errors call it: `std/registration`, or the path of its file.
    pub(super) label: String,
    pub(super) text: Arc<str>,
    /// Where its own modules are: a folder below that of the script; those that ship have none.
    below: Option<PathBuf>,
}

impl Source {
    /// Whether it ships inside of the binary. A file of an operator's may be called as one that does.
    pub(super) fn is_shipped(&self) -> bool {
        self.below.is_none()
    }
}

impl Modules {
    /// The modules that a script can import.
    pub(super) fn of(script: &Script) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            origin: script.origin.clone(),
            folder: None,
            sources: HashMap::new(),
            earlier: HashMap::new(),
            loaded: HashMap::new(),
            loading: Vec::new(),
        })))
    }

    /// The modules that an input can import, whose session has read these texts before.
    pub(super) fn of_input(input: &Script, earlier: &HashMap<String, Arc<str>>) -> Self {
        let modules = Self::of(input);
        modules.with(|inner| inner.earlier.clone_from(earlier));
        modules
    }

    /// The text of a module that was imported, by its label.
    pub(super) fn text(&self, label: &str) -> Option<Arc<str>> {
        self.with(|inner| {
            let source = inner.sources.get(label).map(|source| &source.text);
            source.or_else(|| inner.earlier.get(label)).cloned()
        })
    }

    /// The text of each module that was imported, by its label.
    pub(super) fn texts(&self) -> HashMap<String, Arc<str>> {
        self.with(|inner| {
            let texts = inner.sources.iter();
            texts
                .map(|(label, source)| (label.clone(), source.text.clone()))
                .collect()
        })
    }

    /// The module that `importer`, by its label, means by `path`.
    ///
    /// # Errors
    /// `script.not_found`, `script.import`, `file.unreadable`, `script.syntax`, `script.limit`.
    pub(super) fn find(&self, importer: Option<&str>, path: &str) -> Result<Source> {
        self.with(|inner| inner.find(importer, path))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn load(engine: &Engine, source: &Source) -> Scripted<Shared<Module>> {
    let mut ast: AST = engine.compile(&*source.text)?;
    ast.set_source(source.label.as_str());
    Module::eval_ast_as_new(Scope::new(), &ast, engine).map(Into::into)
}

type Scripted<T> = std::result::Result<T, Box<EvalAltResult>>;

impl ModuleResolver for Modules {
    fn resolve(
        &self,
        engine: &Engine,
        importer: Option<&str>,
        path: &str,
        position: Position,
    ) -> Scripted<Shared<Module>> {
        let refuse = |error: Error| Box::new(EvalAltResult::ErrorTerminated(Dynamic::from(error), position));
        let source = self.find(importer, path).map_err(refuse)?;
        let started = self.with(|inner| inner.start(&source.label)).map_err(refuse)?;
        if let Some(module) = started {
            return Ok(module);
        }
        let loaded = load(engine, &source);
        self.with(|inner| {
            inner.loading.pop();
            if let Ok(module) = &loaded {
                inner.loaded.insert(source.label.clone(), module.clone());
            }
        });
        loaded.map_err(|error| EvalAltResult::ErrorInModule(source.label, error, position).into())
    }
}

impl Inner {
    fn find(&mut self, importer: Option<&str>, path: &str) -> Result<Source> {
        let source = match path.strip_prefix("./") {
            None => shipped(path)?,
            Some(file) => {
                let importing = importer.and_then(|label| self.sources.get(label));
                let below = match importing {
                    Some(source) if source.is_shipped() => return Err(unimportable(path)),
                    Some(source) => source.below.clone().unwrap_or_default(),
                    None => PathBuf::new(),
                };
                self.file(&below, file, path)?
            }
        };
        if self.sources.len() >= MOST && !self.sources.contains_key(&source.label) {
            return Err(Error::new(
                Code::ScriptLimit,
                format!("The script imports more than {MOST} modules"),
            ));
        }
        self.sources.insert(source.label.clone(), source.clone());
        Ok(source)
    }

    /// The module in a file, by the path that stands after `./`.
    fn file(&mut self, below: &Path, file: &str, path: &str) -> Result<Source> {
        let file = script::file_beside(file).ok_or_else(|| unimportable(path))?;
        let Origin::File { folder } = &self.origin else {
            let message = format!("The module `{path}` cannot be imported: this script is in no folder");
            return Err(
                Error::new(Code::ScriptImport, message).help("Only a script that is a file has modules of its own.")
            );
        };
        let relative = below.join(file);
        let label = folder.join(&relative).display().to_string();
        if let Some(known) = self.sources.get(&label) {
            return Ok(known.clone());
        }
        let failed = |cause: std::io::Error| unreadable(path, &label, &cause);
        let folder = if let Some(folder) = &self.folder {
            folder.clone()
        } else {
            let opened = Arc::new(Dir::open_ambient_dir(folder, ambient_authority()).map_err(failed)?);
            self.folder.insert(opened).clone()
        };
        // Whoever opens a pipe waits until somebody writes to it.
        if !folder.metadata(&relative).map_err(failed)?.is_file() {
            return Err(failed(std::io::Error::other("it is no file")));
        }
        let opened = folder.open(&relative).map_err(failed)?;
        let text = script::text_of(opened, &label)?.map_err(failed)?;
        Ok(Source {
            label,
            text: text.into(),
            below: Some(relative.parent().unwrap_or(Path::new("")).to_owned()),
        })
    }

    /// The module, if it is loaded; else it is being loaded from now on.
    fn start(&mut self, label: &str) -> Result<Option<Shared<Module>>> {
        if let Some(module) = self.loaded.get(label) {
            return Ok(Some(module.clone()));
        }
        if let Some(at) = self.loading.iter().position(|known| known == label) {
            let mut circle: Vec<&str> = self.loading[at..].iter().map(String::as_str).collect();
            circle.push(label);
            let message = in_a_circle(&circle);
            return Err(Error::new(Code::ScriptImport, message));
        }
        self.loading.push(label.to_owned());
        Ok(None)
    }
}

/// What is wrong with modules that import each other: the first stands at the end again.
pub(super) fn in_a_circle(labels: &[&str]) -> String {
    format!("Modules import each other in a circle: {}", labels.join(" → "))
}

/// A module of the standard library.
fn shipped(path: &str) -> Result<Source> {
    let Some(name) = path.strip_prefix("std/") else {
        return Err(unimportable(path));
    };
    let text = catalogue::module(path).ok_or_else(|| {
        let known: Vec<&str> = catalogue::modules().collect();
        let help = match nearest(name, &known) {
            Some(nearest) => format!("Did you mean `std/{nearest}`?"),
            None => format!("The standard library has {}.", known.join(", ")),
        };
        Error::new(
            Code::ScriptNotFound,
            format!("There is no module `{}`", shortened(path, 80)),
        )
        .help(help)
    })?;
    Ok(Source {
        label: path.to_owned(),
        text: text.into(),
        below: None,
    })
}

fn unimportable(path: &str) -> Error {
    Error::new(
        Code::ScriptImport,
        format!("The module `{}` cannot be imported", shortened(path, 80)),
    )
    .help(
        "`std/NAME` is a module of the standard library, `./NAME` is the file NAME.rhai beside the script; nothing outside of \
         the script's folder can be imported.",
    )
}

fn unreadable(path: &str, label: &str, cause: &std::io::Error) -> Error {
    let missing = cause.kind() == std::io::ErrorKind::NotFound;
    let (code, why) = if missing {
        (Code::ScriptNotFound, format!("there is no file `{label}`"))
    } else {
        (Code::FileUnreadable, cause.to_string())
    };
    Error::new(code, format!("The module `{path}` cannot be read: {why}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A script in a folder with these files, and what imports these paths ends in.
    fn import(files: &[(&str, &str)], path: &str) -> std::result::Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("scripts");
        for (name, text) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::write(folder.path().join("outside.rhai"), "").unwrap();
        std::os::unix::fs::symlink("../outside.rhai", root.join("escape.rhai")).unwrap();
        let file = root.join("main.rhai");
        fs::write(&file, "").unwrap();
        let script = Script::read(&file).unwrap();
        let engine = super::super::engine::bare(Modules::of(&script));
        let done = engine.run(&format!("import \"{path}\" as m;"));
        done.map_err(|error| {
            let words = crate::primitives::error_of(&error).to_string();
            words.replace(&root.display().to_string(), "")
        })
    }

    const FILES: [(&str, &str); 4] = [
        ("one.rhai", "import \"./lib/two\" as two; fn f() {}"),
        ("lib/two.rhai", "import \"./three\" as three;"),
        ("lib/three.rhai", "import \"std/registration\" as r;"),
        ("round.rhai", "import \"./round\" as round;"),
    ];

    #[test]
    fn modules_are_beside_the_file_that_imports_them() {
        assert_eq!(import(&FILES, "./one"), Ok(()));
        // A folder of an operator's may be called as the standard library is.
        let named = FILES.map(|(name, text)| (format!("std/{name}"), text));
        let named: Vec<_> = named.iter().map(|(name, text)| (name.as_str(), *text)).collect();
        assert_eq!(import(&named, "./std/one"), Ok(()));
        assert_eq!(import(&FILES, "./lib/three"), Ok(()));
        assert_eq!(
            import(&FILES, "./three"),
            Err("The module `./three` cannot be read: there is no file `/three.rhai`".to_owned())
        );
        assert_eq!(
            import(&FILES, "./round"),
            Err("Modules import each other in a circle: /round.rhai → /round.rhai".to_owned())
        );
        assert_eq!(
            import(&FILES, "std/registraton"),
            Err("There is no module `std/registraton`".to_owned())
        );
    }

    #[test]
    fn nothing_outside_of_the_folder_can_be_imported() {
        for path in [
            "../outside",
            "./../outside",
            "/etc/passwd",
            "one",
            "./one.rhai",
            ".//one",
            "./lib/../one",
            "",
        ] {
            assert_eq!(
                import(&FILES, path),
                Err(format!("The module `{path}` cannot be imported"))
            );
        }
        let escaped = import(&FILES, "./escape").unwrap_err();
        assert!(
            escaped.starts_with("The module `./escape` cannot be read: "),
            "{escaped}"
        );
    }
}
