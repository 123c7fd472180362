//! End-to-end tests: the real wasm, on the embedded host, before the simulated AI Gateway.
//!
//! - [`cases`]: one folder per case in `tests/cases`, request in, response and upstream request out
//! - [`scopes`]: what a key may not do, and when it ends
//! - [`redis`]: keys that two gateways share
//! - [`tokens`]: keys from birth to death
//! - [`streams`]: chunks as they come, broken ends, large bodies both ways
//! - [`headers`]: what a client cannot bring upstream
//! - [`settings`]: each setting missing once, on every route
//! - [`secrets`]: what is never written down
//! - [`outages`]: settings that are wrong, hosts denied, a store that fails
//! - [`clients`]: clients that leave, are slow, or send too much
//! - [`faults`]: an upstream that fails in every way a connection can
//! - [`early`]: an upstream that answers before it has read the request
//! - [`hostile`]: thousands of random and mutated requests
//! - [`docs`]: what the documents point at
//! - [`house`]: the invariants of ARCHITECTURE.md
//! - [`deploy`]: what `deploy/` says of the app
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that finds something missing has failed"
)]

mod cases;
mod clients;
mod deploy;
mod docs;
mod early;
mod faults;
mod headers;
mod hostile;
mod house;
mod outages;
mod redis;
mod scopes;
mod secrets;
mod settings;
mod streams;
mod tokens;
