//! The bare pass-through component with what any gateway with keys does for each request: one read of the
//! store, and one log line.

#[path = "../../baseline/src/forward.rs"]
mod forward;

use spin_sdk::key_value::Store;
use wasi::cli::stdout::get_stdout;
use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{IncomingRequest, ResponseOutparam};

struct Keyed;

wasi::http::proxy::export!(Keyed with_types_in wasi);

/// As long as the gateway's line for a successful request.
const LINE: &[u8] = &[b'x'; 320];

impl Guest for Keyed {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        // The store has no such record, which takes as long to find out.
        let record = Store::open("default").and_then(|store| store.get("key:0"));
        // The host responds with a 500 if the component sets no response.
        let forwarded = record.is_ok() && forward::forward(&request, out).is_ok();
        let line = if forwarded { [LINE, b"\n"].concat() } else { b"failed\n".to_vec() };
        let _ = get_stdout().blocking_write_and_flush(&line);
    }
}
