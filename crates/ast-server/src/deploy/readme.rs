//! What stands beside the files.

use super::settings::Settings;

pub(super) fn text(settings: &Settings) -> String {
    let targets = settings.targets.join(", ");
    format!(
        "\
# Around a fleet of ast-servers

Written by `ast-server deploy`, from the table of metrics that the server itself registers. Run it
again after an update; `ast-server deploy --help` tells what it can be given.

| file | what it is for |
|---|---|
| `prometheus.yml` | Prometheus, 2.42 or newer: scrapes {targets} |
| `ast-server.rules.yml` | the fleet's p50, p95 and p99 of every distribution; rates; the loss |
| `ast-server.alerts.yml` | alerts; each says what to look at first |
| `ast-server.tests.yml` | tests of both, for promtool |
| `otel-collector.yml` | an OpenTelemetry Collector (contrib), for servers that push |
| `grafana-dashboard.json` | a dashboard: import it and choose the Prometheus |
| `ast-server.service` | one server under systemd |
| `ast-server.toml` | what that server is told |

## With Prometheus

```sh
prometheus --config.file=prometheus.yml --enable-feature=native-histograms
```

Without that flag Prometheus scrapes text. Then counters and gauges are all there, but summaries of
single servers cannot be added up: every rule and panel about quantiles stays empty, and the alert
`AstServerLatencyUnknown` says so. From Prometheus 3.8 on, write `scrape_native_histograms: true`
under `global` instead.

```sh
promtool check config prometheus.yml
promtool test rules ast-server.tests.yml
```

## With an OpenTelemetry Collector

Servers push OTLP to port 4318, the collector writes to Prometheus, which must be told to take it:
`prometheus --web.enable-remote-write-receiver --enable-feature=native-histograms`. By the
collector's naming rules names come out as they do when Prometheus scrapes, so the rules hold for
both. What is scraped must not be pushed too: it would be counted twice.

## What is tried

CI has promtool judge the configuration, the rules and their tests, and a Prometheus answer every
query of the dashboard. No collector, Grafana or systemd has read its file there.

## With systemd

Put the program into `/usr/local/bin`, `ast-server.service` into `/etc/systemd/system`,
`ast-server.toml` into `/etc`, the set at `/var/lib/ast-server/set.als`, then
`systemctl enable --now ast-server`. The unit checks the configuration and the set before it starts.
"
    )
}
