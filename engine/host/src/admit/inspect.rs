//! A look at uploaded bytes, before anything expensive or dangerous is done with them.

use fermata_core::component::World;
use wasmparser::{
    ComponentInstance, ComponentType, ComponentTypeRef, Encoding, Instance, Parser, Payload,
    Validator, WasmFeatures,
};
use wasmtime::Engine;

use crate::admit::contract::{PREVIEW1, UNDO, exported, is_of_activities, offers, offers_to_core};
use crate::limits::Limits;
use crate::rejection::Rejection;

/// What the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A component, ready to be compiled.
    Component,
    /// A core module, to be made a component.
    Core {
        /// Whether it imports WASI preview 1.
        preview1: bool,
    },
}

/// What a look at the bytes shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inspected {
    pub(crate) form: Form,
    pub(crate) world: World,
    pub(crate) exports_undo: bool,
}

/// Bytes that a declared type has on average, with the names in it.
const TYPE_BYTES: u64 = 8;
const MAGIC: &[u8] = b"\0asm";

/// Looks at `bytes`: valid WebAssembly, within the limits, importing and exporting what the contract says.
pub(crate) fn inspect(bytes: &[u8], limits: &Limits) -> Result<Inspected, Rejection> {
    let size = bytes.len() as u64;
    if size > limits.component_bytes {
        return Err(Rejection::TooLarge {
            bytes: size,
            max: limits.component_bytes,
        });
    }
    if Engine::detect_precompiled(bytes).is_some() {
        return Err(Rejection::Precompiled);
    }
    if !bytes.starts_with(MAGIC) {
        return Err(Rejection::NotWasm);
    }
    let inspected = count(bytes, limits)?;
    Validator::new_with_features(features())
        .validate_all(bytes)
        .map_err(invalid)?;
    Ok(inspected)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that `map_err` asks for"
)]
fn invalid(error: wasmparser::BinaryReaderError) -> Rejection {
    Rejection::Invalid {
        reason: error.to_string(),
    }
}

/// What the engine runs: the WebAssembly that compilers emit by default.
fn features() -> WasmFeatures {
    let off = WasmFeatures::THREADS
        | WasmFeatures::MEMORY64
        | WasmFeatures::MULTI_MEMORY
        | WasmFeatures::RELAXED_SIMD
        | WasmFeatures::GC
        | WasmFeatures::EXCEPTIONS;
    WasmFeatures::default().difference(off)
}

/// Counters over all modules and components within the bytes.
struct Count<'a> {
    limits: &'a Limits,
    functions: u64,
    items: u64,
    depth: u64,
    form: Option<Encoding>,
    preview1: bool,
    /// For each world, which of the two functions that it asks for are exported.
    worlds: [[bool; 2]; WORLDS.len()],
    undo: bool,
    /// The first import that only activities may have.
    of_activities: Option<String>,
    foreign: Option<String>,
}

/// What a component can be.
const WORLDS: [World; 3] = [World::Activity, World::Policy, World::Notifier];

fn count(bytes: &[u8], limits: &Limits) -> Result<Inspected, Rejection> {
    let mut count = Count {
        limits,
        functions: 0,
        items: 0,
        depth: 0,
        form: None,
        preview1: false,
        worlds: [[false; 2]; WORLDS.len()],
        undo: false,
        of_activities: None,
        foreign: None,
    };
    for payload in Parser::new(0).parse_all(bytes) {
        count.payload(&payload.map_err(invalid)?)?;
    }
    let world = count.world();
    if let Some(name) = count.foreign {
        let world = world.unwrap_or_default();
        return Err(Rejection::ForeignImport { world, name });
    }
    let world = world?;
    let form = match count.form {
        Some(Encoding::Component) => Form::Component,
        _ => Form::Core {
            preview1: count.preview1,
        },
    };
    Ok(Inspected {
        form,
        world,
        exports_undo: count.undo,
    })
}

impl Count<'_> {
    /// The one world of which something is exported.
    fn world(&mut self) -> Result<World, Rejection> {
        let found = WORLDS.iter().zip(self.worlds);
        let mut found = found.filter(|(_, there)| there.contains(&true));
        let (&world, there) = found.next().unwrap_or((&World::Activity, [false; 2]));
        let (interface, functions) = exported(world);
        if let Some((&other, _)) = found.next() {
            let also = exported(other).0;
            return Err(Rejection::ManyWorlds { interface, also });
        }
        if self.undo && !world.is_activity() {
            let also = UNDO;
            return Err(Rejection::ManyWorlds { interface, also });
        }
        if let Some((_, function)) = there.iter().zip(functions).find(|(there, _)| !**there) {
            return Err(Rejection::MissingExport {
                name: format!("{interface}#{function}"),
                reason: "it is not there".into(),
            });
        }
        if !world.is_activity() && self.foreign.is_none() {
            self.foreign = self.of_activities.take();
        }
        Ok(world)
    }

    /// Notes that a function of a world is exported, or all of them.
    fn exports_of_world(&mut self, interface: &str, function: Option<&str>) {
        for (world, there) in WORLDS.iter().zip(&mut self.worlds) {
            let (name, functions) = exported(*world);
            if interface == name {
                for (there, name) in there.iter_mut().zip(functions) {
                    *there |= function.is_none_or(|function| function == name);
                }
            }
        }
    }

    fn payload(&mut self, payload: &Payload<'_>) -> Result<(), Rejection> {
        match payload {
            Payload::Version { encoding, .. } => {
                self.form.get_or_insert(*encoding);
                self.depth += 1;
                bound("nesting", self.depth, self.limits.component_nesting)
            }
            Payload::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                Ok(())
            }
            Payload::FunctionSection(section) => {
                self.functions += u64::from(section.count());
                bound("functions", self.functions, self.limits.component_functions)
            }
            Payload::CodeSectionEntry(body) => bound(
                "function",
                body.range().len() as u64,
                self.limits.function_bytes,
            ),
            _ => {
                self.read_to_count(payload)?;
                self.items(items(payload))?;
                // Imports and exports of what is within are its own affair.
                if self.depth == 1 {
                    self.contract(payload)
                } else {
                    Ok(())
                }
            }
        }
    }

    /// Counts what is within types and instances. That they are read takes many times the memory of their bytes.
    fn read_to_count(&mut self, payload: &Payload<'_>) -> Result<(), Rejection> {
        match payload {
            Payload::TypeSection(section) => self.small(section.range().len()),
            Payload::CoreTypeSection(section) => self.small(section.range().len()),
            Payload::ComponentTypeSection(section) => {
                self.small(section.range().len())?;
                let mut types = section.clone().into_iter();
                types.try_for_each(|ty| self.items(declarations(&ty.map_err(invalid)?)))
            }
            Payload::InstanceSection(section) => {
                self.small(section.range().len())?;
                let mut instances = section.clone().into_iter();
                instances.try_for_each(|instance| match instance.map_err(invalid)? {
                    Instance::Instantiate { args, .. } => self.items(length(&args)),
                    Instance::FromExports(exports) => self.items(length(&exports)),
                })
            }
            Payload::ComponentInstanceSection(section) => {
                self.small(section.range().len())?;
                let mut instances = section.clone().into_iter();
                instances.try_for_each(|instance| match instance.map_err(invalid)? {
                    ComponentInstance::Instantiate { args, .. } => self.items(length(&args)),
                    ComponentInstance::FromExports(exports) => self.items(length(&exports)),
                })
            }
            _ => Ok(()),
        }
    }

    /// Whether the outermost thing imports and exports what the contract says.
    fn contract(&mut self, payload: &Payload<'_>) -> Result<(), Rejection> {
        match payload {
            Payload::ImportSection(section) => self.core_imports(section.clone()),
            Payload::ExportSection(section) => self.core_exports(section.clone()),
            Payload::ComponentImportSection(section) => self.imports(section.clone()),
            Payload::ComponentExportSection(section) => self.exports(section.clone()),
            _ => Ok(()),
        }
    }

    fn items(&mut self, more: u32) -> Result<(), Rejection> {
        self.items += u64::from(more);
        bound("items", self.items, self.limits.component_items)
    }

    /// Types are counted after they were read, which takes many times the memory of their bytes.
    fn small(&self, bytes: usize) -> Result<(), Rejection> {
        let least = bytes as u64 / TYPE_BYTES;
        bound("items", least, self.limits.component_items)
    }

    fn foreign(&mut self, name: &str) {
        self.foreign.get_or_insert_with(|| name.into());
    }

    fn import(&mut self, interface: &str) {
        if is_of_activities(interface) {
            self.of_activities.get_or_insert_with(|| interface.into());
        }
    }

    fn core_imports(
        &mut self,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), Rejection> {
        for import in section.into_imports() {
            let import = import.map_err(invalid)?;
            self.preview1 |= import.module == PREVIEW1;
            self.import(import.module);
            if !offers_to_core(import.module) {
                self.foreign(&format!("{}#{}", import.module, import.name));
            }
        }
        Ok(())
    }

    fn core_exports(
        &mut self,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), Rejection> {
        for export in section {
            match export.map_err(invalid)?.name.split_once('#') {
                Some((UNDO, "undo")) => self.undo = true,
                Some((interface, function)) => self.exports_of_world(interface, Some(function)),
                None => {}
            }
        }
        Ok(())
    }

    fn imports(
        &mut self,
        section: wasmparser::ComponentImportSectionReader<'_>,
    ) -> Result<(), Rejection> {
        for import in section {
            let import = import.map_err(invalid)?;
            let harmless = matches!(import.ty, ComponentTypeRef::Type(_));
            if !harmless {
                self.import(import.name.name);
            }
            if !harmless && !offers(import.name.name) {
                self.foreign(import.name.name);
            }
        }
        Ok(())
    }

    fn exports(
        &mut self,
        section: wasmparser::ComponentExportSectionReader<'_>,
    ) -> Result<(), Rejection> {
        for export in section {
            match export.map_err(invalid)?.name.name {
                // Which functions the instance has, the linker checks later.
                UNDO => self.undo = true,
                interface => self.exports_of_world(interface, None),
            }
        }
        Ok(())
    }
}

/// The entries of a section of which there can be any number.
fn items(payload: &Payload<'_>) -> u32 {
    match payload {
        Payload::TypeSection(section) => section.count(),
        Payload::CoreTypeSection(section) => section.count(),
        Payload::ComponentTypeSection(section) => section.count(),
        Payload::InstanceSection(section) => section.count(),
        Payload::ComponentInstanceSection(section) => section.count(),
        Payload::ComponentAliasSection(section) => section.count(),
        Payload::ComponentCanonicalSection(section) => section.count(),
        Payload::GlobalSection(section) => section.count(),
        Payload::ElementSection(section) => section.count(),
        Payload::DataSection(section) => section.count(),
        Payload::ImportSection(section) => section.count(),
        Payload::ExportSection(section) => section.count(),
        Payload::ComponentImportSection(section) => section.count(),
        Payload::ComponentExportSection(section) => section.count(),
        _ => 0,
    }
}

/// What is declared within a type.
fn declarations(ty: &ComponentType<'_>) -> u32 {
    match ty {
        ComponentType::Component(declarations) => length(declarations),
        ComponentType::Instance(declarations) => length(declarations),
        ComponentType::Defined(_) | ComponentType::Func(_) | ComponentType::Resource { .. } => 0,
    }
}

fn length<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}

fn bound(limit: &'static str, counted: u64, max: u64) -> Result<(), Rejection> {
    if counted <= max {
        return Ok(());
    }
    Err(Rejection::CompileLimit {
        limit,
        reason: format!("there are {counted}, {max} are allowed"),
    })
}
