//! Reserves what a request may use before it is sent, and settles what it has used at its end.
//!
//! A limit is compared with what is used without the request's own reservation: requests at the same time
//! may exceed it together by one of them, and no request is refused for the most that it might use.

use crate::Error;
use crate::limits::account::{Account, Metric, UsageName, last_used_key};
use crate::limits::amount::Usd;
use crate::limits::counters::Counters;
use crate::limits::estimate::Estimate;
use crate::limits::gauge::{Gauge, Kind, Level};
use crate::limits::period::Moment;
use crate::limits::prices::Price;
use crate::limits::refusal::{Rate, RateLimit, Rates, amount, wait_ms};
use crate::limits::rules::{Budget, OnExceeded, Unit};
use crate::usage::Usage;

/// What a request asks for.
#[derive(Clone, Debug, Default)]
pub struct Demand<'a> {
    /// What it may use, if it runs a model.
    pub estimate: Option<Estimate>,
    /// What the model costs, if that is known.
    pub price: Option<Price>,
    /// The model.
    pub model: Option<&'a str>,
    /// What happens to it if only the models of limited teams are left.
    pub when_limited: WhenLimited,
}

/// What happens to a request after the end of a budget that leads to the models of limited teams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenLimited {
    /// It is not known: [`Denied::Limited`].
    #[default]
    Ask,
    /// It is served, because it has such a model already.
    Serve,
    /// It is refused, because the operator has set no such models.
    Refuse,
}

/// What one request has reserved.
#[derive(Clone, Debug)]
pub struct Reservation {
    holds: Vec<Hold>,
    usage: UsageName,
    /// When the request was counted.
    pub at: Moment,
    estimate: Estimate,
    price: Option<Price>,
    /// The state of the rate limits.
    pub rates: Rates,
    /// The budgets that are used up and do not refuse the request.
    pub exceeded: Option<String>,
}

/// What is reserved of one limit.
#[derive(Clone, Debug)]
struct Hold {
    gauge: Gauge,
    amount: i64,
}

/// Why a request is not served as it is.
#[derive(Debug)]
pub enum Denied {
    /// The client gets this error.
    Refused(Error),
    /// A budget is used up, and the models of limited teams are left.
    Limited,
}

impl Denied {
    /// Returns the client's error, if nothing else can be done.
    pub fn into_error(self) -> Error {
        match self {
            Self::Refused(error) => error,
            Self::Limited => Error::QuotaExceeded {
                message: "budget used up".to_owned(),
                limit: "budget".to_owned(),
            },
        }
    }
}

/// What could not be settled: the counter, and what had to be added to it.
pub type Unsettled = Vec<(String, i64)>;

/// What settling a request has shown.
#[derive(Clone, Debug)]
pub struct Settled {
    /// What the request cost, if that is known.
    pub cost: Option<Usd>,
    /// What could not be settled.
    pub unsettled: Unsettled,
    /// The store key of the day on which the key was last used, and its value, if this was the key's first
    /// request of a day.
    pub last_used: Option<(String, String)>,
}

impl Account {
    /// Reserves what a request at the moment `at` may use.
    ///
    /// # Errors
    /// [`Denied`] if a limit is reached, or the store fails. Then nothing stays reserved, except that a
    /// request counts as one unless that was the limit.
    pub fn reserve(
        &self,
        demand: &Demand<'_>,
        at: Moment,
        counters: &dyn Counters,
    ) -> Result<Reservation, Denied> {
        let mut reservation = Reservation {
            holds: Vec::new(),
            usage: self.usage().clone(),
            at,
            estimate: demand.estimate.unwrap_or_default(),
            price: demand.price,
            rates: Rates::default(),
            exceeded: None,
        };
        for gauge in self.gauges(at) {
            if let Err(denied) = reservation.hold(gauge, demand, counters) {
                let counts = !matches!(denied, Denied::Limited);
                reservation.release(counts, counters);
                return Err(denied);
            }
        }
        Ok(reservation)
    }

    /// Adds `delta` to the numbers of requests of the moment `at`, in which a request was counted that another one
    /// replaces.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the store fails.
    pub fn correct_requests(
        &self,
        at: Moment,
        delta: i64,
        counters: &dyn Counters,
    ) -> Result<(), Error> {
        for gauge in self.gauges(at) {
            if let Kind::Requests(_) = gauge.kind {
                twice(|| gauge.correct(counters, at, delta))?;
            }
        }
        let name = self.usage().counter(&at.day(), Metric::Requests);
        twice(|| counters.increment(&name, delta)).map(drop)
    }
}

impl Reservation {
    /// Reserves what the request needs of one limit.
    fn hold(
        &mut self,
        gauge: Gauge,
        demand: &Demand<'_>,
        counters: &dyn Counters,
    ) -> Result<(), Denied> {
        let Some(amount) = needs(&gauge, demand)? else { return Ok(()) };
        // Budgets of one unit and window share a counter, in which the request is counted once.
        let is_held = self.holds.iter().any(|hold| hold.gauge.has_counter_of(&gauge));
        let (added, held) = if is_held { (0, amount) } else { (amount, 0) };
        let mut level = gauge.add(counters, self.at, added).map_err(Denied::Refused)?;
        level.used -= held;
        let outcome = self.compare(&gauge, level, amount, demand);
        if outcome.is_err() {
            // Best effort: what cannot be returned ends with its window.
            let _ = gauge.correct(counters, self.at, -added);
        } else if !is_held {
            self.holds.push(Hold { gauge, amount });
        }
        outcome
    }

    /// Compares what is used with the limit.
    fn compare(
        &mut self,
        gauge: &Gauge,
        level: Level,
        needed: i64,
        demand: &Demand<'_>,
    ) -> Result<(), Denied> {
        let is_too_large = demand.estimate.is_some() && needed > gauge.limit;
        let is_used_up = level.used >= gauge.limit;
        match &gauge.kind {
            Kind::Budget(budget, _) => {
                if !is_used_up && !is_too_large {
                    return Ok(());
                }
                match (budget.on_exceeded, demand.when_limited) {
                    (OnExceeded::Limit, WhenLimited::Ask) => Err(Denied::Limited),
                    (OnExceeded::Limit, WhenLimited::Serve) | (OnExceeded::Audit, _) => {
                        self.note_exceeded(gauge);
                        Ok(())
                    }
                    _ if is_used_up => {
                        let message = gauge.used_up(budget, level, self.at);
                        let limit = gauge.label();
                        Err(Denied::Refused(Error::QuotaExceeded { message, limit }))
                    }
                    _ => Err(too_large(gauge, budget.unit, needed)),
                }
            }
            Kind::InFlight(_) if is_used_up => Err(self.rate(gauge, level, 1000)),
            Kind::InFlight(_) => Ok(()),
            Kind::Tokens(_) if is_too_large && !is_used_up => {
                Err(too_large(gauge, Unit::Tokens, needed))
            }
            Kind::Requests(_) | Kind::Tokens(_) if is_used_up => {
                self.note_rate(gauge, level, 0);
                let wait = wait_ms(gauge.limit, level.current, level.previous, self.at);
                Err(self.rate(gauge, level, wait))
            }
            Kind::Requests(_) | Kind::Tokens(_) => {
                self.note_rate(gauge, level, needed);
                Ok(())
            }
        }
    }

    fn note_exceeded(&mut self, gauge: &Gauge) {
        let before = self.exceeded.take();
        let labels: Vec<String> = before.into_iter().chain([gauge.label()]).collect();
        self.exceeded = Some(labels.join(", "));
    }

    /// Notes the state of a rate limit after `added`.
    fn note_rate(&mut self, gauge: &Gauge, level: Level, added: i64) {
        let remaining = gauge.limit.saturating_sub(level.used).saturating_sub(added);
        let to_next = 60_000 - self.at.millis % 60_000;
        let reset_ms = if level.current + added > 0 { to_next + 60_000 } else { to_next };
        let rate = Rate { limit: gauge.limit, remaining, reset_ms };
        match gauge.kind {
            Kind::Tokens(_) => Rates::note(&mut self.rates.tokens, rate),
            _ => Rates::note(&mut self.rates.requests, rate),
        }
    }

    /// Returns the refusal for a rate limit that is reached.
    fn rate(&self, gauge: &Gauge, level: Level, retry_ms: u64) -> Denied {
        let (word, limit) = (gauge.word, gauge.limit);
        let (may, kind) = match gauge.kind {
            Kind::Tokens(_) => (format!("use {limit} tokens per minute"), "tokens"),
            Kind::InFlight(_) => (format!("have {limit} requests in flight"), "requests"),
            _ => (format!("send {limit} requests per minute"), "requests"),
        };
        let now = if matches!(gauge.kind, Kind::InFlight(_)) { "has" } else { "has used" };
        let seconds = retry_ms.div_ceil(1000);
        let message = format!(
            "rate limit reached: this {word} may {may} and {now} {}; try again in {seconds} s",
            level.used
        );
        let rates = self.rates;
        let limit = RateLimit { message, label: gauge.label(), kind, retry_ms, rates };
        Denied::Refused(Error::RateLimited(Box::new(limit)))
    }

    /// Returns what is reserved. The request stays counted as one if it `counts`.
    fn release(&self, counts: bool, counters: &dyn Counters) {
        for hold in &self.holds {
            if !counts || !matches!(hold.gauge.kind, Kind::Requests(_)) {
                let _ = hold.gauge.correct(counters, self.at, -hold.amount);
            }
        }
    }

    /// Returns the estimated input tokens.
    pub fn input(&self) -> i64 {
        self.estimate.input
    }

    /// Reserves more for a response that has become longer than what was reserved: if the host died now,
    /// what the client has seen would still be counted.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the store fails.
    pub fn extend(&mut self, seen: i64, counters: &dyn Counters) -> Result<(), Error> {
        if seen <= self.estimate.output {
            return Ok(());
        }
        let before = self.estimate.usage();
        self.estimate.output = seen.saturating_mul(2);
        let after = self.estimate.usage();
        for hold in &mut self.holds {
            let amount = settled(&hold.gauge, &after, self.price);
            let more = amount.saturating_sub(settled(&hold.gauge, &before, self.price)).max(0);
            if let Kind::Budget(..) = hold.gauge.kind {
                hold.gauge.correct(counters, self.at, more)?;
                hold.amount = hold.amount.saturating_add(more);
            }
        }
        Ok(())
    }

    /// Settles at the moment `now` what the request has used, at the price of the model that responded if that is known.
    /// What could not be settled stands as it was reserved.
    pub fn settle(
        &self,
        usage: &Usage,
        price: Option<Price>,
        now: Moment,
        counters: &dyn Counters,
    ) -> Settled {
        let price = price.or(self.price);
        let cost = price.map(|price| price.cost(usage));
        let mut unsettled = Unsettled::new();
        for Hold { gauge, amount } in &self.holds {
            let delta = settled(gauge, usage, price).saturating_sub(*amount);
            if twice(|| gauge.settle(counters, self.at, now, delta)).is_err() {
                unsettled.push((gauge.label(), delta));
            }
        }
        let (day, mut first_of_day) = (self.at.day(), None);
        for metric in Metric::ALL {
            let amount = counted(metric, usage, cost);
            let name = self.usage.counter(&day, metric);
            let counted = (amount != 0).then(|| twice(|| counters.increment(&name, amount)));
            match counted {
                Some(Err(_)) => unsettled.push((metric.as_str().to_owned(), amount)),
                Some(Ok(1)) if metric == Metric::Requests => first_of_day = Some(day.clone()),
                _ => {}
            }
        }
        let last_used = first_of_day.map(|day| (last_used_key(&self.usage.lineage), day));
        Settled { cost, unsettled, last_used }
    }
}

/// Returns what the request may use of a limit, if the limit applies to it.
fn needs(gauge: &Gauge, demand: &Demand<'_>) -> Result<Option<i64>, Denied> {
    let Some(estimate) = demand.estimate else {
        let is_counted = matches!(gauge.kind, Kind::Requests(_) | Kind::InFlight(_));
        return Ok(is_counted.then_some(1));
    };
    Ok(Some(match &gauge.kind {
        Kind::Requests(_) | Kind::InFlight(_) => 1,
        Kind::Tokens(_) | Kind::Budget(Budget { unit: Unit::Tokens, .. }, _) => {
            estimate.usage().total()
        }
        Kind::Budget(budget, _) => match demand.price {
            Some(price) => price.cost(&estimate.usage()).0,
            None if budget.on_exceeded == OnExceeded::Audit => return Ok(None),
            None => {
                let model: String = demand.model.unwrap_or_default().chars().take(64).collect();
                return Err(Denied::Refused(Error::ModelNotPriced { word: gauge.word, model }));
            }
        },
    }))
}

/// Returns what a request that used `usage` has used of a limit.
fn settled(gauge: &Gauge, usage: &Usage, price: Option<Price>) -> i64 {
    match &gauge.kind {
        Kind::Requests(_) => 1,
        Kind::InFlight(_) => 0,
        Kind::Tokens(_) | Kind::Budget(Budget { unit: Unit::Tokens, .. }, _) => usage.total(),
        Kind::Budget(_, _) => price.map_or(0, |price| price.cost(usage).0),
    }
}

/// Returns what is counted of one metric.
fn counted(metric: Metric, usage: &Usage, cost: Option<Usd>) -> i64 {
    match metric {
        Metric::Requests => 1,
        Metric::Input => usage.input,
        Metric::Output => usage.output,
        Metric::Cached => usage.cached,
        Metric::CacheWrite => usage.cache_write,
        Metric::Reasoning => usage.reasoning,
        Metric::Cost => cost.map_or(0, |cost| cost.0),
    }
}

/// Tries an operation a second time if it fails.
fn twice<T>(operation: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
    operation().or_else(|_| operation())
}

/// Returns the refusal of a request that is larger than its limit.
fn too_large(gauge: &Gauge, unit: Unit, needed: i64) -> Denied {
    let (word, needed, limit) = (gauge.word, amount(unit, needed), amount(unit, gauge.limit));
    let message = format!(
        "this request may use {needed}, more than the {limit} that this {word} may ever use: \
         lower max_tokens"
    );
    Denied::Refused(Error::QuotaExceeded { message, limit: gauge.label() })
}

#[cfg(test)]
mod tests;
