//! Operator about models: which one a limited team gets, which ones a key may list, and under which
//! name a response mentions one; and the encoding of embeddings.

pub mod aliases;
pub mod echo;
pub mod limited;
pub mod list;
pub mod vectors;
