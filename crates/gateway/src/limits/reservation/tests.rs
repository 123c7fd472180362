use std::sync::atomic::Ordering;

use super::*;
use crate::Team;
use crate::error::Cause;
use crate::keys::team::tests::team;
use crate::limits::counters::tests::Memory;
use crate::limits::prices::Prices;
use crate::limits::rules::{Limits, Window};

/// 2026-11-28T12:00:30Z.
const AT: Moment = Moment { millis: 1_795_867_230_000 };

fn account(key: Limits, of_team: Option<Limits>) -> Account {
    Account::new(&Team { limits: Some(key), ..team("blue") }, of_team)
}

fn budget(unit: Unit, amount: i64, on_exceeded: OnExceeded) -> Limits {
    let budget = Budget { unit, amount, window: Window::Month, on_exceeded };
    Limits { budgets: vec![budget], ..Limits::default() }
}

fn tokens(amount: i64) -> Limits {
    budget(Unit::Tokens, amount, OnExceeded::Block)
}

fn demand(input: i64, output: i64) -> Demand<'static> {
    Demand { estimate: Some(Estimate { input, output }), model: Some("m"), ..Demand::default() }
}

fn usage(input: i64, output: i64) -> Usage {
    Usage { input, output, ..Usage::default() }
}

fn price() -> Price {
    let prices = Prices::parse(r#"{"*":{"input":"1","output":"2"}}"#).unwrap();
    prices.of("a", &["b"]).unwrap()
}

fn refusal(denied: Denied) -> Error {
    match denied {
        Denied::Refused(error) => error,
        Denied::Limited => panic!("served by the models of limited teams"),
    }
}

/// Returns the counters of budgets, by the ends of their names.
fn budgets(counters: &Memory) -> Vec<i64> {
    let values = counters.values().into_iter();
    values.filter(|(name, _)| name.starts_with("n:b:")).map(|(_, value)| value).collect()
}

#[test]
fn reserve_compares_with_what_others_use() {
    let (counters, account) = (Memory::default(), account(tokens(100), None));
    // The most that the requests may use together is far beyond the budget, but 1 % of it is used.
    let first = account.reserve(&demand(1, 0), AT, &counters).unwrap();
    first.settle(&usage(1, 0), None, AT, &counters);
    let second = account.reserve(&demand(10, 90), AT, &counters).unwrap();
    let refused = account.reserve(&demand(1, 0), AT, &counters).unwrap_err();
    assert_eq!(
        refusal(refused).to_string(),
        "budget used up: this key may use 100 tokens per month and has used 101 tokens; \
         it starts again at 2026-12-01T00:00:00Z"
    );
    second.settle(&usage(10, 5), None, AT, &counters);
    assert_eq!(budgets(&counters), [16]);
    account.reserve(&demand(1, 0), AT, &counters).unwrap();
}

#[test]
fn request_that_can_never_fit_is_refused_for_its_size() {
    let (counters, account) = (Memory::default(), account(tokens(100), None));
    let refused = refusal(account.reserve(&demand(10, 91), AT, &counters).unwrap_err());
    assert!(
        matches!(&refused, Error::QuotaExceeded { message, .. } if message.ends_with("lower max_tokens"))
    );
    assert_eq!(counters.values(), []);
}

#[test]
fn budget_in_dollars_needs_a_price() {
    for (on_exceeded, is_refused) in
        [(OnExceeded::Block, true), (OnExceeded::Limit, true), (OnExceeded::Audit, false)]
    {
        let (counters, account) =
            (Memory::default(), account(budget(Unit::Usd, 1_000_000, on_exceeded), None));
        let outcome = account.reserve(&demand(1, 1), AT, &counters);
        assert_eq!(outcome.is_err(), is_refused, "{on_exceeded:?}");
        if let Err(denied) = outcome {
            assert!(matches!(refusal(denied), Error::ModelNotPriced { word: "key", .. }));
        }
        let priced = Demand { price: Some(price()), ..demand(100, 200) };
        let reserved = account.reserve(&priced, AT, &counters).unwrap();
        assert_eq!(budgets(&counters), [500_000]);
        let settled = reserved.settle(&usage(100, 20), None, AT, &counters);
        let (cost, unsettled) = (settled.cost, settled.unsettled);
        assert_eq!((cost, unsettled), (Some(Usd(140_000)), vec![]));
        assert_eq!(budgets(&counters), [140_000]);
    }
}

#[test]
fn end_of_a_budget_has_three_outcomes() {
    let counters = Memory::default();
    for on_exceeded in [OnExceeded::Block, OnExceeded::Limit, OnExceeded::Audit] {
        let account = account(budget(Unit::Tokens, 10, on_exceeded), None);
        if on_exceeded == OnExceeded::Block {
            account.reserve(&demand(10, 0), AT, &counters).unwrap();
        }
        let with = |when_limited| Demand { when_limited, ..demand(1, 0) };
        let ask = account.reserve(&with(WhenLimited::Ask), AT, &counters);
        let serve = account.reserve(&with(WhenLimited::Serve), AT, &counters);
        let refuse = account.reserve(&with(WhenLimited::Refuse), AT, &counters);
        match on_exceeded {
            OnExceeded::Block => {
                for denied in [ask, serve, refuse] {
                    assert!(matches!(refusal(denied.unwrap_err()), Error::QuotaExceeded { .. }));
                }
            }
            OnExceeded::Limit => {
                assert!(matches!(ask.unwrap_err(), Denied::Limited));
                assert_eq!(serve.unwrap().exceeded.as_deref(), Some("key tokens/month"));
                assert!(matches!(refusal(refuse.unwrap_err()), Error::QuotaExceeded { .. }));
            }
            OnExceeded::Audit => {
                for served in [ask, serve, refuse] {
                    assert_eq!(served.unwrap().exceeded.as_deref(), Some("key tokens/month"));
                }
            }
        }
    }
    // 10 reserved first, then one each of the four that were served.
    assert_eq!(budgets(&counters), [14]);
}

#[test]
fn budgets_of_one_window_count_a_request_once() {
    let soft = budget(Unit::Tokens, 10, OnExceeded::Audit).budgets.remove(0);
    let hard = budget(Unit::Tokens, 20, OnExceeded::Block).budgets.remove(0);
    let limits = Limits { budgets: vec![soft, hard], ..Limits::default() };
    let (counters, account) = (Memory::default(), account(limits, None));
    for (exceeded, total) in [(None, 7), (None, 14), (Some("key tokens/month"), 21)] {
        let served = account.reserve(&demand(7, 0), AT, &counters).unwrap();
        served.settle(&usage(7, 0), None, AT, &counters);
        assert_eq!((served.exceeded.as_deref(), budgets(&counters)), (exceeded, vec![total]));
    }
    refusal(account.reserve(&demand(7, 0), AT, &counters).unwrap_err());
    assert_eq!(budgets(&counters), [21]);
}

#[test]
fn reached_rate_says_when_to_try_again() {
    let limits = Limits { requests_per_minute: Some(2), ..Limits::default() };
    let (counters, account) = (Memory::default(), account(limits, None));
    let rates: Vec<_> = (0..2)
        .map(|_| account.reserve(&Demand::default(), AT, &counters).unwrap().rates.requests)
        .collect();
    let rate = |remaining| Some(Rate { limit: 2, remaining, reset_ms: 90_000 });
    assert_eq!(rates, [rate(1), rate(0)]);
    for _ in 0..3 {
        let refused = refusal(account.reserve(&demand(1, 1), AT, &counters).unwrap_err());
        let Error::RateLimited(limit) = refused else { panic!("{refused:?}") };
        assert_eq!((limit.kind, limit.retry_ms), ("requests", 30_001));
        assert_eq!(
            limit.message,
            "rate limit reached: this key may send 2 requests per minute and has used 2; try again in 31 s"
        );
    }
    let later = Moment { millis: AT.millis + 30_001 };
    assert!(
        account.reserve(&demand(1, 1), later, &counters).is_ok(),
        "refused ones are not counted"
    );
}

#[test]
fn refused_request_returns_what_it_has_reserved() {
    let limits = Limits {
        requests_per_minute: Some(10),
        parallel_requests: Some(1),
        tokens_per_minute: Some(1000),
        ..tokens(1000)
    };
    let (counters, account) = (Memory::default(), account(limits, Some(tokens(50))));
    let refused = refusal(account.reserve(&demand(1, 100), AT, &counters).unwrap_err());
    assert!(refused.to_string().contains("this team"), "{refused}");
    // The place in flight is free again, and the request counts as one.
    let served = account.reserve(&demand(1, 10), AT, &counters).unwrap();
    assert_eq!(served.rates.requests.unwrap().remaining, 8);
    assert_eq!(served.rates.tokens.unwrap().remaining, 989);
    let refused = refusal(account.reserve(&demand(1, 10), AT, &counters).unwrap_err());
    assert!(matches!(&refused, Error::RateLimited(limit) if limit.message.contains("in flight")));
    served.settle(&usage(3, 4), None, AT, &counters);
    assert_eq!(budgets(&counters), [7, 7], "of the key and of the team");
    assert!(account.reserve(&demand(1, 10), AT, &counters).is_ok());
}

#[test]
fn request_without_a_model_uses_no_tokens() {
    let limits = Limits { tokens_per_minute: Some(1), ..tokens(1) };
    let (counters, account) = (Memory::default(), account(limits, None));
    account.reserve(&demand(1, 0), AT, &counters).unwrap();
    let reserved = account.reserve(&Demand::default(), AT, &counters).unwrap();
    reserved.settle(&Usage::default(), None, AT, &counters);
    assert_eq!(budgets(&counters), [1]);
}

#[test]
fn settle_counts_every_metric_of_the_key() {
    let (counters, account) = (Memory::default(), Account::new(&team("blue"), None));
    let used = Usage { input: 100, output: 10, cached: 40, cache_write: 20, reasoning: 5 };
    for _ in 0..2 {
        let reserved = account.reserve(&demand(1, 1), AT, &counters).unwrap();
        reserved.settle(&used, Some(price()), AT, &counters);
    }
    let counted = Metric::ALL.map(|metric| {
        let name = account.usage().counter("20261128", metric);
        counters.increment(&name, 0).unwrap()
    });
    assert_eq!(counted, [2, 200, 20, 80, 40, 10, 240_000]);
}

#[test]
fn extend_reserves_what_a_long_response_has_used() {
    let (counters, account) = (Memory::default(), account(tokens(10_000), None));
    let mut reserved = account.reserve(&demand(10, 100), AT, &counters).unwrap();
    let mut increments = counters.increments.load(Ordering::SeqCst);
    for (seen, expected, costs) in
        [(50, 110, 0), (100, 110, 0), (101, 212, 1), (150, 212, 0), (900, 1810, 1)]
    {
        reserved.extend(seen, &counters).unwrap();
        let count = counters.increments.load(Ordering::SeqCst);
        assert_eq!((budgets(&counters), count - increments), (vec![expected], costs), "{seen}");
        increments = count;
    }
    reserved.settle(&usage(10, 901), None, AT, &counters);
    assert_eq!(budgets(&counters), [911]);
}

#[test]
fn failing_store_admits_nothing() {
    let limits = Limits { requests_per_minute: Some(5), parallel_requests: Some(5), ..tokens(100) };
    let account = account(limits, None);
    for steps in 1..=5 {
        let counters = Memory::default();
        counters.fails_after.store(steps, Ordering::SeqCst);
        let outcome = account.reserve(&demand(1, 1), AT, &counters);
        match outcome {
            Ok(_) => panic!("{steps}"),
            Err(denied) => assert!(matches!(refusal(denied), Error::StoreUnavailable(Cause(_)))),
        }
    }
}

#[test]
fn settle_reports_what_it_could_not_settle() {
    let (counters, account) = (Memory::default(), account(tokens(100), None));
    let reserved = account.reserve(&demand(1, 50), AT, &counters).unwrap();
    counters.fails_after.store(1, Ordering::SeqCst);
    let unsettled = reserved.settle(&usage(3, 4), None, AT, &counters).unsettled;
    assert_eq!(unsettled.first(), Some(&("key tokens/month".to_owned(), -44)));
    assert_eq!(unsettled.len(), 4, "and its requests, input and output: {unsettled:?}");
    counters.fails_after.store(0, Ordering::SeqCst);
    assert_eq!(budgets(&counters), [51], "the reservation stands");
}

#[test]
fn requests_at_once_exceed_a_budget_by_at_most_one() {
    for round in 0..20 {
        let (counters, account) = (Memory::default(), account(tokens(200 + round), None));
        let served = std::sync::atomic::AtomicI64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..8 {
                        if let Ok(reserved) = account.reserve(&demand(5, 5), AT, &counters) {
                            served.fetch_add(1, Ordering::SeqCst);
                            reserved.settle(&usage(5, 5), None, AT, &counters);
                        }
                    }
                });
            }
        });
        let served = served.load(Ordering::SeqCst);
        assert_eq!(served, (200 + round + 9) / 10, "{round}");
        assert_eq!(budgets(&counters), [10 * served]);
    }
}
