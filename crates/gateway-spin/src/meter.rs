//! Counting a request on Spin: the store, the counters and the setting that [`Meter`] needs.

use std::cell::RefCell;
use std::rc::Rc;

use gateway::http::body::probe;
use gateway::limits::meter::Meter;
use gateway::limits::period::Moment;
use gateway::limits::prices;
use gateway::limits::reservation::{Denied, WhenLimited};
use gateway::log::Entry;
use gateway::usage::chunk::UsageChunkFilter;
use gateway::usage::stream_options;
use gateway::{Error, Headers, LimitedModels, Operator, Outbound, Response, Store as _, Team};
use http::StatusCode;

use crate::counters::{self, SpinCounters};
use crate::host;
use crate::response::Sent;
use crate::store::SpinStore;

/// The counting of one request, shared by those who send it, pass its response on, and end it. Nothing is
/// in it for a request that is not counted.
#[derive(Clone, Default)]
pub(crate) struct SharedMeter(Rc<RefCell<Option<Counting>>>);

/// A request that is counted.
struct Counting {
    meter: Meter,
    counters: SpinCounters,
    /// Takes the chunk with the usage out of the stream, if the client did not ask for it.
    filter: Option<UsageChunkFilter>,
}

impl SharedMeter {
    /// Begins to count a request of `team` to `provider`, if it has to be counted.
    ///
    /// # Errors
    /// As [`Meter::open`], and [`Error::Configuration`] for limits that this build cannot enforce.
    pub(crate) fn open(
        &self,
        provider: &'static str,
        team: &Team,
        operator: &Operator<'_>,
    ) -> Result<(), Error> {
        let prices = || host::model_setting(prices::SETTING);
        let meter = Meter::open(provider, team, operator.settings, &SpinStore::default(), prices)?;
        let Some(meter) = meter else { return Ok(()) };
        if SpinCounters::EXIST {
            let counting = Counting { meter, counters: SpinCounters::default(), filter: None };
            self.0.replace(Some(counting));
        } else if meter.is_limited() {
            return Err(counters::missing());
        }
        Ok(())
    }

    /// Checks whether the request is counted.
    pub(crate) fn is_counting(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Checks whether the request may be refused or changed for its tokens or its price.
    pub(crate) fn enforces_use(&self) -> bool {
        self.0.borrow().as_ref().is_some_and(|counting| counting.meter.enforces_use())
    }

    /// Checks whether a budget may lead to the models of limited teams.
    pub(crate) fn may_limit(&self) -> bool {
        self.0.borrow().as_ref().is_some_and(|counting| counting.meter.may_limit())
    }

    /// Reserves what `outbound` may use, as [`Meter::reserve`] does. A request that no limit applies to is
    /// served even if it cannot be counted.
    pub(crate) fn reserve(
        &self,
        outbound: &Outbound,
        translated: Option<(&str, &[u8])>,
        bare: fn(&str) -> &str,
        when_limited: WhenLimited,
    ) -> Result<(), Denied> {
        let mut counting = self.0.borrow_mut();
        let Some(Counting { meter, counters, filter }) = counting.as_mut() else { return Ok(()) };
        let now = Moment::new(host::time());
        meter.reserve(outbound, translated, bare, when_limited, now, counters)?;
        if outbound.hides_usage {
            filter.get_or_insert_default();
        }
        Ok(())
    }

    /// Asks for the usage of a stream in the body of a request that is translated, if it is counted and
    /// does not ask itself.
    ///
    /// # Errors
    /// [`Error::InvalidBody`] for ambiguous options.
    pub(crate) fn ask_for_usage(&self, path: &str, body: Vec<u8>) -> Result<Vec<u8>, Error> {
        let mut counting = self.0.borrow_mut();
        let Some(Counting { filter, .. }) = counting.as_mut() else { return Ok(body) };
        // An invalid body is rejected by the translator, which says more about it.
        let is_stream =
            stream_options::applies_to(path) && probe(&body).is_ok_and(|probe| probe.is_stream);
        let edited = if is_stream { stream_options::include_usage(&body)? } else { None };
        Ok(edited.map_or(body, |edited| {
            filter.get_or_insert_default();
            edited
        }))
    }

    /// Notes the head of the upstream's response.
    pub(crate) fn note_head(&self, status: StatusCode, headers: &Headers) {
        if let Some(counting) = self.0.borrow_mut().as_mut() {
            counting.meter.note_head(status, headers);
        }
    }

    /// Checks whether a response with these headers has to be read on its way.
    pub(crate) fn reads(&self, headers: &Headers) -> bool {
        let counting = self.0.borrow();
        headers.is_text() && counting.as_ref().is_some_and(|counting| counting.meter.observes())
    }

    /// Checks whether bytes of the response may be taken out.
    pub(crate) fn edits(&self) -> bool {
        self.0.borrow().as_ref().is_some_and(|counting| counting.filter.is_some())
    }

    /// Takes the next bytes of the response, and returns those that the client gets.
    pub(crate) fn push(&self, bytes: Vec<u8>) -> Vec<u8> {
        let mut counting = self.0.borrow_mut();
        let Some(Counting { meter, counters, filter }) = counting.as_mut() else { return bytes };
        meter.observe(&bytes, counters);
        match filter {
            Some(filter) => filter.push(&bytes),
            None => bytes,
        }
    }

    /// Ends the response and returns the bytes that were held back.
    pub(crate) fn finish(&self) -> Vec<u8> {
        let mut counting = self.0.borrow_mut();
        let filter = counting.as_mut().and_then(|counting| counting.filter.as_mut());
        filter.map(UsageChunkFilter::finish).unwrap_or_default()
    }

    /// Prepares a response: adds the headers about rates, and reads a body that is known as a whole.
    pub(crate) fn prepare<S>(&self, mut sent: Sent<S>) -> Sent<S> {
        if !self.is_counting() {
            return sent;
        }
        let rates = self.0.borrow().as_ref().map(|counting| counting.meter.rates());
        let headers = match &mut sent {
            Sent::Whole(response) => {
                if self.reads(&response.headers) {
                    let mut body = self.push(std::mem::take(&mut response.body));
                    body.append(&mut self.finish());
                    let headers = std::mem::take(&mut response.headers);
                    *response = Response::passed(response.status, headers, body);
                }
                &mut response.headers
            }
            Sent::Stream(response) => &mut response.headers,
        };
        rates.unwrap_or_default().add_headers(headers);
        sent
    }

    /// Returns when the request was counted as one, if it was.
    pub(crate) fn counted_at(&self) -> Option<Moment> {
        self.0.borrow().as_ref()?.meter.counted_at()
    }

    /// Settles the request, whose response `is_complete` or was broken off, and notes in `entry` what it has
    /// used. Does nothing the second time.
    pub(crate) fn settle(&self, is_complete: bool, entry: &mut Entry) {
        if let Some(Counting { meter, counters, .. }) = self.0.take() {
            let now = Moment::new(host::time());
            let last_used = meter.settle(is_complete, now, &counters, entry);
            if let Some((key, day)) = last_used {
                // It is only shown, so a failure changes nothing.
                let _ = SpinStore::default().set(&key, day.as_bytes());
            }
        }
    }
}

/// Returns how `outbound`, a request of `team`, is served after the end of a budget that leads to the models
/// of limited teams: if the team is limited already, only with a model that the operator has chosen.
pub(crate) fn when_limited(
    provider: &str,
    team: &Team,
    models: &LimitedModels,
    outbound: &Outbound,
    bare: fn(&str) -> &str,
) -> WhenLimited {
    if !team.limited {
        return WhenLimited::Ask;
    }
    let named = outbound.original_model.as_deref().map(bare);
    let is_chosen =
        |model| models.is_choice(model) || models.substitute(team, provider, model).is_some();
    if named.is_some_and(is_chosen) { WhenLimited::Serve } else { WhenLimited::Refuse }
}

/// Returns the team as a limited one, and the models of limited teams.
pub(crate) fn limited(team: &Team) -> Result<(Team, LimitedModels), Error> {
    let team = team.as_limited();
    let models = host::limited_models(&team)?;
    Ok((team, models))
}
