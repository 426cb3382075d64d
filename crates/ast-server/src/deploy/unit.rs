//! One server under systemd: its unit, and its initial configuration.

use tachograph_deploy::Settings;

/// The path of the program.
const PROGRAM: &str = "/usr/local/bin/ast-server";
/// The path of its configuration.
const CONFIG: &str = "/etc/ast-server.toml";
/// The path of its set; systemd gives it to the unit's user.
const SET: &str = "/var/lib/ast-server/set.als";

/// The text about both in the README.
pub(super) const README: &str = "
## With systemd

| file | content |
|---|---|
| `ast-server.service` | one server under systemd |
| `ast-server.toml` | the settings of that server |

Put the program into `/usr/local/bin`, `ast-server.service` into `/etc/systemd/system`,
`ast-server.toml` into `/etc`, the set at `/var/lib/ast-server/set.als`, then
`systemctl enable --now ast-server`. The unit checks the configuration and the set before it starts.
CI does not test the unit with systemd.
";

/// The configuration.
pub(super) fn config(settings: &Settings) -> String {
    let token = settings.token_file.as_deref().map(|file| {
        let file = toml::Value::String(file.display().to_string());
        format!("metrics-token-file = {file}\n")
    });
    let token = token.unwrap_or_default();
    format!(
        "\
# Written by `ast-server deploy`. Every flag of `ast-server serve` is a key; `ast-server serve
# --config FILE --check` says whether it can be used, and prints what it comes to.
set = \"{SET}\"
{token}
# Metrics are served to who asks. To push them to a collector instead:
# [otlp]
# url = \"http://127.0.0.1:4318\"
# every = 60
"
    )
}

/// The unit.
pub(super) fn text() -> String {
    format!(
        "\
# Written by `ast-server deploy`. Changes belong into a drop-in: `systemctl edit ast-server`.
[Unit]
Description=AST server: the tree of an Ableton Live set, from live events to viewers
After=network.target

[Service]
# What cannot be used is told before anything listens.
ExecStartPre={PROGRAM} serve --config {CONFIG} --check
ExecStart={PROGRAM} serve --config {CONFIG}
# It reads its configuration, token, certificate and set again; what is wrong changes nothing.
ExecReload=/bin/kill -HUP $MAINPID
# It prints its final summary at SIGTERM, and has ended within five seconds.
KillSignal=SIGTERM
TimeoutStopSec=15
Restart=on-failure
RestartSec=1

DynamicUser=yes
StateDirectory=ast-server
LimitNOFILE=4096
# It keeps memory within bounds of its own; beyond this something is broken.
MemoryMax=1G

# It reads a set, and talks UDP and TCP. Nothing else.
CapabilityBoundingSet=
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RestrictAddressFamilies=AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target
"
    )
}
