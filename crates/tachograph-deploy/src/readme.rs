//! What stands beside the files.

use crate::settings::Settings;

pub(crate) fn text(settings: &Settings) -> String {
    let Settings { job, command, .. } = settings;
    let targets = settings.targets.join(", ");
    let prefix = settings.alert_prefix();
    format!(
        "\
# Around {job}

Written by `{command}` from the metrics that {job} has. Run it again after an update;
`{command} --help` says what it can be given.

| file | what it is for |
|---|---|
| `prometheus.yml` | Prometheus, 2.42 or newer: scrapes {targets} |
| `{job}.rules.yml` | p50, p95 and p99 of every distribution, the rate of every counter |
| `{job}.alerts.yml` | alerts; each says what to look at first |
| `{job}.tests.yml` | tests of both, for promtool |
| `otel-collector.yml` | an OpenTelemetry Collector (contrib), for instances that push |
| `grafana-dashboard.json` | a dashboard: import it and choose the Prometheus |

## With Prometheus

```sh
prometheus --config.file=prometheus.yml --enable-feature=native-histograms
```

Without that flag Prometheus scrapes text. Then counters and gauges are all there, but summaries of
single instances cannot be added up: every rule and panel about quantiles stays empty, and the alert
`{prefix}LatencyUnknown` says so. From Prometheus 3.8 on, write `scrape_native_histograms: true`
under `global` instead.

```sh
promtool check config prometheus.yml
promtool test rules {job}.tests.yml
```

## With an OpenTelemetry Collector

Instances push OTLP to port 4318 as the service `{job}`, the collector writes to Prometheus, which
must be told to take it:
`prometheus --web.enable-remote-write-receiver --enable-feature=native-histograms`. By the
collector's naming rules names come out as they do when Prometheus scrapes, so the rules hold for
both. What is scraped must not be pushed too: it would be counted twice.

## What is tried

CI has promtool judge the configuration, the rules and their tests, and a Prometheus answer every
query of the dashboard. No collector or Grafana has read its file there.
"
    )
}
