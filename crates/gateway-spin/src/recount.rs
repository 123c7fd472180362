//! Counting a request once, whatever number of components it was sent to.

use gateway::limits::account::{Account, Counted};
use gateway::limits::period::Moment;
use gateway::log::Entry;
use gateway::router::counted_at;
use gateway::{Error, Headers, Team};

use crate::counters::SpinCounters;
use crate::store::SpinStore;

/// The attempts of a request of `team`, each of which its component has counted.
pub(crate) struct Recount<'a> {
    team: Option<&'a Team>,
    /// When the attempt was counted that was taken out again, until a later one is counted.
    taken_out: Option<Moment>,
}

impl<'a> Recount<'a> {
    pub(crate) fn new(team: Option<&'a Team>) -> Self {
        Self { team, taken_out: None }
    }

    /// Takes out the attempt whose response has these `headers`, before another one is made: its own
    /// reservation must not refuse it.
    pub(crate) fn take_out(&mut self, headers: &Headers, entry: &mut Entry) {
        if let Some(at) = counted_at(headers) {
            self.correct(at, -1, entry);
            self.taken_out = Some(at);
        }
    }

    /// Ends with an attempt whose response has these `headers`, or has none. Without a count of its own, the
    /// attempt that was taken out counts.
    pub(crate) fn end(self, headers: Option<&Headers>, entry: &mut Entry) {
        let is_counted = headers.and_then(counted_at).is_some();
        if let (Some(at), false) = (self.taken_out, is_counted) {
            self.correct(at, 1, entry);
        }
    }

    fn correct(&self, at: Moment, delta: i64, entry: &mut Entry) {
        if let Some(team) = self.team
            && correct(team, at, delta).is_err()
        {
            entry.note_unsettled(&format!("requests {delta}"));
        }
    }
}

fn correct(team: &Team, at: Moment, delta: i64) -> Result<(), Error> {
    let account = Account::find(team, Counted::All, &SpinStore::default())?;
    let counters = SpinCounters::default();
    account.map_or(Ok(()), |account| account.correct_requests(at, delta, &counters))
}
