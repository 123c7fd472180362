//! What tests outside of this process steer the simulated gateway with: paths below `/-/`.

use serde_json::json;

use crate::simulator::reply::Reply;
use crate::simulator::{Received, Simulator, lock};

/// Answers `POST /-/gates/{name}`, which opens a gate, and `GET /-/requests`, which tells how many
/// requests are remembered.
pub(crate) fn answer(simulator: &Simulator, received: &Received) -> Option<Reply> {
    let path = received.target.strip_prefix("/-/")?;
    if let Some(name) = path.strip_prefix("gates/") {
        simulator.open_gate(name);
        return Some(Reply::json(200, &json!({"open": name})));
    }
    let count = lock(&simulator.0.received).len();
    Some(Reply::json(200, &json!({"requests": count})))
}
