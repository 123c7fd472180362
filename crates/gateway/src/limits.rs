//! Limits: what a key or a team may use, what it has used, and how a client is refused.
//!
//! A request reserves what it may use before it is sent and settles what it has used at its end
//! ([`meter`], [`reservation`]). What is used is in atomic counters ([`counters`]), which have no other place for a
//! lock or a transaction.

pub mod account;
pub mod amount;
pub mod counters;
pub mod estimate;
pub mod gauge;
pub mod meter;
pub mod period;
pub mod prices;
pub mod refusal;
pub mod reservation;
pub mod rules;

/// The setting that says which requests are counted.
pub const USAGE_SETTING: &str = "usage";
