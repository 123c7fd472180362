//! What the operator configured.

use crate::{AiGateway, LimitedModels, Settings, Team};

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

impl Operator<'_> {
    /// Checks whether only some models may run for `team`: those of its key's scope, or those of limited
    /// teams.
    pub(crate) fn restricts_models(&self, team: &Team) -> bool {
        team.scope.restricts_models() || self.limited_models.applies_to(team)
    }
}
