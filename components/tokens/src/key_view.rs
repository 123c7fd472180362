//! A key as responses show it.

use std::collections::BTreeMap;

use gateway::limits::USAGE_SETTING;
use gateway::limits::account::{Account, Counted, last_used_key};
use gateway::limits::period::Moment;
use gateway::{ApiKey, Error, Record};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::limits::LimitsView;
use crate::own_usage::LimitState;
use crate::usage::date;
use crate::{Action, budgets};

/// The JSON form of a key's record, which never contains the hash.
///
/// Fields that say nothing are omitted.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the key")]
pub(crate) struct KeyView<'a> {
    /// The plain key, present only in the response that creates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'a str>,
    id: &'a str,
    team_id: &'a str,
    name: &'a str,
    limited: bool,
    created_at: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disabled: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    account: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    providers: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    models: Option<&'a [String]>,
    /// The team's own entry of `cf-aig-metadata`; a map, because its name is the client's choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<BTreeMap<&'a str, &'a RawValue>>,
    #[serde(skip_serializing_if = "Clone::clone")]
    log_payloads: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    byok_alias: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<LimitsView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lineage: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotated_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced_by: Option<&'a str>,
    /// Whether the key's requests are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    counted: Option<bool>,
    /// The key's own budgets, and what is used of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    budgets: Vec<LimitState>,
    /// The day of the key's last request that was counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<String>,
}

impl<'a> KeyView<'a> {
    /// Creates the view of `record`, without the key.
    pub(crate) fn new(record: &'a Record) -> Self {
        let tag = record.tag.as_ref();
        Self {
            api_key: None,
            id: record.id(),
            team_id: &record.team_id,
            name: &record.name,
            limited: record.limited,
            created_at: &record.created_at,
            expires_at: record.expires_at.as_deref(),
            disabled: record.disabled,
            account: record.account,
            providers: record.scope.providers.as_deref(),
            models: record.scope.models.as_deref(),
            metadata: tag.map(|tag| BTreeMap::from([(tag.name.as_str(), &*tag.value)])),
            log_payloads: record.log_payloads,
            byok_alias: record.byok_alias.as_deref(),
            limits: record.limits.as_ref().map(LimitsView::new),
            note: record.note.as_deref(),
            replaces: record.replaces.as_deref(),
            lineage: record.lineage.as_deref(),
            rotated_at: record.rotated_at.as_deref(),
            replaced_by: record.replaced_by.as_deref(),
            counted: None,
            budgets: Vec::new(),
            last_used: None,
        }
    }

    /// Adds whether the key's requests are counted, what is used of its budgets, and when it was used for the
    /// last time.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`], and [`Error::Configuration`] for a wrong setting.
    pub(crate) fn with_use(self, record: &Record, action: &Action<'_>) -> Result<Self, Error> {
        let counted = Counted::parse(action.context.settings.get(USAGE_SETTING))?;
        let day = action.context.store.get(&last_used_key(record.lineage()))?;
        let last_used = day.and_then(|day| String::from_utf8(day).ok()).map(|day| date(&day));
        let (team, at) = (record.team(), Moment::new(action.context.now));
        let budgets = budgets::read(action.context.store, Account::new(&team, None).gauges(at))?;
        let budgets = budgets.iter().map(|budget| budget.state(at)).collect();
        Ok(Self { counted: Some(counted.includes(&team)), budgets, last_used, ..self })
    }

    /// Adds the plain key, for the one response that reveals it.
    pub(crate) fn with_key(self, key: &'a ApiKey) -> Self {
        Self { api_key: Some(key.reveal()), ..self }
    }
}
