//! Counts one request, from its reservation to its settlement.

use http::StatusCode;

use crate::ai_gateway::settings::Settings;
use crate::limits::account::{Account, Counted};
use crate::limits::counters::Counters;
use crate::limits::estimate::{Estimate, RESERVE, RESERVE_SETTING};
use crate::limits::period::Moment;
use crate::limits::prices::{Price, Prices};
use crate::limits::refusal::Rates;
use crate::limits::reservation::{Demand, Denied, Reservation, WhenLimited};
use crate::log::Entry;
use crate::operation::Class;
use crate::usage::Usage;
use crate::usage::observer::Observer;
use crate::{Error, Headers, Outbound, Store, Team};

/// The AI Gateway's header that says whether a response comes from its cache.
/// <https://developers.cloudflare.com/ai-gateway/features/caching/>
const CACHE_STATUS: &str = "cf-aig-cache-status";

/// Its headers with the model that has responded, if a route chose one.
const MODELS: [&str; 2] = ["cf-aig-model", "cf-aig-routed-model"];

/// The counting of one request.
#[derive(Debug)]
pub struct Meter {
    provider: &'static str,
    account: Account,
    at: Moment,
    /// The most output tokens that are reserved.
    reserve: i64,
    prices: Prices,
    reservation: Option<Reservation>,
    /// Reads the response of a request that runs a model.
    observer: Option<Observer>,
    /// What the response's head said.
    head: Option<ResponseHead>,
}

/// What the head of a response says about its price.
#[derive(Clone, Debug)]
struct ResponseHead {
    status: StatusCode,
    is_cached: bool,
    is_event_stream: bool,
    price: Option<Price>,
}

impl Meter {
    /// Creates the meter of a request of `team` to `provider` at the moment `at`; none if it is not
    /// counted. Only a request that is counted reads the setting with the `prices`.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`], [`Error::CorruptRecord`] and [`Error::Configuration`].
    pub fn open(
        provider: &'static str,
        team: &Team,
        settings: &Settings,
        store: &dyn Store,
        prices: impl FnOnce() -> Result<String, Error>,
        at: Moment,
    ) -> Result<Option<Self>, Error> {
        let counted = Counted::parse(settings.get(super::USAGE_SETTING))?;
        let Some(account) = Account::find(team, counted, store)? else { return Ok(None) };
        let reserve = settings.number(RESERVE_SETTING, RESERVE)?;
        let reserve = i64::try_from(reserve).unwrap_or(i64::MAX);
        let prices = Prices::parse(&prices()?)?;
        let (reservation, observer, head) = (None, None, None);
        Ok(Some(Self { provider, account, at, reserve, prices, reservation, observer, head }))
    }

    /// Checks the settings that counting depends on.
    ///
    /// # Errors
    /// [`Error::Configuration`] naming the one that is wrong.
    pub fn check(settings: &Settings, prices: &str) -> Result<(), Error> {
        Counted::parse(settings.get(super::USAGE_SETTING))?;
        settings.number(RESERVE_SETTING, RESERVE)?;
        Prices::parse(prices).map(drop)
    }

    /// Checks whether anything limits the request.
    pub fn is_limited(&self) -> bool {
        self.account.is_limited()
    }

    /// Checks whether a budget may lead to the models of limited teams.
    pub fn may_limit(&self) -> bool {
        self.account.may_limit()
    }

    /// Reserves what `outbound` may use. `translated` has the client's path and body if those are others,
    /// and `bare` strips what the client may write around a model's name. Does nothing if the client's
    /// request has reserved already: one may need several.
    ///
    /// # Errors
    /// [`Denied`] if a limit is reached, or the store fails.
    pub fn reserve(
        &mut self,
        outbound: &Outbound,
        translated: Option<(&str, &[u8])>,
        bare: fn(&str) -> &str,
        when_limited: WhenLimited,
        counters: &dyn Counters,
    ) -> Result<(), Denied> {
        if self.reservation.is_some() {
            return Ok(());
        }
        if outbound.class == Class::UnnamedInference && self.account.enforces_use() {
            let why = "has limits of tokens or dollars, which cannot be counted for this operation";
            return Err(Denied::Refused(Error::NotInScope(why.to_owned())));
        }
        let own_path = outbound.path_with_query.split('?').next().unwrap_or_default();
        let runs_a_model = outbound.class.runs_models() && outbound.method == http::Method::POST;
        let estimate = runs_a_model.then(|| match translated {
            Some((path, json)) => Estimate::of_json(json, path, self.reserve),
            None => Estimate::new(&outbound.body, own_path, self.reserve),
        });
        let model = outbound.model.as_deref();
        let names: Vec<&str> = model
            .iter()
            .flat_map(|model| [*model, bare(model)])
            .chain(outbound.original_model.as_deref())
            .collect();
        let price = self.prices.of(self.provider, &names);
        let demand = Demand { estimate, price, model, when_limited };
        self.reservation = Some(self.account.reserve(&demand, self.at, counters)?);
        self.observer = estimate.map(|_| Observer::default());
        Ok(())
    }

    /// Returns the state of the rate limits.
    pub fn rates(&self) -> Rates {
        self.reservation.as_ref().map(|reservation| reservation.rates).unwrap_or_default()
    }

    /// Notes the head of the upstream's response.
    pub fn note_head(&mut self, status: StatusCode, headers: &Headers) {
        let answered = MODELS.iter().find_map(|name| headers.get_str(name));
        let bare = answered.map(|model| model.split_once('/').map_or(model, |(_, bare)| bare));
        let names: Vec<&str> = answered.into_iter().chain(bare).collect();
        self.head = Some(ResponseHead {
            status,
            is_cached: headers.get(CACHE_STATUS).is_some_and(|value| value == b"HIT"),
            is_event_stream: headers.is_event_stream(),
            price: self.prices.of(self.provider, &names).filter(|_| !names.is_empty()),
        });
    }

    /// Checks whether the response's bytes have to be observed.
    pub fn observes(&self) -> bool {
        self.observer.is_some()
    }

    /// Takes bytes of the response. A response that becomes longer than what was reserved reserves more.
    pub fn observe(&mut self, bytes: &[u8], counters: &dyn Counters) {
        if let (Some(observer), Some(reservation)) = (&mut self.observer, &mut self.reservation) {
            observer.push(bytes);
            // A failure changes nothing now, and is noted when the request settles.
            let _ = reservation.extend(observer.seen(), counters);
        }
    }

    /// Settles the request, whose response `is_complete` or was broken off, and notes in `entry` what it
    /// has used.
    pub fn settle(self, is_complete: bool, counters: &dyn Counters, entry: &mut Entry) {
        let usage = self.usage(is_complete);
        let Some(reservation) = self.reservation else { return };
        let price = self.head.and_then(|head| head.price);
        let used = usage.unwrap_or_default();
        let (cost, unsettled) = reservation.settle(&used, price, counters);
        entry.limit = reservation.exceeded;
        if let Some(usage) = usage {
            entry.note_usage(&usage, cost);
        }
        if !unsettled.is_empty() {
            let amounts = unsettled.iter().map(|(name, amount)| format!("{name} {amount}"));
            entry.note_unsettled(&amounts.collect::<Vec<_>>().join(", "));
        }
    }

    /// Returns what the request has used, if it ran a model.
    fn usage(&self, is_complete: bool) -> Option<Usage> {
        let (observer, head) = (self.observer.as_ref()?, self.head.as_ref()?);
        if head.status.as_u16() >= 400 || head.is_cached {
            return None;
        }
        let input = self.reservation.as_ref().map_or(0, Reservation::input);
        let found = observer.usage(is_complete, input);
        // A whole response may report nothing, such as audio does. A stream that ends has used something.
        let is_stream = head.is_event_stream || !is_complete;
        found.or_else(|| is_stream.then(|| Usage { input, ..Usage::default() }))
    }
}

#[cfg(test)]
mod tests;
