//! Prints what the gateway knows about models: `cargo xtask model ID`.
//!
//! A crate root next to `lib.rs`, because a component is a library that no program can link.
#![expect(dead_code, reason = "the program uses a part of the module")]
#![expect(clippy::print_stdout, reason = "the program's result")]

mod catalog;
#[path = "catalog/describe.rs"]
mod describe;

fn main() {
    for id in std::env::args().skip(1) {
        println!("{}", describe::describe(&id));
    }
}
