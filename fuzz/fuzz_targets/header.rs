#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| masctl::cli::invariants::of_header(input));
