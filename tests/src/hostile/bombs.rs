//! Bombs in uploads: more of something than there may be, or slower to compile than there is time.

use wasm_encoder::{
    Alias, BlockType, Component, ComponentAliasSection, ComponentExportKind,
    ComponentExportSection, ComponentInstanceSection, ComponentOuterAliasKind, ComponentTypeRef,
    ComponentTypeSection, ConstExpr, CustomSection, Encode, EntityType, ExportKind, Function,
    GlobalType, InstanceType, MemorySection, MemoryType, PrimitiveValType, Section, TypeBounds,
    ValType,
};

use crate::hostile::attack::{Attack, HOST_MIB, Step};
use crate::hostile::module::{module, nothing};
use crate::hostile::source::Source;

pub(crate) fn attacks() -> Vec<Attack> {
    let mut attacks = too_many();
    attacks.extend(too_slow());
    attacks
}

fn too_many() -> Vec<Attack> {
    vec![
        Attack::new(
            "a-million-exports",
            "a component with a million exports",
            |_| {
                let mut instances = ComponentInstanceSection::new();
                instances.export_items(std::iter::empty::<(&str, ComponentExportKind, u32)>());
                let mut exports = ComponentExportSection::new();
                exports.export(
                    "fermata:activity/run@0.1.0",
                    ComponentExportKind::Instance,
                    0,
                    None,
                );
                for number in 0..1_000_000 {
                    exports.export(format!("x{number}"), ComponentExportKind::Instance, 0, None);
                }
                let mut component = Component::new();
                component.section(&instances).section(&exports);
                vec![Step::new(component.finish(), "compile-limit items")]
            },
        ),
        Attack::new(
            "a-million-items",
            "types, globals, data, exports, declarations: a million of each",
            |_| items(),
        )
        .memory_mib(HOST_MIB + 192),
        Attack::new(
            "a-million-functions",
            "a module with a million functions",
            |_| {
                let upload = module(|parts| {
                    let body = nothing();
                    (0..1_000_000).for_each(|_| parts.function(0, &body));
                });
                vec![Step::new(upload, "compile-limit functions")]
            },
        )
        .memory_mib(HOST_MIB + 192),
        Attack::new(
            "nested-components",
            "components within components, and types within types",
            |_| {
                let nested = format!("{}{}", "(component ".repeat(60), ")".repeat(60));
                let types: Vec<String> = (1..90)
                    .map(|number| {
                        let inner = number - 1;
                        format!("(type $t{number} (tuple (list $t{inner}) $t{inner} $t{inner}))")
                    })
                    .collect();
                let types = types.concat();
                let wide = format!(
                    r#"(component (type $t0 (list u8)) {types} (instance $i) (export "fermata:activity/run@0.1.0" (instance $i)))"#
                );
                let parse = |wat: &str| wat::parse_str(wat).expect("our own WAT is valid");
                vec![
                    Step::new(parse(&nested), "compile-limit nesting").what("components"),
                    Step::new(parse(&wide), "invalid").what("types"),
                ]
            },
        ),
    ]
}

/// More than the limit of each kind of item.
fn items() -> Vec<Step> {
    let many = 300_000;
    let types = module(|parts| {
        for _ in 0..many {
            parts.types.ty().function([], []);
        }
    });
    let global = GlobalType {
        val_type: ValType::I32,
        mutable: false,
        shared: false,
    };
    let globals = module(|parts| {
        (0..many).for_each(|_| {
            parts.globals.global(global, &ConstExpr::i32_const(0));
        });
    });
    let exports = module(|parts| {
        (0..many).for_each(|number| {
            parts
                .exports
                .export(&number.to_string(), ExportKind::Func, 0);
        });
    });
    let imports = module(|parts| {
        (0..many).for_each(|number| {
            parts.imports.import(
                "fermata:activity/log@0.1.0",
                &number.to_string(),
                EntityType::Function(0),
            );
        });
    });
    let mut instance = InstanceType::new();
    for number in 0..1_000_000 {
        instance.export(
            format!("x{number}"),
            ComponentTypeRef::Type(TypeBounds::Eq(0)),
        );
    }
    let mut declarations = ComponentTypeSection::new();
    declarations.defined_type().primitive(PrimitiveValType::U8);
    declarations.instance(&instance);
    let mut declared = Component::new();
    declared.section(&declarations);
    let mut aliases = ComponentAliasSection::new();
    (0..many).for_each(|_| {
        aliases.alias(Alias::Outer {
            kind: ComponentOuterAliasKind::Type,
            count: 0,
            index: 0,
        });
    });
    let mut first = ComponentTypeSection::new();
    first.defined_type().primitive(PrimitiveValType::U8);
    let mut aliased = Component::new();
    aliased.section(&first).section(&aliases);
    [
        ("types", types),
        ("globals", globals),
        ("exports", exports),
        ("imports", imports),
        ("declarations", declared.finish()),
        ("aliases", aliased.finish()),
    ]
    .into_iter()
    .map(|(what, upload)| Step::new(upload, "compile-limit items").what(what))
    .collect()
}

fn too_slow() -> Vec<Attack> {
    vec![
        Attack::new("huge-function", "one function of 4 MiB", |_| {
            let upload = module(|parts| {
                let mut body = Function::new([]);
                for _ in 0..1_500_000 {
                    body.instructions().i32_const(1).drop();
                }
                body.instructions().unreachable().end();
                parts.function(0, &body);
            });
            vec![Step::new(upload, "compile-limit function")]
        }),
        Attack::new(
            "compile-bomb",
            "functions that are slow to compile, as large as they may be",
            |_| {
                let upload = module(|parts| {
                    let body = tangled();
                    (0..24).for_each(|_| parts.function(0, &body));
                });
                vec![Step::new(upload, "compile-limit compile-cpu")]
            },
        )
        .memory_mib(HOST_MIB + 256),
        Attack::new("locals-bomb", "functions with 50,000 locals each", |_| {
            let upload = module(|parts| {
                let mut body = Function::new([(49_999, ValType::I64)]);
                body.instructions().unreachable().end();
                (0..20_000).for_each(|_| parts.function(0, &body));
            });
            vec![Step::new(upload, "compile-limit compile-cpu")]
        }),
        Attack::new(
            "memory-from-the-start",
            "asks for 4 GiB before it runs",
            |_| {
                let upload = module(|parts| {
                    parts.memory = MemorySection::new();
                    parts.memory.memory(MemoryType {
                        minimum: 65_536,
                        maximum: None,
                        memory64: false,
                        shared: false,
                        page_size_log2: None,
                    });
                });
                vec![Step::new(upload, "compile-limit memory")]
            },
        ),
        Attack::new("padding", "60 MiB that mean nothing", |_| {
            let mut upload = Source::default().module();
            let padding = vec![0x55; 60 << 20];
            let custom = CustomSection {
                name: "padding".into(),
                data: padding.into(),
            };
            upload.push(custom.id());
            custom.encode(&mut upload);
            vec![Step::new(upload, "succeeded")]
        })
        .memory_mib(HOST_MIB + 512),
    ]
}

/// Blocks within blocks, each left from every depth: every value may come from everywhere.
fn tangled() -> Function {
    let depth: u32 = 400;
    let mut function = Function::new([(200, ValType::I32)]);
    let mut body = function.instructions();
    for _ in 0..depth {
        body.loop_(BlockType::Empty);
    }
    for number in 0..2_000 {
        body.local_get(number % 200)
            .local_get((number * 7) % 200)
            .i32_add()
            .local_set((number * 13) % 200);
        let targets: Vec<u32> = (0..depth).collect();
        body.local_get(number % 200).if_(BlockType::Empty);
        body.local_get((number * 3) % 200)
            .br_table(targets, 0)
            .end();
    }
    for _ in 0..depth {
        body.end();
    }
    body.unreachable().end();
    function
}
