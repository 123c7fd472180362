//! Cache points: where a client marks what may be cached.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>

use std::borrow::Cow;

use crate::converse::{Block, CachePoint, ConverseRequest, ToolEntry};
use crate::model::Model;
use crate::openai::CacheControl;

/// The most points Bedrock takes in a request.
const LIMIT: usize = 4;

/// The point for a mark, if `model` can cache. Five minutes are what it gets without saying so; an hour
/// is said to models that know it.
pub(crate) fn point<'a>(mark: &CacheControl<'a>, model: &Model) -> Option<CachePoint<'a>> {
    let is_long = mark.ttl.as_deref() == Some("1h") && model.abilities.caches_long;
    let ttl = is_long.then_some(Cow::Borrowed("1h"));
    model.abilities.caching.then_some(CachePoint { kind: "default", ttl })
}

/// Drops the earliest points of a request that has more than Bedrock takes.
///
/// What is cached is all that stands before a point, so the last points cover the most.
pub(crate) fn clamp(request: &mut ConverseRequest<'_>) {
    let mut excess = count(request).saturating_sub(LIMIT);
    let mut keep = |is_point: bool| {
        let is_kept = !is_point || excess == 0;
        excess -= usize::from(!is_kept);
        is_kept
    };
    // The order in which Bedrock reads them.
    if let Some(config) = &mut request.tool_config {
        config.tools.retain(|entry| keep(is_tool_point(entry)));
    }
    request.system.retain(|block| keep(is_point(block)));
    for turn in &mut request.messages {
        turn.content.retain(|block| keep(is_point(block)));
    }
}

pub(crate) fn is_point(block: &Block<'_>) -> bool {
    matches!(block, Block::CachePoint(_))
}

fn is_tool_point(entry: &ToolEntry<'_>) -> bool {
    matches!(entry, ToolEntry::CachePoint(_))
}

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
    use crate::converse::sample::model;
    use crate::converse::{Role, ToolConfig, Turn};
    use crate::json::Text;
    use crate::model::Family;

    #[test]
    fn point_keeps_only_a_known_ttl() {
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
    fn a_model_without_a_cache_gets_no_point() {
        let mut model = model(Family::Llama);
        model.abilities.caching = false;
        assert_eq!(point(&CacheControl::default(), &model), None);
    }

    /// A request with a point for each entry of the lists.
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
    fn clamp_drops_the_earliest_points() {
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
