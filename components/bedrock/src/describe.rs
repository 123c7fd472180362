//! Prints what the gateway knows about models: `cargo xtask model ID`.
//!
//! A crate root next to `lib.rs`, because a component is a library that no program can link.
#![expect(dead_code, reason = "the program uses a part of the module")]
#![expect(clippy::print_stdout, reason = "the program's result")]

mod catalog;

fn main() {
    for id in std::env::args().skip(1) {
        println!("{}", catalog::describe::describe(&id));
    }
}
