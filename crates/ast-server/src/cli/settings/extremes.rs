//! Tests every flag and every configuration key at 0, at 1 and at its largest value: each works, or
//! is refused with a reason.

use std::path::Path;

use ast_server::{AstServer, EventSender, Service};
use clap::{CommandFactory, Parser};
use live_set::generate::Spec;
use tachograph::MetricsCollector;
use tachograph_serve::Endpoint;

use super::{Failure, Settings};
use crate::cli::serve::{self, Serve};
use crate::cli::{Cli, Command, alerts, log, viewer};

/// The expected effect of a value.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// A viewer is sent the tree, and the change of an event.
    Works,
    /// The server runs, but lets no viewer in or sends it nothing.
    Runs,
    /// Refused with a reason that contains these words.
    Refused(&'static str),
}
use Fate::{Refused, Runs, Works};

type Row = (&'static str, &'static [(&'static str, Fate)]);

/// The greatest number that TOML has.
const MOST: &str = "9223372036854775807";
const U32: &str = "4294967295";
const BEYOND: &str = "9223372036854775808";
const FROM_0: Fate = Refused("a whole number from 0 to 9223372036854775807");
const FROM_1: Fate = Refused("a whole number from 1 to ");
const NO_ADDRESS: Fate = Refused("expected an IP address and a port");
const NO_BOOL: Fate = Refused("possible values: true, false");

/// The flags of `serve`, except `--config` and `--check`; configuration keys have the same names.
/// Files are named by a number here: no such file exists.
const SERVE: &[Row] = &[
    ("set", &[("0", Refused("cannot open"))]),
    ("sets", &[("0", Refused("cannot load sets from"))]),
    ("udp", &[("0", NO_ADDRESS), ("127.0.0.1:0", Works), ("127.0.0.1:65536", NO_ADDRESS)]),
    ("ws", &[("0", NO_ADDRESS), ("127.0.0.1:0", Works), ("127.0.0.1:65536", NO_ADDRESS)]),
    ("http", &[("0", NO_ADDRESS), ("127.0.0.1:0", Works), ("127.0.0.1:65536", NO_ADDRESS)]),
    ("http-certificate-file", &[("0", Refused("--http-key-file"))]),
    ("http-key-file", &[("0", Refused("--http-certificate-file"))]),
    ("metrics-token-file", &[("0", Refused("cannot take the token"))]),
    ("allow-host", &[("0", Works), ("1", Works), ("", Refused("host"))]),
    ("watch", &[("0", NO_BOOL), ("false", Works), ("true", Works)]),
    ("metrics", &[("0", NO_BOOL), ("false", Runs), ("true", Works)]),
    ("cache-entries", &[("0", Works), ("1", Works), (MOST, Works), (BEYOND, FROM_0)]),
    ("max-clients", &[("0", Runs), ("1", Works), (MOST, Works), (BEYOND, FROM_0)]),
    ("client-queue", &[("0", Works), ("1", Works), (MOST, Works), (BEYOND, FROM_0)]),
    ("client-queue-bytes", &[("0", Works), ("1", Works), (MOST, Works), (BEYOND, FROM_0)]),
    ("clients-bytes", &[("0", Runs), ("1", Runs), (MOST, Works), (BEYOND, FROM_0)]),
    ("evict-after", &[("0", Runs), ("1", Works), (MOST, Works), (BEYOND, FROM_0)]),
    ("ping-every", &[("0", FROM_1), ("1", Works), (MOST, Works), (BEYOND, FROM_1)]),
    ("ping-timeout", &[("0", FROM_1), ("1", Works), (MOST, Works), (BEYOND, FROM_1)]),
    ("answers-bytes", &[("0", Works), ("1", Works), (MOST, Works), (BEYOND, FROM_0)]),
    ("log-level", &[("off", Works), ("trace", Works), ("inof", Refused("\"inof\" is no level"))]),
    ("log-format", &[("0", Refused("possible values: text, json")), ("json", Works)]),
    ("otlp-url", &[("0", Refused("cannot push to")), ("http://127.0.0.1:1", Works)]),
    ("otlp-every", &[("0", FROM_1), ("1", Works), (U32, Works), ("4294967296", FROM_1)]),
    ("otlp-delta", &[("", Works)]),
    ("otlp-headers-file", &[("0", Refused("cannot take headers"))]),
    ("otlp-authorities-file", &[("0", Refused("tls"))]),
    (
        "record",
        &[
            ("/dev/null", Refused("no plain file")),
            ("/no/such/folder/run.jsonl", Refused("cannot record to")),
        ],
    ),
    ("alerts", &[("no-rules.toml", Refused("cannot read the rules"))]),
    ("alertmanager", &[("nothing", Refused("nothing")), ("http://127.0.0.1:1", Works)]),
    ("alert-webhook", &[("nothing", Refused("nothing")), ("http://127.0.0.1:1/hook", Works)]),
];

/// The flags of the other commands. Their values are checked only by the command line or by the
/// commands' own tests: `tests/cli.rs` and `tests/deploy.rs` run them.
const OTHERS: &[(&str, Row)] = &[
    ("demo", ("events", &[("0", Runs), ("1", Runs), (MOST, Runs), (BEYOND, FROM_0)])),
    ("demo", ("rate", &[("0", FROM_1), ("1", Runs), (MOST, Runs)])),
    ("demo", ("json", &[("", Runs)])),
    ("demo", ("keep_running", &[("", Runs)])),
    ("demo", ("record", &[("0", Runs)])),
    (
        "demo",
        ("trouble", &[("0", Refused("possible values")), ("loss", Refused("--keep-running"))]),
    ),
    ("demo", ("alertmanager", &[("http://127.0.0.1:1", Runs)])),
    ("demo", ("udp", &[("0", NO_ADDRESS), ("127.0.0.1:0", Runs)])),
    ("demo", ("ws", &[("0", NO_ADDRESS), ("127.0.0.1:0", Runs)])),
    ("demo", ("http", &[("0", NO_ADDRESS), ("127.0.0.1:0", Runs)])),
    ("info", ("set", &[("0", Runs)])),
    ("tree", ("set", &[("0", Runs)])),
    ("diff", ("before", &[("0", Runs)])),
    ("diff", ("after", &[("0", Runs)])),
    ("deploy", ("folder", &[("0", Runs)])),
    (
        "deploy",
        (
            "target",
            &[
                ("0", Refused("a host and a port")),
                ("a:0", Refused("a host and a port")),
                ("a:1", Runs),
                ("a:65535", Runs),
                ("a:65536", Refused("a host and a port")),
            ],
        ),
    ),
    (
        "deploy",
        (
            "scrape_interval",
            &[
                ("0", Refused("at most 15m")),
                ("1", Refused("15s")),
                ("0s", Refused("at most 15m")),
                ("1ms", Runs),
                ("15m", Runs),
                ("16m", Refused("at most 15m")),
            ],
        ),
    ),
    ("deploy", ("alertmanager", &[("0", Refused("a host and a port")), ("a:1", Runs)])),
    ("deploy", ("metrics_token_file", &[("0", Runs)])),
    ("deploy", ("force", &[("", Runs)])),
];

#[test]
fn a_negative_number_is_refused_with_the_name_of_its_flag() {
    let flags = SERVE.iter().filter(|(_, values)| values.iter().any(|it| it.0 == "1"));
    let serve = flags.filter(|(flag, _)| *flag != "allow-host").map(|(flag, _)| ("serve", *flag));
    let rest = [("demo", "events"), ("demo", "rate"), ("deploy", "scrape-interval")];
    for (command, flag) in serve.chain(rest) {
        let flag = format!("--{flag}");
        let error = Cli::try_parse_from(["ast-server", command, &flag, "-1"]).expect_err(&flag);
        let told = error.to_string();
        assert!(told.contains(&format!("'-1' for '{flag} <")), "{told}");
        let range = ["from 0 to 9223372036854775807", "from 1 to ", "at least 1ms and at most 15m"];
        assert!(range.iter().any(|range| told.contains(range)), "{told}");
    }
}

/// The flags that clap knows for a command, without those that it adds itself.
fn flags(command: &str) -> Vec<String> {
    let mut cli = Cli::command();
    // Adds what clap generates.
    cli.build();
    let command = cli.find_subcommand(command).expect("a command");
    let ids = command.get_arguments().map(|it| it.get_id().to_string());
    ids.filter(|id| !["help", "version"].contains(&id.as_str())).collect()
}

fn sorted(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort();
    names
}

/// The keys that the configuration knows: it lists them when it is given another one.
fn keys() -> Vec<String> {
    let known = |text: &str| {
        let told = toml::from_str::<Settings>(text).expect_err("no such key").to_string();
        let (_, known) = told.split_once("expected one of ").expect("it names those it knows");
        let names = known.split('`').skip(1).step_by(2).map(ToOwned::to_owned);
        names.collect::<Vec<_>>()
    };
    let otlp = known("[otlp]\nnothing = 1").into_iter().map(|key| format!("otlp-{key}"));
    known("nothing = 1").into_iter().filter(|key| key != "otlp").chain(otlp).collect()
}

#[test]
fn no_flag_and_no_key_is_without_a_row() {
    let dashed = |id: &String| id.replace('_', "-");
    let rows = sorted(SERVE.iter().map(|(name, _)| (*name).to_owned()));
    let not_settings = ["config", "check"];
    let serve = flags("serve").into_iter().filter(|id| !not_settings.contains(&id.as_str()));
    assert_eq!(sorted(serve.map(|id| dashed(&id))), rows, "flags of `serve`");
    assert_eq!(sorted(keys()), rows, "keys of the configuration");
    for command in Cli::command().get_subcommands().map(|it| it.get_name().to_owned()) {
        if command != "serve" {
            let of_it = OTHERS.iter().filter(|(of, _)| *of == command);
            let rows = of_it.map(|(_, (name, _))| (*name).to_owned());
            assert_eq!(sorted(flags(&command)), sorted(rows), "flags of `{command}`");
        }
    }
}

/// Parses a command line with a flag at a value.
fn parse(command: &str, name: &str, value: &str) -> Result<Cli, Failure> {
    let mut words = vec!["ast-server".to_owned(), command.to_owned()];
    let positional = ["set", "before", "after", "folder"];
    let needed = match command {
        "diff" => 2,
        "info" | "tree" | "deploy" => 1,
        _ => 0,
    };
    let given = if value.is_empty() { "0" } else { value };
    words.extend((0..needed).map(|_| given.to_owned()));
    if needed == 0 && positional.contains(&name) {
        words.push(value.to_owned());
    } else if !positional.contains(&name) {
        let name = name.replace('_', "-");
        let is_switch = value.is_empty() && name != "allow-host";
        words.push(if is_switch { format!("--{name}") } else { format!("--{name}={value}") });
    }
    Ok(Cli::try_parse_from(words)?)
}

#[test]
fn flags_of_the_other_commands_are_taken_or_refused_with_a_reason() {
    for &(command, (name, values)) in OTHERS {
        for &(value, fate) in values {
            let parsed = parse(command, name, value).map_err(|it| it.to_string());
            match (fate, parsed) {
                (Refused(told), Err(reason)) => {
                    assert!(reason.contains(told), "{command} {name} {value:?}: {reason}");
                }
                (Works | Runs, Ok(_)) => {}
                (fate, parsed) => panic!("{command} {name} {value:?}: {fate:?}, {parsed:?}"),
            }
        }
    }
}

/// The settings from a command line.
fn from_flag(name: &str, value: &str) -> Result<Settings, Failure> {
    let Command::Serve(serve) = parse("serve", name, value)?.command else { unreachable!() };
    let Serve { settings, .. } = *serve;
    Ok(settings)
}

/// The same from a configuration: a bare value if it is a number or a flag, otherwise a string.
fn from_key(folder: &Path, name: &str, value: &str) -> Result<Settings, Failure> {
    let is_bare = value.parse::<u128>().is_ok() || ["true", "false"].contains(&value);
    let texts = ["file", "url", "set", "sets", "host", "udp", "ws", "http", "format", "level"];
    let is_bare = is_bare && !texts.iter().any(|kind| name.ends_with(kind));
    let value = match (name, is_bare) {
        ("allow-host", _) => format!("[{value:?}]"),
        ("otlp-delta", _) => "true".to_owned(),
        (_, true) => value.to_owned(),
        _ => format!("{value:?}"),
    };
    let text = match name.strip_prefix("otlp-") {
        Some(key) => format!("[otlp]\n{key} = {value}\n"),
        None => format!("{name} = {value}\n"),
    };
    let file = folder.join("server.toml");
    std::fs::write(&file, text)?;
    Settings::read(&file)
}

/// Serves with the settings; if they work, a viewer is sent the tree and an event's change.
async fn serve(settings: Settings, set: &Path, fate: Fate) -> Result<(), Failure> {
    let free = "127.0.0.1:0".parse().ok();
    let filled = Settings {
        set: Some(set.to_owned()),
        udp: free,
        ws: free,
        http: free,
        ..Settings::default()
    };
    let settings = settings.or(filled);
    log::filter(settings.log_level.as_deref(), "info")?;
    serve::check_folder(&settings)?;
    let server: AstServer = settings.builder().build();
    let endpoint = settings.set_up(Endpoint::new(server.metrics().clone()))?;
    let endpoint = endpoint.alerts(alerts::alerts(&settings)?);
    let nothing = MetricsCollector::builder().manual().build();
    settings.otlp.push(&nothing)?;
    server.load_project(settings.set.as_deref().expect("a set"))?;
    let service = Service::start_with(&server, settings.addresses(), endpoint).await?;
    if matches!(fate, Works) {
        let mut seen = viewer::connect(service.addresses().websocket).await?;
        seen.wait_for(|&seen| seen > 0).await?;
        let mut live = EventSender::connect(service.addresses().udp)?;
        live.send("/live/transport/play", &[true.into()])?;
        seen.wait_for(|&seen| seen > 1).await?;
        server.get_track(0)?;
    }
    service.stop().await;
    Ok(())
}

#[test]
fn settings_work_or_are_refused_with_a_reason_at_0_at_1_and_at_their_largest() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let set = folder.path().join("set.als");
    let spec = Spec { tracks: 1, scenes: 1, clips: 1, ..Spec::default() };
    spec.write_als(std::fs::File::create(&set).expect("a file")).expect("written");
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    for &(name, values) in SERVE {
        for &(value, fate) in values {
            let ways = [from_flag(name, value), from_key(folder.path(), name, value)];
            for (way, settings) in ["flag", "key"].into_iter().zip(ways) {
                let what = format!("{way} {name} at {value:?}");
                let with_receiver = |mut settings: Settings| {
                    if name.starts_with("otlp-") && name != "otlp-url" {
                        settings.otlp.url = Some("http://127.0.0.1:1".to_owned());
                    }
                    settings
                };
                let served = settings.map(with_receiver).and_then(|settings| {
                    let serving = serve(settings, &set, fate);
                    let limit = std::time::Duration::from_secs(20);
                    runtime.block_on(async { tokio::time::timeout(limit, serving).await })?
                });
                match (fate, served.map_err(|it| it.to_string())) {
                    (Works | Runs, Ok(())) => {}
                    // The two use different words.
                    (Refused(told), Err(reason)) if way == "flag" || !is_type(told) => {
                        assert!(reason.contains(told), "{what}: {reason}");
                    }
                    (Refused(_), Err(reason)) => {
                        let key = name.trim_start_matches("otlp-");
                        assert!(
                            reason.contains(key) && reason.contains("line"),
                            "{what}: {reason}"
                        );
                    }
                    (fate, served) => panic!("{what}: {fate:?}, {served:?}"),
                }
            }
        }
    }
}

/// Whether the parsers refuse it: one library parses flags, another one keys.
fn is_type(told: &str) -> bool {
    told.contains("possible values")
}
