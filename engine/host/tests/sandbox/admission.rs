//! What is admitted, and what is turned away and why.

use fermata_core::component::World;
use fermata_host::Rejection;

use crate::kit::{Kit, outputs};
use crate::source::Source;

#[tokio::test]
async fn a_core_module_and_the_component_made_of_it_are_admitted() {
    let kit = Kit::new(|_| ());
    let core = Source::default().module();
    let admitted = kit.admit(core.clone()).await;
    assert_eq!(admitted.component, core);
    assert_eq!(admitted.descriptor.name.as_str(), "probe");
    assert_eq!(admitted.descriptor.version.to_string(), "1.2.3");
    assert!(!admitted.exports_undo);
    assert_eq!(admitted.descriptor.reversible, Some(false));
    let undo = r#"(func (export "fermata:activity/undo@0.1.0#undo") (param i32) (result i32) unreachable)"#;
    let reversible = kit
        .admit(
            Source {
                more: undo,
                ..Source::default()
            }
            .module(),
        )
        .await;
    assert!(reversible.exports_undo);
    assert_eq!(reversible.descriptor.reversible, Some(true));
}

#[tokio::test]
async fn broken_bytes_are_turned_away() {
    let kit = Kit::limited(|limits| limits.component_bytes = 100_000);
    let wasm = Source::default().module();
    let native = {
        let kit = Kit::new(|_| ());
        kit.admit(wasm.clone()).await;
        let sealed = std::fs::read(&kit.cached()[0]).unwrap();
        sealed[32..].to_vec()
    };
    for (bytes, code) in [
        (Vec::new(), "not-wasm"),
        (b"\x7fELF and so on".to_vec(), "not-wasm"),
        (b"(module)".to_vec(), "not-wasm"),
        (b"\0asm".to_vec(), "invalid"),
        (wasm[..wasm.len() / 2].to_vec(), "invalid"),
        (wasm[..wasm.len() - 1].to_vec(), "invalid"),
        ([wasm.clone(), vec![0xff; 9]].concat(), "invalid"),
        (vec![0; 100_001], "too-large"),
        (native, "precompiled"),
    ] {
        let rejection = kit.rejection(bytes).await;
        assert_eq!(rejection.code(), code, "{rejection}");
    }
    assert!(kit.cached().is_empty());
}

#[tokio::test]
async fn foreign_imports_are_named() {
    let kit = Kit::new(|_| ());
    for (module, name) in [
        ("env", "env#f"),
        ("wasi:sockets/tcp@0.3.0", "wasi:sockets/tcp@0.3.0#f"),
        ("fermata:activity/run@0.1.0", "fermata:activity/run@0.1.0#f"),
    ] {
        let wat = format!(r#"(module (import "{module}" "f" (func)))"#);
        let rejection = kit.rejection(wat::parse_str(wat).unwrap()).await;
        let world = World::Activity;
        let name = name.into();
        assert_eq!(rejection, Rejection::ForeignImport { world, name });
    }
    let component = r#"(component (import "wasi:filesystem/types@0.3.0" (instance)))"#;
    let rejection = kit.rejection(wat::parse_str(component).unwrap()).await;
    assert_eq!(rejection.code(), "foreign-import");
    assert!(rejection.remedy().contains("for WASI 0.2"));
}

#[tokio::test]
async fn missing_and_mistyped_exports_are_named() {
    let kit = Kit::new(|_| ());
    for (wat, name) in [
        ("(module)", "fermata:activity/run@0.1.0#describe"),
        (
            r#"(module (memory (export "memory") 1) (func (export "fermata:activity/run@0.1.0#describe")))"#,
            "fermata:activity/run@0.1.0#run",
        ),
        ("(component)", "fermata:activity/run@0.1.0#describe"),
        (
            r#"(component (instance $i) (export "fermata:activity/run@0.1.0" (instance $i)))"#,
            "fermata:activity/run@0.1.0",
        ),
    ] {
        match kit.rejection(wat::parse_str(wat).unwrap()).await {
            Rejection::MissingExport { name: named, .. } => assert_eq!(named, name, "{wat}"),
            other => panic!("{wat}: {other}"),
        }
    }
    let foreign = r#"(import "fermata:activity/log@0.1.0" "wrote" (func))"#;
    let rejection = kit
        .rejection(
            Source {
                imports: foreign,
                ..Source::default()
            }
            .module(),
        )
        .await;
    assert_eq!(rejection.code(), "invalid");
    let mistyped = r#"(import "fermata:activity/log@0.1.0" "write" (func (param f64)))"#;
    let rejection = kit
        .rejection(
            Source {
                imports: mistyped,
                ..Source::default()
            }
            .module(),
        )
        .await;
    assert_eq!(rejection.code(), "invalid");
}

#[tokio::test]
async fn bombs_are_turned_away_before_they_are_compiled() {
    let functions = format!("(module {})", "(func)".repeat(2_000));
    let body = format!("(module (func {}))", "(drop (i32.const 1))".repeat(2_000));
    let types = format!("(module {})", "(type (func))".repeat(2_000));
    let nested = format!("{}{}", "(component ".repeat(20), ")".repeat(20));
    let kit = Kit::limited(|limits| {
        limits.component_functions = 1_000;
        limits.function_bytes = 1_000;
        limits.component_items = 1_000;
    });
    for (wat, expected) in [
        (functions, "functions"),
        (body, "function"),
        (types, "items"),
        (nested, "nesting"),
    ] {
        match kit.rejection(wat::parse_str(wat).unwrap()).await {
            Rejection::CompileLimit { limit, .. } => assert_eq!(limit, expected),
            other => panic!("{expected}: {other}"),
        }
    }
}

#[tokio::test]
async fn describe_has_to_return_a_descriptor_soon() {
    let kit = Kit::limited(|limits| {
        limits.describe_cpu = fermata_core::time::Span(20);
        limits.descriptor_bytes = 1_000;
    });
    let long = format!(
        r#"{{"name":"probe","version":"1.2.3","summary":"{}"}}"#,
        "x".repeat(1_000)
    );
    for (descriptor, said) in [
        ("not json", "expected"),
        ("[]", ""),
        (r#"{"name":"probe"}"#, "version"),
        (r#"{"name":"Probe!","version":"1.2.3"}"#, "name"),
        (r#"{"name":"probe","version":"1.2"}"#, "MAJOR.MINOR.PATCH"),
        (
            r#"{"name":"probe","version":"1.2.3","wishes":[]}"#,
            "wishes",
        ),
        (
            r#"{"name":"probe","version":"1.2.3","outputs":{"type":"objekt"}}"#,
            "schema of the outputs",
        ),
        (
            r#"{"name":"probe","version":"1.2.3","inputs":{"$ref":"https://example.com/x"}}"#,
            "schema of the inputs",
        ),
        (
            r#"{"name":"probe","version":"1.2.3","timeout":"soon"}"#,
            "soon",
        ),
        (
            r#"{"name":"probe","version":"1.2.3","idempotency":"sometimes"}"#,
            "sometimes",
        ),
        (
            r#"{"name":"probe","version":"1.2.3","idempotency":"none","retry":{"attempts":3}}"#,
            "more than one attempt",
        ),
        (
            r#"{"name":"probe","version":"1.2.3","capabilities":{"http":[{"host":"https://a/b"}]}}"#,
            "is a URL",
        ),
        (
            r#"{"name":"probe","version":"1.2.3","capabilities":{"http":[{"host":"a","methods":["get"]}]}}"#,
            "upper-case",
        ),
        (
            r#"{"name":"probe","version":"1.2.3","capabilities":{"evidence":["Not A Kind"]}}"#,
            "Not A Kind",
        ),
        (&long, "1000 are allowed"),
    ] {
        match kit
            .rejection(
                Source {
                    descriptor,
                    ..Source::default()
                }
                .module(),
            )
            .await
        {
            Rejection::BadDescriptor { reason } => {
                assert!(reason.contains(said), "{descriptor}: {reason}");
            }
            other => panic!("{descriptor}: {other}"),
        }
    }
    let start = "(func $spin (loop $again (br $again))) (start $spin)";
    for (more, said) in [
        (start, "cpu"),
        ("(func $crash unreachable) (start $crash)", "crash"),
    ] {
        match kit
            .rejection(
                Source {
                    more,
                    ..Source::default()
                }
                .module(),
            )
            .await
        {
            Rejection::DescribeFailed { reason } => assert!(reason.contains(said), "{reason}"),
            other => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn a_module_that_asks_for_preview_1_gets_a_harmless_one() {
    let preview = r#"(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_open"
          (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))"#;
    let kit = Kit::new(|_| ());
    let run = "(drop (call $random (i32.const 4000) (i32.const 8))) (call $succeed «{\"a\":1}»)";
    let ran = kit
        .run(
            Source {
                imports: preview,
                run,
                ..Source::default()
            }
            .module(),
            "{}",
        )
        .await;
    assert_eq!(outputs(&ran), serde_json::json!({ "a": 1 }));
    let imports = r#"(import "wasi_snapshot_preview1" "no_such" (func))"#;
    let rejection = kit
        .rejection(
            Source {
                imports,
                ..Source::default()
            }
            .module(),
        )
        .await;
    assert_eq!(rejection.code(), "invalid");
}

#[tokio::test]
async fn describe_has_a_wall_as_well() {
    let kit = Kit::limited(|limits| limits.describe_wall = fermata_core::time::Span(30));
    let more = "(func $spin (loop $again (br $again))) (start $spin)";
    match kit
        .rejection(
            Source {
                more,
                ..Source::default()
            }
            .module(),
        )
        .await
    {
        Rejection::DescribeFailed { reason } => {
            assert!(reason.contains("longer than 30ms"), "{reason}");
        }
        other => panic!("{other}"),
    }
}
