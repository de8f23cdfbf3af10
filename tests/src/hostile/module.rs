//! Modules put together section by section, for what no text could hold.

use wasm_encoder::{
    CodeSection, DataSection, ExportKind, ExportSection, Function, FunctionSection, GlobalSection,
    ImportSection, MemorySection, MemoryType, Module, TypeSection, ValType,
};

/// A module that exports what the contract asks for, made of these parts.
pub(crate) fn module(parts: impl FnOnce(&mut Parts)) -> Vec<u8> {
    let mut made = Parts::new();
    parts(&mut made);
    made.finish()
}

/// The sections of a module in the making. Function 0 serves as `describe` and `run`.
pub(crate) struct Parts {
    pub(crate) types: TypeSection,
    pub(crate) imports: ImportSection,
    pub(crate) functions: FunctionSection,
    pub(crate) memory: MemorySection,
    pub(crate) globals: GlobalSection,
    pub(crate) exports: ExportSection,
    pub(crate) code: CodeSection,
    pub(crate) data: DataSection,
}

impl Parts {
    fn new() -> Self {
        let mut parts = Self {
            types: TypeSection::new(),
            imports: ImportSection::new(),
            functions: FunctionSection::new(),
            memory: MemorySection::new(),
            globals: GlobalSection::new(),
            exports: ExportSection::new(),
            code: CodeSection::new(),
            data: DataSection::new(),
        };
        parts.types.ty().function([], [ValType::I32]);
        parts.types.ty().function([ValType::I32], [ValType::I32]);
        parts.types.ty().function([ValType::I32; 4], [ValType::I32]);
        for ty in 0..3 {
            parts.function(ty, &nothing());
        }
        parts.memory.memory(MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        parts.exports.export("memory", ExportKind::Memory, 0);
        parts.exports.export("cabi_realloc", ExportKind::Func, 2);
        for (name, index) in [("describe", 0), ("run", 1)] {
            let name = format!("fermata:activity/run@0.1.0#{name}");
            parts.exports.export(&name, ExportKind::Func, index);
        }
        parts
    }

    pub(crate) fn function(&mut self, ty: u32, body: &Function) {
        self.functions.function(ty);
        self.code.function(body);
    }

    fn finish(self) -> Vec<u8> {
        let mut module = Module::new();
        module.section(&self.types);
        if !self.imports.is_empty() {
            module.section(&self.imports);
        }
        module
            .section(&self.functions)
            .section(&self.memory)
            .section(&self.globals)
            .section(&self.exports)
            .section(&self.code)
            .section(&self.data);
        module.finish()
    }
}

pub(crate) fn nothing() -> Function {
    let mut function = Function::new([]);
    function.instructions().unreachable().end();
    function
}
