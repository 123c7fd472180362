//! Cache points, made from the client's marks.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>

use std::borrow::Cow;

use crate::catalog::model::Model;
use crate::converse::request::{Block, CachePoint, ConverseRequest, ToolEntry};
use crate::openai::request::CacheControl;

/// The maximum number of points in a request.
const LIMIT: usize = 4;

/// Returns the point for `mark`, if `model` supports caching. Five minutes are the default; an hour
/// is requested only from models that support it.
pub(crate) fn point<'a>(mark: &CacheControl<'a>, model: &Model) -> Option<CachePoint<'a>> {
    let is_long = mark.ttl.as_deref() == Some("1h") && model.capabilities.caches_long;
    let ttl = is_long.then_some(Cow::Borrowed("1h"));
    model.capabilities.caching.then_some(CachePoint { kind: "default", ttl })
}

/// Drops the earliest points of a request that has more than Bedrock accepts.
///
/// A point caches everything before it, so the last points cover the most.
pub(crate) fn clamp(request: &mut ConverseRequest<'_>) {
    let mut excess = count(request).saturating_sub(LIMIT);
    let mut keep = |is_point: bool| {
        let is_kept = !is_point || excess == 0;
        excess -= usize::from(!is_kept);
        is_kept
    };
    // In the order of the prompt: tools, system prompt, messages.
    if let Some(config) = &mut request.tool_config {
        config.tools.retain(|entry| keep(is_tool_point(entry)));
    }
    request.system.retain(|block| keep(is_point(block)));
    for turn in &mut request.messages {
        turn.content.retain(|block| keep(is_point(block)));
    }
}

/// Makes every point before one of an hour last an hour too. Bedrock rejects a shorter point there, and
/// what it caches is a part of what the later point caches.
/// <https://docs.claude.com/en/docs/build-with-claude/prompt-caching#mixing-different-ttls>
pub(crate) fn lengthen(request: &mut ConverseRequest<'_>) {
    let tools = request.tool_config.iter_mut().flat_map(|config| &mut config.tools);
    let tools = tools.filter_map(|entry| match entry {
        ToolEntry::CachePoint(point) => Some(point),
        ToolEntry::ToolSpec(_) => None,
    });
    let turns = request.messages.iter_mut().flat_map(|turn| &mut turn.content);
    let blocks = request.system.iter_mut().chain(turns).filter_map(|block| match block {
        Block::CachePoint(point) => Some(point),
        _ => None,
    });
    let mut points: Vec<_> = tools.chain(blocks).collect();
    if let Some(last) = points.iter().rposition(|point| point.ttl.is_some()) {
        points.iter_mut().take(last).for_each(|point| point.ttl = Some(Cow::Borrowed("1h")));
    }
}

/// Checks whether `block` is a cache point.
pub(crate) fn is_point(block: &Block<'_>) -> bool {
    matches!(block, Block::CachePoint(_))
}

/// Checks whether an entry of the tools is a cache point.
fn is_tool_point(entry: &ToolEntry<'_>) -> bool {
    matches!(entry, ToolEntry::CachePoint(_))
}

/// Counts the points of the whole request.
fn count(request: &ConverseRequest<'_>) -> usize {
    let tools = request.tool_config.iter().flat_map(|config| &config.tools);
    let turns = request.messages.iter().flat_map(|turn| &turn.content);
    let blocks = request.system.iter().chain(turns);
    tools.filter(|entry| is_tool_point(entry)).count()
        + blocks.filter(|block| is_point(block)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::capabilities::Family;
    use crate::catalog::sample::model;
    use crate::converse::request::{Role, ToolConfig, Turn};
    use crate::json::Text;

    #[test]
    fn point_with_an_unknown_ttl_has_none() {
        let model = model(Family::Claude);
        for (ttl, expected) in
            [(None, None), (Some("5m"), None), (Some("1h"), Some("1h")), (Some("2h"), None)]
        {
            let mark = CacheControl { ttl: ttl.map(Text::from) };
            let point = point(&mark, &model).unwrap();
            assert_eq!((point.kind, point.ttl.as_deref()), ("default", expected), "{ttl:?}");
        }
    }

    #[test]
    fn point_for_a_model_without_caching_is_none() {
        let mut model = model(Family::Llama);
        model.capabilities.caching = false;
        assert_eq!(point(&CacheControl::default(), &model), None);
    }

    #[test]
    fn lengthen_makes_points_before_one_of_an_hour_as_long() {
        for (ttls, expected) in [
            ([None, None, None], [false, false, false]),
            ([None, Some("1h"), None], [true, true, false]),
            ([Some("1h"), None, None], [true, false, false]),
            ([None, None, Some("1h")], [true, true, true]),
        ] {
            let mut request = request(1, 1, &[1]);
            let [tools, system, turns] =
                ttls.map(|ttl| CachePoint { kind: "default", ttl: ttl.map(Cow::Borrowed) });
            request.tool_config.as_mut().unwrap().tools = vec![ToolEntry::CachePoint(tools)];
            request.system = vec![Block::CachePoint(system)];
            request.messages[0].content = vec![Block::CachePoint(turns)];
            lengthen(&mut request);
            let text = serde_json::to_value(&request).unwrap();
            let places =
                ["/toolConfig/tools/0", "/system/0", "/messages/0/content/0"].map(|place| {
                    let ttl = text.pointer(&format!("{place}/cachePoint/ttl"));
                    ttl.is_some_and(|ttl| ttl == "1h")
                });
            assert_eq!(places, expected, "{ttls:?}");
        }
    }

    /// Creates a request with the given numbers of points.
    fn request(tools: usize, system: usize, turns: &[usize]) -> ConverseRequest<'static> {
        let point = CachePoint { kind: "default", ttl: None };
        let blocks = |points: usize| {
            let pair = [Block::text("x"), Block::CachePoint(point.clone())];
            std::iter::repeat_n(pair, points).flatten().collect::<Vec<_>>()
        };
        let tools = vec![ToolEntry::CachePoint(point.clone()); tools];
        ConverseRequest {
            messages: turns
                .iter()
                .map(|&points| Turn { role: Role::User, content: blocks(points) })
                .collect(),
            system: blocks(system),
            tool_config: Some(ToolConfig { tools, tool_choice: None }),
            ..ConverseRequest::default()
        }
    }

    #[test]
    fn clamp_of_too_many_points_drops_the_earliest() {
        for (tools, system, turns, expected) in [
            (1, 1, [1, 1], (1, 1, [1, 1])),
            (1, 1, [2, 1], (0, 1, [2, 1])),
            (1, 2, [2, 1], (0, 1, [2, 1])),
            (2, 2, [2, 4], (0, 0, [0, 4])),
            (0, 0, [6, 0], (0, 0, [4, 0])),
        ] {
            let mut clamped = request(tools, system, &turns);
            clamp(&mut clamped);
            let points =
                |blocks: &[Block<'_>]| blocks.iter().filter(|block| is_point(block)).count();
            let found = (
                clamped.tool_config.as_ref().unwrap().tools.len(),
                points(&clamped.system),
                [points(&clamped.messages[0].content), points(&clamped.messages[1].content)],
            );
            assert_eq!(found, expected, "{tools} {system} {turns:?}");
            let texts = clamped.messages[0].content.iter().filter(|block| !is_point(block));
            assert_eq!(texts.count(), turns[0], "{tools} {system} {turns:?}");
        }
    }
}
