//! `cargo xtask bench`: throughput and latency of the gateway, as ratios within one run.
//!
//! Four paths to the same simulated AI Gateway are measured in turn, round after round: direct,
//! through a bare pass-through component (the baseline), through that component with one read of the
//! store and one log line, as any gateway with keys has (keyed), and through the gateway. Client, host
//! and upstream share the cores of one machine, so ratios are more meaningful than absolute numbers.

mod chart;
mod compared;
mod counting;
mod environment;
mod facts;
mod load;
mod report;
mod routed;
mod scenarios;
mod table;

use anyhow::{Result, ensure};
use clap::Parser;
use gateway_host::simulator::TOKEN;
use support::client::Draft;
use support::{App, Client, Config, memory, run};

use crate::facts::Facts;
use crate::load::{Load, Sample};
use crate::scenarios::Scenario;
use crate::table::Row;

/// Compares the gateway with two bare pass-through components and with direct requests.
#[derive(Parser)]
struct Options {
    /// Duration of each measurement, in seconds.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// Number of rounds; each measures every path once.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Run only the scenarios with this name; `counting` measures the cost of limits, `v1` that of the
    /// one base URL, and `environment` that of variables in the environment.
    #[arg(long)]
    only: Option<String>,
    /// Write docs/benchmarks.md and docs/benchmarks.svg.
    #[arg(long, conflicts_with = "only")]
    report: bool,
}

/// The comparisons that are no scenarios.
const COMPARISONS: [&str; 3] = ["counting", "v1", "environment"];

impl Options {
    /// Checks that there is something to run.
    fn check(&self) -> Result<()> {
        let Some(only) = &self.only else { return Ok(()) };
        let mut names: Vec<&str> = scenarios::all().iter().map(|scenario| scenario.name).collect();
        names.dedup();
        names.extend(COMPARISONS);
        ensure!(
            names.contains(&only.as_str()),
            "--only {only}: choose one of {}",
            names.join(", ")
        );
        Ok(())
    }
}

/// A path to the upstream.
struct Target {
    name: &'static str,
    client: Client,
    /// Whether requests are written for the gateway, or for the AI Gateway behind it.
    is_gateway: bool,
    credential: (&'static str, String),
}

/// The measurements of one scenario: direct, through both baselines, through the gateway.
struct Measured {
    scenario: Scenario,
    rows: [Row; 4],
}

fn main() -> Result<()> {
    let options = Options::parse();
    options.check()?;
    run(async {
        let gateway = App::start(Config::default()).await?;
        let baseline = start_guest(&gateway, "baseline").await?;
        let keyed = start_guest(&gateway, "keyed").await?;
        let targets = targets(&gateway, &baseline, &keyed).await?;
        let mut facts = Facts::gather()?;
        if options.report {
            facts.stages = measure_stages(&options, &gateway).await?;
        }
        let is_wanted = |name| options.only.as_deref().is_none_or(|only| only == name);
        let mut all = Vec::new();
        for scenario in scenarios::all().into_iter().filter(|scenario| is_wanted(scenario.name)) {
            let (measured, peak) = memory::peak_during(measure(&options, scenario, &targets)).await;
            let measured = measured?;
            facts.note_memory(measured.scenario.name, peak);
            table::print(&measured.rows);
            all.push(measured);
        }
        if options.report || is_wanted("counting") {
            facts.counting = counting::measure(&options).await?;
        }
        if options.report || is_wanted("v1") {
            facts.routed = routed::measure(&options, &gateway).await?;
        }
        if options.report || is_wanted("environment") {
            facts.environment = environment::measure(&options, &gateway).await?;
        }
        if options.report { report::write(&options, &facts, &all) } else { Ok(()) }
    })
}

async fn start_guest(gateway: &App, name: &str) -> Result<App> {
    let config = Config::default()
        .manifest(&format!("tests/guests/{name}/spin.toml"))
        .with("upstream", &gateway.upstream.to_string());
    App::start(config).await
}

async fn targets(gateway: &App, baseline: &App, keyed: &App) -> Result<[Target; 4]> {
    let key = gateway.key("bench").await?;
    let operator = ("cf-aig-authorization", format!("Bearer {TOKEN}"));
    let target = |name, client, credential| Target { name, client, is_gateway: false, credential };
    Ok([
        target("direct", Client::new(gateway.upstream), operator.clone()),
        target("baseline", baseline.client(), operator.clone()),
        target("keyed", keyed.client(), operator),
        Target {
            is_gateway: true,
            ..target("gateway", gateway.client(), ("authorization", format!("Bearer {key}")))
        },
    ])
}

/// Measures all targets in turn, so that other load on the machine affects all of them alike.
async fn measure(options: &Options, scenario: Scenario, targets: &[Target; 4]) -> Result<Measured> {
    let mut samples: [Sample; 4] = Default::default();
    for _ in 0..options.rounds {
        for (target, sample) in targets.iter().zip(&mut samples) {
            let load = Load {
                client: target.client,
                connections: scenario.connections,
                seconds: options.seconds,
                status: 200,
            };
            sample.add(load.run(|| scenario.request(target)).await?);
        }
    }
    let mut names = targets.iter().map(|target| target.name);
    let rows = samples.map(|sample| Row {
        scenario: scenario.name,
        connections: scenario.connections,
        target: names.next().unwrap_or_default(),
        sample,
    });
    Ok(Measured { scenario, rows })
}

/// Measures the milliseconds of requests that end at later and later stages of the gateway.
async fn measure_stages(options: &Options, gateway: &App) -> Result<Vec<(&'static str, f64)>> {
    let key = gateway.key("bench").await?;
    let unknown = format!("sk_{}", "0".repeat(64));
    let list = || Client::request("GET", "/openai/models");
    let broken = || Client::request("POST", "/openai/chat/completions").body("{").key(&key);
    Ok(vec![
        (NO_KEY, stage(options, gateway, 401, list).await?),
        (UNKNOWN_KEY, stage(options, gateway, 401, || list().key(&unknown)).await?),
        (
            NO_JSON,
            stage(options, gateway, 400, || broken().header("content-type", "application/json"))
                .await?,
        ),
    ])
}

const NO_KEY: &str = "no key: a new instance reads the request headers, responds and logs";
const UNKNOWN_KEY: &str = "an unknown key: its hash, and a read of the store";
const NO_JSON: &str = "a body that is not JSON: settings, the team, and the body";

async fn stage(
    options: &Options,
    gateway: &App,
    status: u16,
    draft: impl Fn() -> Draft,
) -> Result<f64> {
    let Options { seconds, rounds, .. } = *options;
    let load = Load { client: gateway.client(), connections: 1, seconds, status };
    let mut sample = Sample::default();
    for _ in 0..rounds {
        sample.add(load.run(&draft).await?);
    }
    Ok(sample.total(50))
}
