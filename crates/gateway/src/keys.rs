//! Team keys: what a client sends, what the store holds, and what a key allows. Knows providers by
//! name only.

pub mod api_key;
pub mod record;
pub mod scope;
pub mod store;
pub mod team;
pub mod time;
