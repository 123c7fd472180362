//! Lets tests in other processes control the simulated gateway, by requests to paths below `/-/`.

use serde_json::json;

use crate::simulator::reply::Reply;
use crate::simulator::{Received, Simulator, lock};

/// Responds to `POST /-/gates/{name}`, which opens a gate, and to `GET /-/requests`, which returns
/// the number of recorded requests. Other paths are not for the control interface.
pub(crate) fn respond(simulator: &Simulator, received: &Received) -> Option<Reply> {
    let path = received.target.strip_prefix("/-/")?;
    if let Some(name) = path.strip_prefix("gates/") {
        simulator.open_gate(name);
        return Some(Reply::json(200, &json!({"open": name})));
    }
    let count = lock(&simulator.0.received).len();
    Some(Reply::json(200, &json!({"requests": count})))
}
