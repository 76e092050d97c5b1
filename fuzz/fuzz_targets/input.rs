#![no_main]

libfuzzer_sys::fuzz_target!(|input: &str| masctl::cli::invariants::of_input(input));
