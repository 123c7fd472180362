//! Counts one request, from its reservation to its settlement.

use http::StatusCode;

use crate::ai_gateway::settings::Settings;
use crate::http::body::Body;
use crate::limits::account::{Account, Counted};
use crate::limits::counters::Counters;
use crate::limits::estimate::{self, Estimate, RESERVE, RESERVE_SETTING};
use crate::limits::period::Moment;
use crate::limits::prices::{Price, Prices};
use crate::limits::refusal::Rates;
use crate::limits::reservation::{Demand, Denied, Reservation, WhenLimited};
use crate::log::Entry;
use crate::operation::Class;
use crate::usage::Usage;
use crate::usage::observer::{BYTES_PER_TOKEN, Observer};
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
    /// The most output tokens that are reserved.
    reserve: i64,
    prices: Prices,
    reservation: Option<Reservation>,
    /// Reads the response of a request that runs a model.
    observer: Option<Observer>,
    /// What the heads of the upstream's responses said, of which one request may have several.
    head: Option<ResponseHead>,
}

/// What the head of a response says about its price.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each decides on its own")]
struct ResponseHead {
    /// Whether a response was a success.
    is_success: bool,
    /// Whether all responses came from the cache.
    is_cached: bool,
    is_event_stream: bool,
    /// Whether it is audio or an image, whose tokens are known from a report only.
    is_media: bool,
    price: Option<Price>,
}

impl Meter {
    /// Creates the meter of a request of `team` to `provider`; none if it is not
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
    ) -> Result<Option<Self>, Error> {
        let counted = Counted::parse(settings.get(super::USAGE_SETTING))?;
        let Some(account) = Account::find(team, counted, store)? else { return Ok(None) };
        let reserve = settings.number(RESERVE_SETTING, RESERVE)?;
        let reserve = i64::try_from(reserve).unwrap_or(i64::MAX);
        let prices = Prices::parse(&prices()?)?;
        let (reservation, observer, head) = (None, None, None);
        Ok(Some(Self { provider, account, reserve, prices, reservation, observer, head }))
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

    /// Checks whether the request may be refused or changed for its tokens or its price.
    pub fn enforces_use(&self) -> bool {
        self.account.enforces_use()
    }

    /// Checks whether a budget may lead to the models of limited teams.
    pub fn may_limit(&self) -> bool {
        self.account.may_limit()
    }

    /// Reserves what `outbound` may use. `translated` has the client's path and body if those are others,
    /// and `bare` strips what the client may write around a model's name. Does nothing if the client's
    /// request has reserved already: one may need several. The moment `at` is that of the call, not that of the
    /// request's arrival: its body may have taken minutes.
    ///
    /// # Errors
    /// [`Denied`] if a limit is reached, or the store fails.
    pub fn reserve(
        &mut self,
        outbound: &Outbound,
        translated: Option<(&str, &[u8])>,
        bare: fn(&str) -> &str,
        when_limited: WhenLimited,
        at: Moment,
        counters: &dyn Counters,
    ) -> Result<(), Denied> {
        if self.reservation.is_some() {
            return Ok(());
        }
        if self.account.enforces_use() {
            check_countable(outbound, translated).map_err(Denied::Refused)?;
        }
        let own_path = outbound.path_with_query.split('?').next().unwrap_or_default();
        let path = translated.map_or(own_path, |(path, _)| path);
        let runs_a_model = outbound.class.runs_models()
            && outbound.method == http::Method::POST
            && estimate::uses_tokens(path);
        let estimate = runs_a_model.then(|| match translated {
            Some((_, json)) => Estimate::of_json(json, path, self.reserve),
            None => Estimate::new(&outbound.body, path, self.reserve),
        });
        let model = outbound.model.as_deref();
        let names: Vec<&str> = model.iter().flat_map(|model| [*model, bare(model)]).collect();
        // The client's name only where it stands for the same model.
        let own_name =
            outbound.original_model.as_deref().filter(|_| when_limited == WhenLimited::Ask);
        let price = self.prices.of(self.provider, &names);
        let price = price.or_else(|| self.prices.of(self.provider, &[own_name?]));
        let demand = Demand { estimate, price, model, when_limited };
        self.reservation = Some(self.account.reserve(&demand, at, counters)?);
        self.observer = estimate.map(|_| Observer::default());
        Ok(())
    }

    /// Returns when the request was counted as one, if it was.
    pub fn counted_at(&self) -> Option<Moment> {
        self.reservation.as_ref().map(|reservation| reservation.at)
    }

    /// Returns the state of the rate limits.
    pub fn rates(&self) -> Rates {
        self.reservation.as_ref().map(|reservation| reservation.rates).unwrap_or_default()
    }

    /// Notes the head of the upstream's response.
    pub fn note_head(&mut self, status: StatusCode, headers: &Headers) {
        let routed = routed_model(headers);
        let price = routed.and_then(|model| {
            // With its provider's name, or one of the provider that was asked.
            let whole = self.prices.of_whole(&[model.to_owned()]);
            whole.or_else(|| self.prices.of(self.provider, &[model]))
        });
        let media = headers.media_type().unwrap_or_default();
        let is_success = status.as_u16() < 400;
        let is_cached = headers.get(CACHE_STATUS).is_some_and(|value| value == b"HIT");
        let before = self.head.take();
        self.head = Some(ResponseHead {
            is_success: is_success || before.as_ref().is_some_and(|head| head.is_success),
            is_cached: is_cached && before.as_ref().is_none_or(|head| head.is_cached),
            is_event_stream: headers.is_event_stream(),
            is_media: ["audio/", "image/", "video/"].iter().any(|kind| media.starts_with(kind)),
            price,
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

    /// Settles the request at the moment `now`. Its response `is_complete` or was broken off. Notes in `entry`,
    /// which has the length of the response, what the request has used. Returns what has to be written into the store, if
    /// this was the key's first request of a day.
    pub fn settle(
        self,
        is_complete: bool,
        now: Moment,
        counters: &dyn Counters,
        entry: &mut Entry,
    ) -> Option<(String, String)> {
        let usage = self.usage(is_complete, entry.bytes);
        entry.finish_reason = self.observer.as_ref().and_then(Observer::finish_reason);
        let reservation = self.reservation?;
        let price = self.head.and_then(|head| head.price);
        let used = usage.unwrap_or_default();
        let settled = reservation.settle(&used, price, now, counters);
        entry.limit = reservation.exceeded;
        if let Some(usage) = usage {
            entry.note_usage(&usage, settled.cost);
        }
        if !settled.unsettled.is_empty() {
            let amounts = settled.unsettled.iter().map(|(name, amount)| format!("{name} {amount}"));
            entry.note_unsettled(&amounts.collect::<Vec<_>>().join(", "));
        }
        settled.last_used
    }

    /// Returns what the request has used, if it ran a model.
    fn usage(&self, is_complete: bool, bytes: u64) -> Option<Usage> {
        let (observer, head) = (self.observer.as_ref()?, self.head.as_ref()?);
        if !head.is_success || head.is_cached {
            return None;
        }
        let input = self.reservation.as_ref().map_or(0, Reservation::input);
        let found = observer.usage(is_complete, input);
        if found.is_some() || head.is_media && is_complete {
            return found;
        }
        // Something was used. Of a form that is not read, nothing but its length is known.
        let is_read = head.is_event_stream || observer.has_read();
        let length = if is_read { 0 } else { bytes / BYTES_PER_TOKEN as u64 };
        let output = i64::try_from(length).unwrap_or(i64::MAX);
        Some(Usage { input, output, ..Usage::default() })
    }
}

/// Returns the model that a route of the AI Gateway has chosen, if one did.
pub fn routed_model(headers: &Headers) -> Option<&str> {
    MODELS.iter().find_map(|name| headers.get_str(name))
}

/// Checks that what `outbound` uses can be counted: its own response has to report it, in a form that is read.
fn check_countable(outbound: &Outbound, translated: Option<(&str, &[u8])>) -> Result<(), Error> {
    let is_post = outbound.method == http::Method::POST;
    let json = translated.map_or(outbound.body.bytes(), |(_, json)| json);
    let is_unseen = match outbound.class {
        Class::UnnamedInference => true,
        Class::Account => is_post,
        Class::Inference => is_post && estimate::runs_in_background(json),
        Class::ById => false,
    };
    if is_unseen {
        let why = "has limits of tokens or dollars, which cannot be counted for this operation";
        return Err(Error::NotInScope(why.to_owned()));
    }
    if outbound.class != Class::Inference || !is_post || translated.is_some() {
        return Ok(());
    }
    let media = outbound.headers.media_type().unwrap_or_default();
    if outbound.body != Body::Absent
        && !outbound.headers.is_json()
        && !media.starts_with("multipart/")
    {
        let message = "a key with limits of tokens or dollars needs a body of type application/json or multipart/form-data";
        return Err(Error::invalid_header("content-type", message));
    }
    let query = outbound.path_with_query.split_once('?').map_or("", |(_, query)| query);
    let chooses_form =
        query.split('&').any(|pair| match pair.split_once('=').unwrap_or((pair, "")) {
            ("alt", form) => !matches!(form, "json" | "sse"),
            (name, _) => {
                name.contains('%') || matches!(name, "fields" | "$fields" | "callback" | "$alt")
            }
        });
    if chooses_form || outbound.headers.get("x-goog-fieldmask").is_some() {
        let message = "a key with limits of tokens or dollars cannot choose the fields or the form of a response";
        return Err(Error::invalid_param("query", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
