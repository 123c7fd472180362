//! Whose limits apply to a request, and under which names its use is counted.

use crate::limits::counters::{PREFIX, Ring};
use crate::limits::gauge::{Gauge, Kind};
use crate::limits::period::Moment;
use crate::limits::rules::Limits;
use crate::{Error, Store, Team};

/// Who a request is counted for.
#[derive(Clone, Debug)]
pub struct Account {
    /// The key and its team, as far as they have limits.
    holders: Vec<Holder>,
    usage: UsageName,
}

/// A key or a team with limits.
#[derive(Clone, Debug)]
struct Holder {
    /// Who has the limits, in texts for the client.
    word: &'static str,
    /// The part of the names of its counters.
    name: String,
    limits: Limits,
}

/// The names of the counters of one key's use.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsageName {
    /// The hash of the team's id.
    pub team: String,
    /// The lineage of the key, which stays the same when the key is rotated.
    pub lineage: String,
}

/// Which requests are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Those of keys and teams with limits.
    Limited,
    /// All.
    All,
    /// None. Limits are not enforced either.
    Off,
}

/// What is counted of a key's use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Requests that were sent to the provider.
    Requests,
    /// Input tokens.
    Input,
    /// Output tokens.
    Output,
    /// Input tokens read from a cache.
    Cached,
    /// Input tokens written to a cache.
    CacheWrite,
    /// Output tokens of reasoning.
    Reasoning,
    /// Nano-dollars.
    Cost,
}

/// The prefix of the counters of use.
const USAGE: &str = "n:u:";

/// The prefix of the days on which keys were last used.
pub const LAST_USED: &str = "last:";

/// The prefix of the limits of whole teams.
pub const LIMITS: &str = "limits:";

/// The prefix of the counters of budgets.
const BUDGET: &str = "n:b:";

impl Counted {
    /// Parses the setting; without one, the requests of keys and teams with limits are counted.
    ///
    /// # Errors
    /// [`Error::Configuration`] for an unknown word.
    pub fn parse(setting: Option<&str>) -> Result<Self, Error> {
        match setting {
            None | Some("limits") => Ok(Self::Limited),
            Some("all") => Ok(Self::All),
            Some("off") => Ok(Self::Off),
            Some(_) => Err(Error::Configuration("usage must be limits, all or off".to_owned())),
        }
    }

    /// Checks whether the requests of `team`'s key are counted.
    pub fn includes(self, team: &Team) -> bool {
        match self {
            Self::All => true,
            Self::Limited => team.limits.is_some() || team.has_team_limits,
            Self::Off => false,
        }
    }
}

impl Account {
    /// Finds who a request of `team` is counted for; no one if it is not counted. Reads the limits of the
    /// whole team only if the key's record says that there are some.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] and [`Error::CorruptRecord`].
    pub fn find(team: &Team, counted: Counted, store: &dyn Store) -> Result<Option<Self>, Error> {
        if !counted.includes(team) {
            return Ok(None);
        }
        let of_team = if team.has_team_limits { read_team(store, &team.team_id)? } else { None };
        Ok(Some(Self::new(team, of_team)))
    }

    /// Creates the account of `team`'s key, and of the whole team with the limits `of_team`.
    pub fn new(team: &Team, of_team: Option<Limits>) -> Self {
        let usage = UsageName { team: team.cache_scope(), lineage: team.lineage().to_owned() };
        let key = team.limits.clone().map(|limits| Holder {
            word: "key",
            name: format!("k{}", usage.lineage),
            limits,
        });
        let team =
            of_team.map(|limits| Holder { word: "team", name: format!("t{}", usage.team), limits });
        Self { holders: key.into_iter().chain(team).collect(), usage }
    }

    /// Returns the names of the counters of use.
    pub fn usage(&self) -> &UsageName {
        &self.usage
    }

    /// Checks whether a request may be refused or changed for its tokens or its price.
    pub fn enforces_use(&self) -> bool {
        self.holders.iter().any(|holder| holder.limits.enforces_use())
    }

    /// Checks whether a budget may lead to the models of limited teams.
    pub fn may_limit(&self) -> bool {
        self.holders.iter().any(|holder| holder.limits.may_limit())
    }

    /// Checks whether anything is limited.
    pub fn is_limited(&self) -> bool {
        self.holders.iter().any(|holder| !holder.limits.is_empty())
    }

    /// Returns all limits, in the order in which they are checked, with the counters of the moment `at`.
    pub fn gauges(&self, at: Moment) -> Vec<Gauge> {
        self.holders.iter().flat_map(|holder| holder.gauges(at)).collect()
    }
}

impl Holder {
    fn gauges(&self, at: Moment) -> Vec<Gauge> {
        let ring = |kind: &str| Ring::new(format!("{PREFIX}r:{kind}:{}", self.name));
        let Limits { requests_per_minute, tokens_per_minute, parallel_requests, budgets } =
            &self.limits;
        let rates = [
            requests_per_minute.map(|limit| (limit, Kind::Requests(ring("req")))),
            parallel_requests.map(|limit| (limit, Kind::InFlight(ring("par")))),
            tokens_per_minute.map(|limit| (limit, Kind::Tokens(ring("tok")))),
        ];
        let budgets = budgets.iter().map(|budget| {
            let (unit, window) = (budget.unit.as_str(), at.window(budget.window));
            let name = format!("{BUDGET}{window}:{unit}:{}", self.name);
            (budget.amount, Kind::Budget(budget.clone(), name))
        });
        let gauge = |(limit, kind)| Gauge { word: self.word, limit, kind };
        rates.into_iter().flatten().chain(budgets).map(gauge).collect()
    }
}

/// Returns the limits of a whole team, with the counters of the moment `at`.
pub fn team_gauges(team_id: &str, limits: Limits, at: Moment) -> Vec<Gauge> {
    let name = format!("t{}", crate::keys::team::team_hash(team_id));
    Holder { word: "team", name, limits }.gauges(at)
}

/// Returns the store key of the day on which the keys of a `lineage` were last used. It is written once a day.
pub fn last_used_key(lineage: &str) -> String {
    format!("{LAST_USED}{lineage}")
}

/// Returns the store key of a team's limits.
pub fn team_key(team_id: &str) -> String {
    format!("{LIMITS}{}", crate::keys::team::team_hash(team_id))
}

/// Reads the limits of a whole team.
///
/// # Errors
/// [`Error::StoreUnavailable`], and [`Error::CorruptRecord`] for a value that is not a record.
pub fn read_team(store: &dyn Store, team_id: &str) -> Result<Option<Limits>, Error> {
    let Some(bytes) = store.get(&team_key(team_id))? else { return Ok(None) };
    let record: TeamRecord = crate::http::json::from_bytes(&bytes)
        .map_err(|error| crate::keys::team::unreadable(&error))?;
    crate::keys::team::check_version(record.v)?;
    Ok(Some(record.limits))
}

/// The limits of a whole team, as they are stored.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TeamRecord {
    /// The version of the record.
    pub v: u32,
    /// The team.
    pub team_id: String,
    /// What it may use.
    pub limits: Limits,
}

impl TeamRecord {
    /// Creates the record of a team's limits.
    pub fn new(team_id: String, limits: Limits) -> Self {
        Self { v: crate::keys::team::VERSION, team_id, limits }
    }
}

// === impl UsageName ===

impl UsageName {
    /// Returns the name of the counter of `metric` on the day named `day`.
    pub fn counter(&self, day: &str, metric: Metric) -> String {
        format!("{USAGE}{day}:{}:{}:{}", self.team, self.lineage, metric.as_str())
    }

    /// Parses a counter's name into the day, whose use it is, and the metric; returns nothing if it is not one
    /// of use.
    pub fn parse(counter: &str) -> Option<(&str, Self, Metric)> {
        let mut parts = counter.strip_prefix(USAGE)?.split(':');
        let (day, team, lineage) = (parts.next()?, parts.next()?, parts.next()?);
        let metric = parts.next()?;
        let metric = Metric::ALL.into_iter().find(|known| known.as_str() == metric)?;
        Some((day, Self { team: team.to_owned(), lineage: lineage.to_owned() }, metric))
    }
}

/// Returns the first day of the window whose use or budget the counter `name` holds, like `20260131`, or
/// `202601` for a month; nothing for another name. Budgets are needed in their window only.
pub fn window_of(name: &str) -> Option<(&str, bool)> {
    let is_usage = name.starts_with(USAGE);
    let rest = name.strip_prefix(USAGE).or_else(|| name.strip_prefix(BUDGET))?;
    Some((rest.split(':').next()?, is_usage))
}

impl Metric {
    /// All metrics.
    pub const ALL: [Self; 7] = [
        Self::Requests,
        Self::Input,
        Self::Output,
        Self::Cached,
        Self::CacheWrite,
        Self::Reasoning,
        Self::Cost,
    ];

    /// Returns the last part of the names of its counters.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Input => "input",
            Self::Output => "output",
            Self::Cached => "cached",
            Self::CacheWrite => "written",
            Self::Reasoning => "reasoning",
            Self::Cost => "cost",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::store::Memory;
    use crate::keys::team::tests::team;

    #[test]
    fn find_counts_by_the_setting() {
        let store = Memory::default();
        let plain = team("blue");
        let with_limits = Team { limits: Some(Limits::default()), ..team("blue") };
        for (setting, team, expected) in [
            (None, &plain, false),
            (None, &with_limits, true),
            (Some("all"), &plain, true),
            (Some("off"), &with_limits, false),
        ] {
            let counted = Counted::parse(setting).unwrap();
            let account = Account::find(team, counted, &store).unwrap();
            assert_eq!(account.is_some(), expected, "{setting:?}");
        }
        assert!(Counted::parse(Some("some")).is_err());
    }

    #[test]
    fn find_reads_the_limits_of_a_team_that_has_some() {
        let store = Memory::default();
        let limits = Limits { requests_per_minute: Some(7), ..Limits::default() };
        let record = serde_json::to_vec(&TeamRecord::new("blue".to_owned(), limits)).unwrap();
        store.set(&team_key("blue"), &record).unwrap();
        let marked = Team { has_team_limits: true, ..team("blue") };
        let gauges = |team: &Team| {
            let found = Account::find(team, Counted::All, &store).unwrap().unwrap();
            found.gauges(Moment { millis: 0 }).len()
        };
        assert_eq!((gauges(&marked), gauges(&team("blue"))), (1, 0));
        store.set(&team_key("blue"), br#"{"v":2,"teamId":"blue","limits":{}}"#).unwrap();
        let newer = Account::find(&marked, Counted::Limited, &store);
        assert!(matches!(newer, Err(Error::CorruptRecord(_))), "{newer:?}");
        store.fail();
        let failed = Account::find(&marked, Counted::Limited, &store);
        assert!(matches!(failed, Err(Error::StoreUnavailable(_))), "{failed:?}");
    }

    #[test]
    fn names_of_counters_can_be_read() {
        let name = UsageName { team: "ab".to_owned(), lineage: "cd".to_owned() };
        let counter = name.counter("20260131", Metric::Input);
        assert_eq!(UsageName::parse(&counter), Some(("20260131", name, Metric::Input)));
        assert_eq!(window_of(&counter), Some(("20260131", true)));
        assert_eq!(window_of("n:b:202601:usd:kab"), Some(("202601", false)));
        assert_eq!(window_of("n:r:req:kab:0"), None);
        assert_eq!(UsageName::parse("n:claim:1:x"), None);
    }
}
