//! What a real Synapse makes of what masctl asks, seen in its own database. `tests/run --synapse` runs these tests.
//!
//! They share one Synapse: each uses localparts of its own.

mod accounts; // an account from its registration to its end, through the binary and the worker
mod client; // the client of the homeserver: every call, and what it fails with
mod gate; // keeps a call to Synapse waiting
mod stage; // a store whose homeserver is the real one
mod stress; // many masctl and a worker at once: nothing is lost, stuck or left over
