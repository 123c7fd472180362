//! Streams as no model sends them: whatever comes, and however it is cut, a client gets whole events
//! and an end that is true.

mod client;
mod sent;

use corpus::{Changes, Corpus, Input, pieces};
use gateway::Error;
use gateway::translator::Rewrite as _;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

use super::StreamTranslator;
use super::tests::exchange;
use crate::converse::request::Exchange;
use crate::converse::stream::fuzz::sent::{Frame, Seed, seeds};

const WORDS: &str = r#"
    { } [ ] : , " \ ␣ ␊ ␍ null true 0 -1 1e400 18446744073709551615 é \ud800 \u2028 \n a {}
    "contentBlockIndex":1, "delta":{ "text":"a" "text":"b", "toolUse":{ "toolUse":{"input":"{}"}
    "input":"1", "reasoningContent":{"text":"r"} "signature":"s", "redactedContent":"ZQ=="
    "citation":{} "citation":{"title":"t"} "start":{"toolUse":{"toolUseId":"t","name":"f"}}
    "name":"json_tool_call" "type":"server_tool_use" "stopReason":"tool_use" "usage":{} "ttl":"5m"
    data:␣[DONE]␊␊
"#;

/// What may become of a stream before it is written.
#[derive(Clone, Debug)]
enum Edit {
    Change(Index, Changes),
    ChangeType(Index, Changes),
    Drop(Index),
    Repeat(Index, Index),
    Insert(Index, Frame),
}

impl Edit {
    fn any(seeds: &[Seed]) -> impl Strategy<Value = Self> + use<> {
        let frames: Vec<Frame> = seeds.iter().flat_map(|seed| seed.frames.clone()).collect();
        let payloads = frames.iter().map(|frame| frame.payload.to_vec()).collect();
        let corpus = Corpus::new(payloads, WORDS);
        let frame = prop_oneof![4 => select(frames), 1 => Frame::generated(), 1 => Frame::raw()];
        let place = any::<Index>;
        prop_oneof![
            8 => (place(), corpus.changes()).prop_map(|(at, changes)| Self::Change(at, changes)),
            1 => (place(), corpus.changes()).prop_map(|(at, changes)| Self::ChangeType(at, changes)),
            2 => place().prop_map(Self::Drop),
            2 => (place(), place()).prop_map(|(from, to)| Self::Repeat(from, to)),
            4 => (place(), frame).prop_map(|(at, frame)| Self::Insert(at, frame)),
        ]
    }

    fn made_to(self, frames: &mut Vec<Frame>) {
        let (length, places) = (frames.len(), frames.len() + 1);
        match self {
            Self::Insert(at, frame) => frames.insert(at.index(places), frame),
            _ if frames.is_empty() => {}
            Self::Change(at, changes) => frames[at.index(length)].change(&changes),
            Self::ChangeType(at, changes) => frames[at.index(length)].change_type(&changes),
            Self::Drop(at) => drop(frames.remove(at.index(length))),
            Self::Repeat(from, to) => {
                let frame = frames[from.index(length)].clone();
                frames.insert(to.index(places), frame);
            }
        }
    }
}

/// A stream as it is to be sent.
#[derive(Clone, Debug)]
struct Stream {
    exchange: Value,
    frames: Vec<Frame>,
    wire: Input,
    /// Whether nothing is wrong with any of it.
    is_regular: bool,
}

/// Streams of the seeds, edited, and others of events in any order; some of both garbled on the wire.
fn streams() -> impl Strategy<Value = Stream> {
    let seeds = seeds();
    let edits = vec(Edit::any(&seeds), 0..4);
    let edited = (select(seeds.clone()), edits).prop_map(|(mut seed, edits)| {
        for edit in edits {
            edit.made_to(&mut seed.frames);
        }
        (seed.exchange, seed.frames, false)
    });
    let exchanges: Vec<Value> = seeds.iter().map(|seed| seed.exchange.clone()).collect();
    let generated = (select(exchanges), vec(Frame::generated(), 0..12), Just(true));
    let wires = seeds.iter().map(|seed| sent::written(&seed.frames)).collect();
    let garbled = weighted(0.25, Corpus::new(wires, WORDS).changes());
    let sent = (prop_oneof![3 => edited, 1 => generated], garbled);
    sent.prop_map(|((exchange, frames, is_regular), garbled)| {
        let wire = sent::written(&frames);
        let is_regular = is_regular && garbled.is_none();
        let wire = Input(garbled.map_or(wire.clone(), |changes| changes.made_to(wire)));
        Stream { exchange, frames, wire, is_regular }
    })
}

/// What a client gets of `pieces`, and the error it is told of. The host goes on after that.
fn told(pieces: &[&[u8]], exchange: &Exchange) -> Result<(String, Option<Error>), TestCaseError> {
    let mut translator = StreamTranslator::new("id", exchange.clone());
    let mut out = Vec::new();
    let mut error = None;
    for piece in pieces.iter().map(Some).chain([None]) {
        let length = out.len();
        let result = match piece {
            Some(piece) => translator.push(piece, &mut out),
            None => translator.finish(&mut out),
        };
        prop_assert!(error.is_none() || (result.is_ok() && out.len() == length), "{error:?}");
        error = error.or(result.err());
    }
    Ok((String::from_utf8(out).unwrap(), error))
}

proptest! {
    #[test]
    fn any_stream_is_told_in_whole_events_up_to_a_true_end(
        stream in streams(),
        cuts in vec(any::<Index>(), 0..12),
    ) {
        let exchange = exchange(&stream.exchange);
        let (out, error) = told(&[&stream.wire], &exchange)?;
        let (again, same) = told(&pieces(&stream.wire, &cuts), &exchange)?;
        prop_assert_eq!(&out, &again);
        prop_assert_eq!(error.as_ref().map(Error::chain), same.as_ref().map(Error::chain));

        let events = client::events(&out)?;
        client::check_end(&events, error.as_ref())?;
        let chunks = client::chunks(&events)?;
        client::check_chunks(&chunks, &exchange, error.is_none())?;

        let is_intact = *stream.wire == *sent::written(&stream.frames);
        prop_assert!(error.is_some() || sent::is_sound(&stream.wire), "a garbled frame passed");
        if stream.is_regular {
            prop_assert_eq!(error.is_none(), sent::ends_well(&stream.frames), "{:?}", error);
        }
        if is_intact && error.is_none() && exchange.json_tool.is_none()
            && let Some(text) = sent::text(&stream.frames)
        {
            prop_assert_eq!(client::text(&chunks), text);
        }
    }
}
