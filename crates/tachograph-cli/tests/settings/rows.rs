//! What every flag is given, and what should come of it.

/// The expected effect of a value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    /// The command does its work.
    Works,
    /// It works until a signal ends it.
    Lasts,
    /// Refused with a reason that contains these words.
    Refused(&'static str),
}
use Fate::{Lasts, Refused, Works};

/// A command, its flag, and the values: `{url}` is a program's address, `{run}` a recording,
/// `{before}` an earlier one, `{rules}` a file of rules. A flag without a value has the value "".
pub(crate) type Row = (&'static str, &'static str, &'static [(&'static str, Fate)]);

/// Test programs have no terminal: that `top` says so shows that it has taken the flag.
const TAKEN: Fate = Refused("needs a terminal");
const NO_PORT: Fate = Refused("invalid port");
const NOBODY: Fate = Refused("is the program running there?");
const NO_TOKEN: Fate = Refused("token file 0");
const NO_HOST: Fate = Refused("a host and a port");
const NO_RULES: Fate = Refused("cannot read the rules");

pub(crate) const ROWS: &[Row] = &[
    ("top", "place", &[("0", Refused("there is no file")), ("{run}", TAKEN), ("{url}", TAKEN)]),
    ("top", "light", &[("", TAKEN)]),
    ("top", "token-file", &[("0", NO_TOKEN), ("", Refused("a value is required"))]),
    (
        "record",
        "url",
        &[
            ("", Refused("has no port")),
            ("0", Refused("has no port")),
            ("127.0.0.1:0", NO_PORT),
            ("127.0.0.1:1", NOBODY),
            ("127.0.0.1:65536", NO_PORT),
            ("{run}", Refused("HOST:PORT")),
        ],
    ),
    (
        "record",
        "output",
        &[("", Refused("a value is required")), ("/no/such/folder/run", Refused("cannot write"))],
    ),
    (
        "record",
        "for",
        &[
            ("0s", Refused("at least 1ms and at most 87600h")),
            ("300ms", Works),
            ("87600h", Lasts),
            ("87601h", Refused("'87601h' for '--for <TIME>'")),
            ("18446744073709551616s", Refused("at least 1ms and at most 87600h")),
            ("1", Refused("a time such as 15s")),
            ("-1", Refused("'-1' for '--for <TIME>'")),
            ("-1", Refused("at least 1ms and at most 87600h")),
            ("", Refused("at least 1ms and at most 87600h")),
        ],
    ),
    ("record", "force", &[("", Works)]),
    ("record", "token-file", &[("0", NO_TOKEN)]),
    ("report", "file", &[("0", Refused("0: ")), ("{run}", Works)]),
    (
        "report",
        "against",
        &[("0", Refused("0: ")), ("{run}", Refused("with itself")), ("{before}", Works)],
    ),
    ("report", "rules", &[("0", NO_RULES), ("{rules}", Works)]),
    ("report", "output", &[("/no/such/folder/report.html", Refused("cannot write"))]),
    ("report", "text", &[("", Works)]),
    ("report", "force", &[("", Works)]),
    (
        "doctor",
        "place",
        &[
            ("0", Refused("there is no file")),
            ("127.0.0.1:0", Refused("HOST:PORT")),
            ("127.0.0.1:1", NOBODY),
            ("127.0.0.1:65536", Refused("HOST:PORT")),
            ("{run}", Works),
            ("{url}", Works),
        ],
    ),
    ("doctor", "rules", &[("0", NO_RULES), ("{rules}", Works), ("{run}", Refused("jsonl:1:"))]),
    ("doctor", "json", &[("", Works)]),
    ("doctor", "token-file", &[("{rules}", Refused("only a running program asks for a token"))]),
    ("check", "files", &[("0", NO_RULES), ("{rules}", Works)]),
    ("check", "example", &[("", Refused("cannot be used with one or more of the other"))]),
    ("check", "over", &[("0", Refused("0: ")), ("{run}", Works)]),
    ("check", "of", &[("0", Refused("there is no file")), ("{run}", Works), ("{url}", Works)]),
    ("check", "token-file", &[("{rules}", Refused("--of"))]),
    ("deploy", "url", &[("0", Refused("has no port")), ("127.0.0.1:1", NOBODY), ("{url}", Works)]),
    ("deploy", "folder", &[("new/folder", Works), ("{run}", Refused("cannot"))]),
    (
        "deploy",
        "job",
        &[
            ("0", Works),
            ("", Refused("up to 200 letters, digits")),
            ("a b", Refused("up to 200 letters, digits")),
        ],
    ),
    (
        "deploy",
        "target",
        &[
            ("0", NO_HOST),
            ("a:0", NO_HOST),
            ("a:1", Works),
            ("a:65535", Works),
            ("a:65536", NO_HOST),
        ],
    ),
    (
        "deploy",
        "scrape-interval",
        &[
            ("-1", Refused("'-1' for '--scrape-interval <TIME>'")),
            ("-1", Refused("at least 1ms and at most 15m")),
            ("0s", Refused("at most 15m")),
            ("1ns", Refused("at least 1ms")),
            ("1ms", Works),
            ("15m", Works),
            ("901s", Refused("at most 15m")),
            ("18446744073709551615s", Refused("at most 15m")),
        ],
    ),
    ("deploy", "alertmanager", &[("0", NO_HOST), ("a:0", NO_HOST), ("a:65535", Works)]),
    ("deploy", "force", &[("", Works)]),
    ("deploy", "token-file", &[("0", NO_TOKEN)]),
    ("rules", "file", &[("0", NO_RULES), ("{rules}", Works)]),
    ("rules", "prometheus", &[("", Works)]),
    ("rules", "of", &[("0", Refused("there is no file")), ("{run}", Works), ("{url}", Works)]),
    ("rules", "token-file", &[("{rules}", Refused("--of"))]),
];
