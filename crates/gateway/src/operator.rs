//! What the operator configured.

use crate::{AiGateway, LimitedModels, Settings};

/// What the operator configured, as far as one request needs it.
#[derive(Debug)]
pub struct Operator<'a> {
    /// The component's settings.
    pub settings: &'a Settings,
    /// The AI Gateway of these settings.
    pub ai_gateway: &'a AiGateway<'a>,
    /// The models of limited teams; empty for any other team.
    pub limited_models: &'a LimitedModels,
}
