//! What a real Synapse makes of what masctl asks, seen in its own database. `tests/run --synapse` runs these tests.
//!
//! They share one Synapse: each uses localparts of its own.

mod client;
