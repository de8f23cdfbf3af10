//! The guest contract, as names: what a component may import and has to export.

use fermata_core::component::World;

/// The contract, as every guest sees it: the files of one package.
pub(crate) const WIT: [(&str, &str); 3] = [
    ("activity.wit", include_str!("../../../../wit/activity.wit")),
    ("policy.wit", include_str!("../../../../wit/policy.wit")),
    ("notifier.wit", include_str!("../../../../wit/notifier.wit")),
];
/// The interface that every activity exports.
pub(crate) const RUN: &str = "fermata:activity/run@0.1.0";
/// The interface that every policy exports.
pub(crate) const JUDGE: &str = "fermata:activity/judge@0.1.0";
/// The interface that every notifier exports.
pub(crate) const NOTIFY: &str = "fermata:activity/notify@0.1.0";
/// The interface of an activity that can take its effect back.
pub(crate) const UNDO: &str = "fermata:activity/undo@0.1.0";
/// The module name under which core modules import WASI preview 1.
pub(crate) const PREVIEW1: &str = "wasi_snapshot_preview1";

/// The interfaces of the contract that may be imported.
const OURS: [&str; 6] = [
    "fermata:activity/types@0.1.0",
    "fermata:activity/log@0.1.0",
    "fermata:activity/progress@0.1.0",
    "fermata:activity/http@0.1.0",
    "fermata:activity/secrets@0.1.0",
    "fermata:activity/evidence@0.1.0",
];

/// Those of them that are for activities only.
const OF_ACTIVITIES: [&str; 2] = [
    "fermata:activity/progress@0.1.0",
    "fermata:activity/evidence@0.1.0",
];

/// The interfaces of WASI 0.2 that may be imported. Calls by `wasi:http` are those of our own `http`, under the same policy.
/// The runtimes of Python and JavaScript import all others, used or not; behind those of the second half there is nothing:
/// no variable, no file, no network.
const WASI: [&str; 29] = [
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:random/random",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:http/types",
    "wasi:http/outgoing-handler",
    "wasi:cli/exit",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/terminal-stderr",
    "wasi:cli/environment",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// Whether a component may import the interface with this name.
pub(crate) fn offers(import: &str) -> bool {
    if OURS.contains(&import) {
        return true;
    }
    import
        .split_once('@')
        .is_some_and(|(name, version)| WASI.contains(&name) && version.starts_with("0.2."))
}

/// Whether only an activity may import the interface with this name.
pub(crate) fn is_of_activities(import: &str) -> bool {
    OF_ACTIVITIES.contains(&import)
}

/// The interface that a component of `world` exports, with its functions.
pub(crate) fn exported(world: World) -> (&'static str, [&'static str; 2]) {
    match world {
        World::Activity => (RUN, ["describe", "run"]),
        World::Policy => (JUDGE, ["describe", "judge"]),
        World::Notifier => (NOTIFY, ["describe", "notify"]),
    }
}

/// Whether a core module may import from the module with this name.
pub(crate) fn offers_to_core(module: &str) -> bool {
    let resource_of_export = module
        .strip_prefix("[export]")
        .is_some_and(|name| name.starts_with("fermata:activity/"));
    module == PREVIEW1 || resource_of_export || offers(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_contract_and_harmless_wasi_is_offered() {
        for (import, offered) in [
            ("fermata:activity/http@0.1.0", true),
            ("fermata:activity/run@0.1.0", false),
            ("fermata:activity/http@0.2.0", false),
            ("wasi:clocks/wall-clock@0.2.9", true),
            ("wasi:clocks/wall-clock@0.3.0", false),
            ("wasi:clocks/wall-clock", false),
            ("wasi:random/insecure-seed@0.2.0", true),
            ("wasi:cli/environment@0.2.0", true),
            ("wasi:cli/environment@0.3.0", false),
            ("wasi:filesystem/types@0.2.0", true),
            ("wasi:sockets/tcp@0.2.0", true),
            ("wasi:config/store@0.2.0", false),
            ("wasi:http/outgoing-handler@0.2.0", true),
            ("wasi:http/types@0.2.12", true),
            ("wasi:http/types@0.3.0", false),
            ("wasi:http/incoming-handler@0.2.0", false),
            ("env", false),
        ] {
            assert_eq!(offers(import), offered, "{import}");
        }
    }
}
