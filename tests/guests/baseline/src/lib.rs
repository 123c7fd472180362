//! A bare pass-through component: requests and responses are forwarded unchanged, without keys, store
//! or policy. It is the baseline that the gateway's performance is compared with.
//!
//! It writes bodies before it hands over the headers, as the gateway does, so that both are sent in
//! one segment. It handles no unusual requests.

mod forward;

use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{IncomingRequest, ResponseOutparam};

struct Baseline;

wasi::http::proxy::export!(Baseline with_types_in wasi);

impl Guest for Baseline {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        // The host responds with a 500 if the component sets no response.
        let _ = forward::forward(&request, out);
    }
}
