//! `masctl repl`: inputs at a prompt, one after the other.
