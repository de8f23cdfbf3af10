//! Compiled code on disk: reused, never trusted blindly, made again where it is missing.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use fermata_host::Compiler;

use crate::kit::{Kit, failure, invocation, outputs};
use crate::source::Source;

/// Compilers that cannot compile: whoever succeeds with one has not tried.
fn no_compiler() -> Compiler {
    Compiler::Child {
        program: "/no/such/program".into(),
        args: Vec::new(),
    }
}

#[tokio::test]
async fn compiled_code_outlives_the_sandbox() {
    let first = Kit::new(|_| ());
    let digest = first.admit(Source::default().module()).await.digest;
    let mode = std::fs::metadata(first.dir.path().join("cache/native"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    let (dir, shelf) = (first.dir, Arc::clone(&first.shelf));
    let second = Kit::in_dir(dir, shelf, |config| config.compiler = no_compiler());
    assert_eq!(
        outputs(&second.invoke(invocation(digest), "{}").await),
        serde_json::json!({})
    );
    second.admit(Source::default().module()).await;
}

#[tokio::test]
async fn tampered_code_is_never_loaded() {
    let kit = Kit::new(|_| ());
    let digest = kit.admit(Source::default().module()).await.digest;
    let path = kit.cached().remove(0);
    let good = std::fs::read(&path).unwrap();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let mut unsealed = good.clone();
    unsealed[0] ^= 1;
    let (mut dir, shelf) = (kit.dir, kit.shelf);
    for bytes in [
        flipped,
        unsealed,
        good[..good.len() - 1].to_vec(),
        good[..20].to_vec(),
        Vec::new(),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let kit = Kit::in_dir(dir, Arc::clone(&shelf), |_| ());
        assert_eq!(
            outputs(&kit.invoke(invocation(digest), "{}").await),
            serde_json::json!({})
        );
        assert_eq!(
            std::fs::read(&path).unwrap()[32..],
            good[32..],
            "made again"
        );
        dir = kit.dir;
    }
}

#[tokio::test]
async fn code_under_the_name_of_other_code_is_never_loaded() {
    let kit = Kit::new(|_| ());
    let one = kit
        .admit(
            Source {
                run: "(call $succeed «1»)",
                ..Source::default()
            }
            .module(),
        )
        .await
        .digest;
    let path = kit.cached().remove(0);
    let two = Source {
        run: "(call $succeed «2»)",
        ..Source::default()
    }
    .module();
    let digest = kit.admit(two).await.digest;
    let other = kit
        .cached()
        .into_iter()
        .find(|other| *other != path)
        .unwrap();
    std::fs::copy(&path, &other).unwrap();
    let kit = Kit::in_dir(kit.dir, kit.shelf, |_| ());
    assert_eq!(outputs(&kit.invoke(invocation(digest), "{}").await), 2);
    assert_eq!(outputs(&kit.invoke(invocation(one), "{}").await), 1);
}

#[tokio::test]
async fn what_is_missing_is_an_engine_failure_and_does_not_stick() {
    let kit = Kit::new(|_| ());
    let module = Source::default().module();
    let digest = fermata_core::id::Digest::of(&module);
    let missing = failure(kit.invoke(invocation(digest), "{}").await);
    assert_eq!(missing.class.code(), "engine");
    assert!(
        missing.message.contains("not in the store"),
        "{}",
        missing.message
    );
    kit.admit(module).await;
    assert_eq!(
        outputs(&kit.invoke(invocation(digest), "{}").await),
        serde_json::json!({})
    );
}

#[tokio::test]
async fn a_library_that_is_too_small_still_runs_everything() {
    let kit = Kit::new(|config| config.loaded_bytes = 1);
    let mut digests = Vec::new();
    for number in 0..3 {
        let run = format!("(call $succeed «{number}»)");
        digests.push(
            kit.admit(
                Source {
                    run: &run,
                    ..Source::default()
                }
                .module(),
            )
            .await
            .digest,
        );
    }
    for _ in 0..2 {
        for (number, digest) in digests.iter().enumerate() {
            assert_eq!(
                outputs(&kit.invoke(invocation(*digest), "{}").await),
                number
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_at_the_same_time_share_one_preparation() {
    let kit = Kit::new(|_| ());
    let digest = kit.admit(Source::default().module()).await.digest;
    std::fs::remove_file(&kit.cached()[0]).unwrap();
    let runs = (0..20).map(|_| kit.invoke(invocation(digest), "{}"));
    for ran in futures::future::join_all(runs).await {
        assert_eq!(outputs(&ran), serde_json::json!({}));
    }
    assert_eq!(kit.cached().len(), 1);
}

#[tokio::test]
async fn a_compiler_that_does_not_work_is_the_machines_fault() {
    for program in ["/no/such/program", "/bin/false"] {
        let compiler = Compiler::Child {
            program: program.into(),
            args: Vec::new(),
        };
        let kit = Kit::new(|config| config.compiler = compiler);
        let error = kit
            .sandbox
            .admit(Source::default().module())
            .await
            .unwrap_err();
        assert!(
            matches!(error, fermata_host::AdmitError::Failed(_)),
            "{program}: {error}"
        );
    }
}

/// A guest that answers with this number.
fn numbered(number: u32) -> Vec<u8> {
    let run = format!("(call $succeed «{number}»)");
    Source {
        run: &run,
        ..Source::default()
    }
    .module()
}

/// How many bytes the code of one such guest has on disk.
async fn one_file() -> u64 {
    let kit = Kit::new(|_| ());
    kit.admit(numbered(0)).await;
    std::fs::metadata(&kit.cached()[0]).unwrap().len()
}

#[tokio::test]
async fn code_on_disk_is_bounded_and_what_was_used_longest_ago_goes_first() {
    let bytes = one_file().await;
    let kit = Kit::new(|config| {
        config.cache_bytes = 2 * bytes + bytes / 2;
        config.loaded_bytes = 1;
    });
    let mut digests = Vec::new();
    for number in 0..2 {
        digests.push(kit.admit(numbered(number)).await.digest);
    }
    // The first is used, so it is the second that leaves.
    kit.invoke(invocation(digests[0]), "{}").await;
    kit.invoke(invocation(digests[1]), "{}").await;
    kit.invoke(invocation(digests[0]), "{}").await;
    digests.push(kit.admit(numbered(2)).await.digest);
    let now = kit.sandbox.cache();
    assert_eq!((now.files, now.removed), (2, 1));
    assert!(now.bytes <= now.bytes_max, "{now:?}");
    let names: Vec<String> = kit
        .cached()
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let is_there =
        |digest: &fermata_core::id::Digest| names.iter().any(|name| name.contains(&digest.hex()));
    assert!(is_there(&digests[0]) && !is_there(&digests[1]) && is_there(&digests[2]));
    // Nothing is lost by it but the time to compile it again.
    for (number, digest) in digests.iter().enumerate() {
        assert_eq!(
            outputs(&kit.invoke(invocation(*digest), "{}").await),
            number
        );
    }
}

#[tokio::test]
async fn a_lower_bound_holds_from_the_next_start_in_the_order_of_before() {
    let bytes = one_file().await;
    let kit = Kit::new(|config| config.loaded_bytes = 1);
    let mut digests = Vec::new();
    for number in 0..3 {
        digests.push(kit.admit(numbered(number)).await.digest);
    }
    kit.invoke(invocation(digests[0]), "{}").await;
    let kit = Kit::in_dir(kit.dir, kit.shelf, |config| {
        config.cache_bytes = bytes + bytes / 2;
        config.compiler = no_compiler();
    });
    assert_eq!(kit.cached().len(), 1);
    // The last one that was used needs no compiler.
    assert_eq!(outputs(&kit.invoke(invocation(digests[0]), "{}").await), 0);
    assert_eq!(kit.sandbox.cache().hits, 1);
}

#[tokio::test]
async fn what_is_kept_ready_stays_on_disk_as_well() {
    let bytes = one_file().await;
    let kit = Kit::new(|config| config.cache_bytes = bytes);
    let first = kit.admit(numbered(0)).await.digest;
    kit.invoke(invocation(first), "{}").await;
    kit.admit(numbered(1)).await;
    let now = kit.sandbox.cache();
    assert_eq!((now.files, now.removed), (2, 0));
    assert!(now.bytes > now.bytes_max);
}

#[tokio::test]
async fn code_of_another_version_is_removed_and_made_again() {
    let kit = Kit::new(|_| ());
    let digest = kit.admit(numbered(7)).await.digest;
    let path = kit.cached().remove(0);
    let name = path.file_name().unwrap().to_str().unwrap();
    let (_, rest) = name.split_once('-').unwrap();
    // As a patch of the runtime would leave it behind: sealed, whole, and of another generation.
    std::fs::rename(
        &path,
        path.with_file_name(format!("{}-{rest}", "0".repeat(16))),
    )
    .unwrap();
    std::fs::write(path.with_extension("1-0.tmp"), "half").unwrap();
    let kit = Kit::in_dir(kit.dir, kit.shelf, |_| ());
    assert_eq!(kit.cached().len(), 0);
    assert_eq!(outputs(&kit.invoke(invocation(digest), "{}").await), 7);
    assert_eq!(kit.cached(), [path]);
}

#[tokio::test]
async fn a_check_leaves_nothing_in_the_cache() {
    let kit = Kit::new(|_| ());
    let module = numbered(7);
    let verified = kit.sandbox.verify(module.clone()).await.unwrap();
    assert_eq!(verified.descriptor.name.as_str(), "probe");
    assert_eq!(verified.upload_bytes, module.len() as u64);
    assert!(verified.component_bytes > verified.upload_bytes);
    assert!(verified.native_bytes > 0 && !verified.exports_undo);
    let imports = &verified.imports;
    assert!(
        imports.contains(&"fermata:activity/http@0.1.0".to_owned()),
        "{imports:?}"
    );
    assert_eq!(kit.cached().len(), 0);
    let admitted = kit.admit(module).await;
    assert_eq!(admitted.digest, verified.digest);
    kit.sandbox.verify(b"hello".to_vec()).await.unwrap_err();
}
