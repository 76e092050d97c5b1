//! All tests that need more than one module of masctl, in one binary.

#![expect(clippy::expect_used, reason = "a test that cannot go on panics")]

#[cfg(not(feature = "fixed-world"))]
compile_error!("run tests/run, or: cargo test --features fixed-world");

mod architecture; // layers, lengths and words, by reading the sources
mod asking; // what a person is asked before a command goes on
mod completion; // what bash, zsh and fish are offered, and how long they wait
mod concurrency; // two masctl at once on the same user
mod configuration; // where the configuration comes from, with real files, variables and a database
mod contract; // what each command leaves in a whole database: tests/contract/*.md
mod databases; // the databases of the tests are what the tests believe
mod doctor; // what `masctl doctor` finds where a transcript cannot look
mod dry_runs; // a dry run changes nothing, whatever it is of
mod emails; // e-mail addresses as scripts look for them and move them
mod examples; // the gallery of examples is whole, short, and right
mod files; // files as scripts read them, and those that they may not
mod first_runs; // what a person is told before the first run of a script
mod forms; // the questions that a person at a terminal is asked
mod fuzz_seeds; // what the fuzzers start from, through the functions that they call
mod homeserver_accounts; // what the homeserver knows of users, as scripts ask for it
mod homeservers; // the homeserver of the tests answers as Synapse does
mod hostile_rows; // rows that people and programs other than MAS can write
mod interrupted_inputs; // Ctrl-C, SIGTERM and lost connections at the prompt
mod kept_connections; // the connection of a session, from one input to the next
mod lost_connections; // what is said of what was and was not committed
mod memory; // how much of it a script takes that walks over many accounts
mod meta_commands; // what begins with a backslash at a prompt
mod own_scripts; // scripts of an operator: as programs, by prompts, and where nobody is to write to them
mod pagers; // long texts on a terminal
mod passwords; // passwords as scripts set and verify them
mod personal_tokens; // personal access tokens as scripts issue them
mod planned; // what is shown before it is changed, and changed only if it is the same again
mod policy; // policy data as scripts set it
mod primitives; // the examples of the help run, and are denied without their capability
mod prompt_completion; // what the Tab key offers at the prompt
mod prompting; // what a person types at the prompt of a session
mod reference; // the pages under docs/ are those of this program
mod repl; // a session at a prompt, in a real terminal
mod repl_alone; // sessions that nobody types, what is loaded first, and sandboxes
mod secrets; // what is secret is never shown
mod sessions; // sessions as scripts list and end them
mod shown; // values as a session shows them
mod signals; // Ctrl-C, SIGTERM and readers that go away
mod sockets; // PostgreSQL through its Unix socket
mod sqlite_schema; // the embedded store has the tables of MAS
mod storage; // masctl's SQL, each function on both stores
mod streams; // lists that are shown while they are read
mod support; // what the tests stand on
mod synapse; // what a real Synapse makes of what masctl asks
mod tampering; // scripts that attack whoever runs them: tests/tampering/*/*.rhai
mod terminals; // what a person at a terminal sees
mod testing; // the tests of our own scripts, and what no test of a script may do
mod times; // times as scripts get, read, compare and move them
mod tls; // PostgreSQL over TLS, and what goes wrong with certificates
mod tokens; // access and registration tokens as scripts find, revoke, rotate and edit them
mod transcripts; // every command through the real binary, on both stores: tests/manage/*.md, tests/cli/*.md
mod users; // accounts as scripts look them up and describe them
mod workers; // what a worker does to a store and to its homeserver, and what happens to it
