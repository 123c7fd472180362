//! Streams that no model sends: for any input in any chunks, a client receives whole events and a
//! truthful end.

mod client;
mod response;
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
use super::tests::{context, of_response};
use crate::translate::context::ResponseContext;
use crate::translate::stream::fuzz::sent::{Frame, Seed, seeds};

const WORDS: &str = r#"
    { } [ ] : , " \ ␣ ␊ ␍ null true 0 -1 1e400 18446744073709551615 é \ud800 \u2028 \n a {}
    "contentBlockIndex":1, "delta":{ "text":"a" "text":"b", "toolUse":{ "toolUse":{"input":"{}"}
    "input":"1", "reasoningContent":{"text":"r"} "signature":"s", "redactedContent":"ZQ=="
    "citation":{} "citation":{"title":"t"} "start":{"toolUse":{"toolUseId":"t","name":"f"}}
    "name":"json_tool_call" "type":"server_tool_use" "stopReason":"tool_use" "usage":{} "ttl":"5m"
    data:␣[DONE]␊␊
"#;

/// A change to a stream before it is written.
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

    fn apply(self, frames: &mut Vec<Frame>) {
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

/// A stream to send.
#[derive(Clone, Debug)]
struct Stream {
    context: Value,
    frames: Vec<Frame>,
    wire: Input,
    /// Whether all of it is valid.
    is_regular: bool,
}

/// Generates edited seeds, and streams of events in any order; the bytes of some of both are
/// corrupted.
fn streams() -> impl Strategy<Value = Stream> {
    let seeds = seeds();
    let edits = vec(Edit::any(&seeds), 0..4);
    let edited = (select(seeds.clone()), edits).prop_map(|(mut seed, edits)| {
        for edit in edits {
            edit.apply(&mut seed.frames);
        }
        (seed.context, seed.frames, false)
    });
    let contexts: Vec<Value> = seeds.iter().map(|seed| seed.context.clone()).collect();
    let generated = (select(contexts), vec(Frame::generated(), 0..12), Just(true));
    let wires = seeds.iter().map(|seed| sent::written(&seed.frames)).collect();
    let corrupted = weighted(0.25, Corpus::new(wires, WORDS).changes());
    let sent = (prop_oneof![3 => edited, 1 => generated], corrupted);
    sent.prop_map(|((context, frames, is_regular), corrupted)| {
        let wire = sent::written(&frames);
        let is_regular = is_regular && corrupted.is_none();
        let wire = Input(corrupted.map_or(wire.clone(), |changes| changes.made_to(wire)));
        Stream { context, frames, wire, is_regular }
    })
}

/// Returns what a client receives for `pieces`, and the error. The host continues after an error.
fn translated(
    pieces: &[&[u8]],
    context: &ResponseContext,
) -> Result<(String, Option<Error>), TestCaseError> {
    let mut translator = StreamTranslator::new("id", context.clone());
    let mut out = Vec::new();
    let mut error = None;
    for piece in pieces.iter().map(Some).chain([None]) {
        let length = out.len();
        let result = match piece {
            Some(piece) => translator.push(piece, &mut out),
            None => translator.finish(&mut out),
        };
        prop_assert!(error.is_none() || (result.is_ok() && out.len() == length), "{error:?}");
        if let Err(failed) = result {
            translator.fail(&failed, &mut out);
            error = Some(failed);
        }
    }
    Ok((String::from_utf8(out).unwrap(), error))
}

proptest! {
    #[test]
    fn push_of_any_stream_emits_whole_events_and_a_truthful_end(
        stream in streams(),
        cuts in vec(any::<Index>(), 0..12),
    ) {
        let context = context(&stream.context);
        let (out, error) = translated(&[&stream.wire], &context)?;
        let (again, same) = translated(&pieces(&stream.wire, &cuts), &context)?;
        prop_assert_eq!(&out, &again);
        prop_assert_eq!(error.as_ref().map(Error::chain), same.as_ref().map(Error::chain));

        let events = client::events(&out)?;
        client::check_end(&events, error.as_ref())?;
        let chunks = client::chunks(&events)?;
        client::check_chunks(&chunks, &context, error.is_none())?;

        let is_intact = *stream.wire == *sent::written(&stream.frames);
        prop_assert!(error.is_some() || sent::is_sound(&stream.wire), "a corrupted frame passed");
        if stream.is_regular {
            prop_assert_eq!(error.is_none(), sent::ends_well(&stream.frames), "{:?}", error);
        }
        if is_intact && error.is_none() && context.json_tool.is_none()
            && let Some(text) = sent::text(&stream.frames)
        {
            prop_assert_eq!(client::text(&chunks), text);
        }
    }

    #[test]
    fn push_of_any_stream_emits_whole_items_of_a_response(
        stream in streams(),
        cuts in vec(any::<Index>(), 0..12),
    ) {
        let chat = context(&stream.context);
        let context = of_response(chat.clone());
        let (out, error) = translated(&[&stream.wire], &context)?;
        let (again, _) = translated(&pieces(&stream.wire, &cuts), &context)?;
        prop_assert_eq!(&out, &again);
        let events = response::events(&out)?;
        response::check(&events, error.as_ref())?;

        let (chunks, same) = translated(&[&stream.wire], &chat)?;
        prop_assert_eq!(error.as_ref().map(Error::chain), same.as_ref().map(Error::chain));
        let chunks = client::chunks(&client::events(&chunks)?)?;
        prop_assert_eq!(response::message_text(&events), client::text(&chunks));
    }
}
