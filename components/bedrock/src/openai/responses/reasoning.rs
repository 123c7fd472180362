//! Signed reasoning as `encrypted_content`: a text that clients keep and send back unchanged.

use serde_json::value::RawValue;

use crate::json::Text;
use crate::limits::FIELDS;
use crate::openai::completion::ThinkingBlock;
use crate::openai::request::ThinkingBlock as Sent;
use crate::openai::slots::read_object;

/// Encodes a block of reasoning with its signature.
pub(super) fn seal(block: &ThinkingBlock<'_>) -> String {
    // Serialising texts cannot fail.
    serde_json::to_string(block).unwrap_or_default()
}

/// Returns the block that `sealed` holds; none if this gateway has not sealed it.
pub(super) fn unseal(sealed: &str) -> Option<Sent<'static>> {
    let json: &RawValue = serde_json::from_str(sealed).ok()?;
    let Sent { kind, thinking, signature, data } =
        read_object("encrypted_content", json, &FIELDS).ok()?;
    Some(Sent {
        kind: owned(kind),
        thinking: thinking.map(owned),
        signature: signature.map(owned),
        data: data.map(owned),
    })
}

/// Copies a text out of the JSON that it was read from.
fn owned(text: Text<'_>) -> Text<'static> {
    text.0.into_owned().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn unseal_returns_what_was_sealed(thinking in ".*", signature in ".*") {
            let (text, sign) = (thinking.as_str().into(), signature.as_str().into());
            let sealed = seal(&ThinkingBlock::Thinking { thinking: text, signature: sign });
            let block = unseal(&sealed).unwrap();
            prop_assert_eq!(&*block.kind, "thinking");
            prop_assert_eq!(block.thinking.as_deref(), Some(&*thinking));
            prop_assert_eq!(block.signature.as_deref(), Some(&*signature));
        }

        #[test]
        fn unseal_of_any_text_does_not_panic(text in ".*") {
            unseal(&text);
        }
    }

    #[test]
    fn unseal_of_redacted_reasoning_returns_its_data() {
        let sealed = seal(&ThinkingBlock::RedactedThinking { data: "ZQ==".into() });
        let block = unseal(&sealed).unwrap();
        assert_eq!((&*block.kind, block.data.as_deref()), ("redacted_thinking", Some("ZQ==")));
    }

    #[test]
    fn unseal_of_reasoning_of_others_is_none() {
        for sealed in ["", "gAAAAABo", "[]", "{}", r#""a""#] {
            assert!(unseal(sealed).is_none(), "{sealed}");
        }
    }
}
