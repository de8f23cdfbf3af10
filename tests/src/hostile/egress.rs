//! Server-side request forgery: every spelling of an address that nobody granted.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::hostile::attack::{Attack, Step};
use crate::hostile::evil::TREASURE;
use crate::hostile::source::guest;

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        spelled(
            "ssrf-decimal",
            "numbers for an address of this machine",
            |server| hosts(server, &["127.0.0.1", "2130706433", "127.1", "127.0.1"]),
        ),
        spelled(
            "ssrf-octal-and-hex",
            "other bases for an address of this machine",
            |server| {
                hosts(
                    server,
                    &[
                        "0177.0.0.1",
                        "0x7f.0.0.1",
                        "0x7f000001",
                        "017700000001",
                        "0x7f.1",
                        "0177.0.0.0x1",
                    ],
                )
            },
        ),
        spelled(
            "ssrf-ipv6",
            "IPv6 addresses that carry one of this machine",
            |server| {
                hosts(
                    server,
                    &[
                        "[::1]",
                        "[0:0:0:0:0:0:0:1]",
                        "[::ffff:127.0.0.1]",
                        "[::ffff:7f00:1]",
                        "[0:0:0:0:0:ffff:7f00:1]",
                        "[::127.0.0.1]",
                        "[64:ff9b::7f00:1]",
                        "[64:ff9b:1::7f00:1]",
                        "[2002:7f00:1::]",
                        "[::ffff:0:127.0.0.1]",
                        "[fe80::1]",
                        "[fc00::1]",
                    ],
                )
            },
        ),
        spelled(
            "ssrf-letters",
            "letters and signs that mean digits and dots",
            |server| {
                hosts(
                    server,
                    &[
                        "１２７.0.0.1",
                        "127。0。0。1",
                        "%31%32%37.0.0.1",
                        "①②⑦.0.0.1",
                        "127.0.0.1．",
                    ],
                )
            },
        ),
        spelled("ssrf-trailing-dot", "a dot after the host", |server| {
            hosts(
                server,
                &[
                    "127.0.0.1.",
                    "localhost.",
                    "LOCALHOST.",
                    "anything.example.",
                ],
            )
        }),
        spelled("ssrf-names", "names that lead to this machine", |server| {
            hosts(
                server,
                &[
                    "localhost",
                    "LocalHost",
                    "a.localhost",
                    "inside.example",
                    "mapped.example",
                    "both.example",
                ],
            )
        }),
        spelled(
            "ssrf-private-networks",
            "addresses of the network around this machine",
            |_| {
                [
                    "10.0.0.1",
                    "172.16.0.1",
                    "192.168.0.1",
                    "169.254.1.1",
                    "100.64.0.1",
                    "0.0.0.0",
                    "0",
                    "255.255.255.255",
                    "224.0.0.1",
                ]
                .map(|host| format!("http://{host}:1/"))
                .into()
            },
        ),
        userinfo(),
        absolute_form(),
        redirect(),
        metadata(),
        rebinding(),
    ]
}

/// URLs of the treasure by these hosts.
fn hosts(server: SocketAddr, hosts: &[&str]) -> Vec<String> {
    let port = server.port();
    hosts
        .iter()
        .map(|host| format!("http://{host}:{port}{TREASURE}"))
        .collect()
}

fn call(url: &str, grants: Value, expected: &'static str) -> Step {
    let run = format!("(call $call «{url}» (i32.const 0) (i32.const 0))");
    Step::new(guest(&run), expected).what(url).grants(grants)
}

/// The whole Internet, and nothing of this network.
fn public() -> Value {
    json!({ "http": [{ "host": "*" }] })
}

fn private() -> Value {
    json!({ "http": [{ "host": "*", "private": true }] })
}

type Urls = fn(SocketAddr) -> Vec<String>;

/// An attack by URLs that are each denied to a guest that may call the whole Internet.
fn spelled(name: &'static str, tries: &'static str, urls: Urls) -> Attack {
    Attack::new(name, tries, move |server| {
        let urls = urls(server);
        urls.iter()
            .map(|url| call(url, public(), "denied"))
            .collect()
    })
}

fn userinfo() -> Attack {
    Attack::new(
        "ssrf-userinfo",
        "a harmless host as the user name of another",
        |server| {
            let port = server.port();
            [
                format!("http://public.example@127.0.0.1:{port}{TREASURE}"),
                format!("http://public.example:80@127.0.0.1:{port}{TREASURE}"),
                format!("http://public.example%40@127.0.0.1:{port}{TREASURE}"),
                format!("http://@127.0.0.1:{port}{TREASURE}"),
                format!("http://:@127.0.0.1:{port}{TREASURE}"),
            ]
            .iter()
            .map(|url| {
                // An empty user name is none: then it is the address that is denied.
                let expected = if url.contains("//@") || url.contains("//:@") {
                    "denied"
                } else {
                    "permanent"
                };
                call(url, public(), expected)
            })
            .collect()
        },
    )
}

fn absolute_form() -> Attack {
    Attack::new(
        "ssrf-absolute-form",
        "a whole URL where a path or another scheme belongs",
        |server| {
            let port = server.port();
            vec![
                call(
                    &format!("http://granted.example:{port}/http://127.0.0.1:{port}{TREASURE}"),
                    private(),
                    "succeeded",
                ),
                call(
                    &format!("http://granted.example:{port}//127.0.0.1:{port}{TREASURE}"),
                    private(),
                    "succeeded",
                ),
                call(
                    &format!("//127.0.0.1:{port}{TREASURE}"),
                    public(),
                    "permanent",
                ),
                call(
                    &format!("http:\\\\127.0.0.1:{port}{TREASURE}"),
                    public(),
                    "denied",
                ),
                call(
                    &format!("http:/127.0.0.1:{port}{TREASURE}"),
                    public(),
                    "denied",
                ),
                call(
                    &format!("http:127.0.0.1:{port}{TREASURE}"),
                    public(),
                    "denied",
                ),
                call(
                    &format!("http://public.example\\@127.0.0.1:{port}{TREASURE}"),
                    public(),
                    "denied",
                ),
                call(
                    &format!("http://public.example#@127.0.0.1:{port}{TREASURE}"),
                    public(),
                    "denied",
                ),
                call("file:///etc/passwd", private(), "permanent"),
                call(
                    &format!("gopher://127.0.0.1:{port}{TREASURE}"),
                    private(),
                    "permanent",
                ),
                call(
                    &format!("ftp://127.0.0.1:{port}{TREASURE}"),
                    private(),
                    "permanent",
                ),
                call(
                    &format!("HTTP://[::ffff:127.0.0.1]:{port}{TREASURE}"),
                    public(),
                    "denied",
                ),
            ]
        },
    )
}

fn redirect() -> Attack {
    Attack::new(
        "ssrf-redirect",
        "a granted host that points to one that is not",
        |server| {
            let grants = json!({ "http": [{ "host": server.to_string(), "private": true }] });
            vec![call(
                &format!("http://{server}/redirect"),
                grants,
                "succeeded",
            )]
        },
    )
}

fn metadata() -> Attack {
    Attack::new(
        "ssrf-metadata",
        "the metadata service of a cloud, with every grant there is",
        |_| {
            [
                "http://169.254.169.254/latest/meta-data/",
                "http://2852039166/",
                "http://0xa9fea9fe/",
                "http://0251.0376.0251.0376/",
                "http://[::ffff:169.254.169.254]/",
                "http://[::ffff:a9fe:a9fe]/",
                "http://[64:ff9b::a9fe:a9fe]/",
                "http://[fd00:ec2::254]/",
                "http://169.254.170.2/v2/credentials",
                "http://100.100.100.200/",
                "http://metadata.example/",
            ]
            .map(|url| call(url, private(), "denied"))
            .into()
        },
    )
}

fn rebinding() -> Attack {
    Attack::new(
        "ssrf-rebinding",
        "a name that leads elsewhere each time it is looked up",
        |server| {
            let url = format!("http://rebind.example:{}/close", server.port());
            // The first answer closes the connection, so the second call has the name looked up again.
            let run = format!(
                "(drop (call $call «{url}» (i32.const 0) (i32.const 0)))
            (call $call «{url}» (i32.const 0) (i32.const 0))"
            );
            vec![Step::new(guest(&run), "denied").what(url).grants(private())]
        },
    )
}
