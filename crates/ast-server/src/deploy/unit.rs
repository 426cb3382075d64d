//! The systemd unit of one server.

use super::settings::Settings;

/// Where the program is installed.
const PROGRAM: &str = "/usr/local/bin/ast-server";
/// Where its set lies; systemd gives it to the unit's user.
const SET: &str = "/var/lib/ast-server/set.als";

pub(super) fn text(settings: &Settings) -> String {
    let token = settings.token_file.as_deref();
    let token = token.map(|file| format!(" --metrics-token-file {}", file.display()));
    let token = token.unwrap_or_default();
    format!(
        "\
# Written by `ast-server deploy`. Changes belong into a drop-in: `systemctl edit ast-server`.
[Unit]
Description=AST server: the tree of an Ableton Live set, from live events to viewers
After=network.target

[Service]
ExecStart={PROGRAM} serve {SET}{token}
# It prints its final summary at SIGTERM.
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
