//! `cargo xtask bench`: what the gateway costs, as ratios in one run.
//!
//! Three ways to the same simulated AI Gateway are measured in turn, round after round: directly,
//! through the floor guest, and through the gateway. Client, host and upstream share this machine's
//! cores, so the ratios say more than the numbers.

mod load;
mod table;

use anyhow::Result;
use clap::Parser;
use gateway_host::simulator::{BASE_PATH, TOKEN};
use support::client::Draft;
use support::{App, Client, Config, run};

use crate::load::{Load, Sample};
use crate::table::Row;

/// Measures the gateway against the floor guest and against no gateway.
#[derive(Parser)]
struct Options {
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// Rounds; each measures every target once, in turn.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Only the scenarios of this name.
    #[arg(long)]
    only: Option<String>,
}

/// One kind of traffic.
#[derive(Clone, Copy)]
struct Scenario {
    name: &'static str,
    connections: usize,
    /// The path on the gateway, and the one below the AI Gateway's base that it leads to.
    paths: (&'static str, &'static str),
    body: &'static str,
    simulate: &'static str,
}

const PLAIN: &str = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}"#;
const STREAM: &str =
    r#"{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}"#;
/// The same, as compat wants it: the gateway adds the prefix where a client does not.
const PREFIXED: &str =
    r#"{"model":"google-ai-studio/g","messages":[{"role":"user","content":"hello"}]}"#;

const OPENAI: (&str, &str) = ("/openai/chat/completions", "/openai/chat/completions");
const ANTHROPIC: (&str, &str) = ("/anthropic/chat/completions", "/anthropic/v1/chat/completions");
const GOOGLE: (&str, &str) = ("/google/chat/completions", "/compat/chat/completions");
const AZURE: (&str, &str) = (
    "/azure/chat/completions",
    "/azure-openai/simulated-resource/gpt-4o/chat/completions?api-version=2024-10-21",
);
const WORKERS_AI: (&str, &str) =
    ("/workers-ai/chat/completions", "/workers-ai/v1/chat/completions");

const SCENARIOS: [Scenario; 12] = [
    scenario("openai", 1, OPENAI, PLAIN),
    scenario("openai", 16, OPENAI, PLAIN),
    stream(1),
    stream(16),
    scenario("anthropic", 1, ANTHROPIC, PLAIN),
    scenario("anthropic", 16, ANTHROPIC, PLAIN),
    scenario("google", 1, GOOGLE, PREFIXED),
    scenario("google", 16, GOOGLE, PREFIXED),
    scenario("azure", 1, AZURE, PLAIN),
    scenario("azure", 16, AZURE, PLAIN),
    scenario("workers-ai", 1, WORKERS_AI, PLAIN),
    scenario("workers-ai", 16, WORKERS_AI, PLAIN),
];

const fn scenario(
    name: &'static str,
    connections: usize,
    paths: (&'static str, &'static str),
    body: &'static str,
) -> Scenario {
    Scenario { name, connections, paths, body, simulate: "" }
}

const fn stream(connections: usize) -> Scenario {
    let name = "stream";
    Scenario { name, connections, paths: OPENAI, body: STREAM, simulate: "chunks=50" }
}

/// A way to the upstream.
struct Target {
    name: &'static str,
    client: Client,
    /// Whether it is reached by the gateway's own paths.
    is_gateway: bool,
    credential: (&'static str, String),
}

fn main() -> Result<()> {
    let options = Options::parse();
    run(async {
        let gateway = App::start(Config::default()).await?;
        let floor = Config::default()
            .manifest("tests/guests/floor/spin.toml")
            .with("upstream", &gateway.upstream.to_string());
        let floor = App::start(floor).await?;
        let key = gateway.key("bench").await?;

        let operator = ("cf-aig-authorization", format!("Bearer {TOKEN}"));
        let targets = [
            Target {
                name: "direct",
                client: Client::new(gateway.upstream),
                is_gateway: false,
                credential: operator.clone(),
            },
            Target {
                name: "floor",
                client: floor.client(),
                is_gateway: false,
                credential: operator,
            },
            Target {
                name: "gateway",
                client: gateway.client(),
                is_gateway: true,
                credential: ("authorization", format!("Bearer {key}")),
            },
        ];
        let is_wanted = |name| options.only.as_deref().is_none_or(|only| only == name);
        for scenario in SCENARIOS.into_iter().filter(|scenario| is_wanted(scenario.name)) {
            table::print(&measure(&options, scenario, &targets).await?);
        }
        Ok(())
    })
}

/// Measures all targets in turn, so that whatever the machine does meets all of them.
async fn measure(options: &Options, scenario: Scenario, targets: &[Target]) -> Result<Vec<Row>> {
    let mut samples: Vec<Sample> = targets.iter().map(|_| Sample::default()).collect();
    for _ in 0..options.rounds {
        for (target, sample) in targets.iter().zip(&mut samples) {
            let load = Load {
                client: target.client,
                connections: scenario.connections,
                seconds: options.seconds,
            };
            sample.add(load.run(|| request(scenario, target)).await?);
        }
    }
    let rows = targets.iter().zip(samples).map(|(target, sample)| Row {
        scenario: scenario.name,
        connections: scenario.connections,
        target: target.name,
        sample,
    });
    Ok(rows.collect())
}

/// The same request for every target; what only one of them needs does no harm to the others.
fn request(scenario: Scenario, target: &Target) -> Draft {
    let (own, native) = scenario.paths;
    let is_direct_workers_ai = !target.is_gateway && native.starts_with("/workers-ai");
    let path = if target.is_gateway { own.to_owned() } else { format!("{BASE_PATH}{native}") };
    let draft = Client::request("POST", &path);
    let draft = if is_direct_workers_ai {
        draft.header("authorization", format!("Bearer {TOKEN}"))
    } else {
        draft
    };
    draft
        .header("content-type", "application/json")
        .header("accept-encoding", "identity")
        .header("cf-aig-metadata", r#"{"team_id":"bench","key_id":"bench"}"#)
        .header("x-simulate", scenario.simulate)
        .header(target.credential.0, &target.credential.1)
        .body(scenario.body)
}
