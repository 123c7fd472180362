//! End-to-end tests: the real wasm, on the embedded host, in front of the simulated AI Gateway.
//!
//! - [`tokens`]: creating, showing and rotating keys
//! - [`rotation`]: keys that are created or rotated concurrently or repeatedly
//! - [`router`]: one base URL for all providers
//! - [`chaining`]: the components behind it
//! - [`scopes`]: restrictions and expiry of keys
//! - [`operations`]: classes of operations, and models that a request hides
//! - [`streams`]: streaming, truncated responses, large bodies in both directions
//! - [`headers`]: targets and headers that must not reach the upstream
//! - [`secrets`]: secrets stay out of store, log and errors
//! - [`settings`]: every setting missing once, on every route
//! - [`outages`]: invalid settings, failing stores, unreachable upstreams
//! - [`redis`]: keys shared by two gateways
//! - [`clients`]: clients that disconnect, or send too much
//! - [`cors`]: web pages that call the gateway from a browser
//! - [`slow`]: clients that send a body slowly, in tiny chunks, or never
//! - [`faults`]: every way in which a connection to the upstream can fail
//! - [`early`]: an upstream that responds before it has read the request
//! - [`hostile`]: thousands of random and mutated requests
//! - [`settlement`]: what is charged for every kind of response
//! - [`limits`]: rate limits and budgets
//! - [`concurrency`]: limits under many concurrent requests, on several gateways, and when one dies
//! - [`memory`]: the memory that an instance takes for a large body
//! - [`docs`]: links, tests and cases that the documents name
//! - [`invariants`]: the invariants of ARCHITECTURE.md
//! - [`deploy`]: the files of `deploy/`
//! - [`workflows`]: the workflows of GitHub Actions
//!
//! The cases of `tests/cases` are tests of their own: `tests/e2e/cases.rs`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that finds something missing has failed"
)]

mod bedrock;
mod calls;
mod chaining;
mod clients;
mod concurrency;
mod cors;
mod deploy;
mod docs;
mod early;
mod faults;
mod headers;
mod hostile;
mod invariants;
mod limits;
mod log;
mod memory;
mod operations;
mod outages;
mod redis;
mod reports;
mod rotation;
mod router;
mod scopes;
mod secrets;
mod settings;
mod settlement;
mod slow;
mod streams;
mod tokens;
mod workflows;
