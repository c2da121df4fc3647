//! A VM made safe: libraries, limits and the sandbox, after the recipe of `docs/architecture.md`.

use mlua::chunk::{ChunkMode, Compiler};
use mlua::{Function, Lua, LuaOptions, StdLib, Table, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What a script could use to leave the sandbox, to stall in C code, or to be unlike itself in the
/// next run.
const REMOVED: &[&str] = &[
    "loadstring",
    "getfenv",
    "setfenv",
    "newproxy",
    "collectgarbage",
    "gcinfo",
    "debug",
    "dofile",
    "loadfile",
    "load",
    "module",
    "vector",
];

/// The longest text that the plain C loops of `string.find` and `string.split` may be given.
const MAX_C_TEXT: usize = 1 << 16;
/// The largest table that C loops (`table.sort`, `table.move`, `table.concat`) may be given.
const MAX_C_TABLE: usize = 200_000;

/// A VM with the trusted libraries loaded and the compiler set; the sandbox is still open.
pub fn open(seed: u64) -> mlua::Result<Lua> {
    // `debug` and `os` are for the prelude only; `close` takes them away.
    let lua = Lua::new_with(StdLib::ALL_SAFE, LuaOptions::new().catch_rust_panics(true))?;
    lua.set_compiler(compiler());
    lua.enable_jit(true);
    let randomseed: Function = lua.globals().get::<Table>("math")?.get("randomseed")?;
    // Luau takes 32 bits of seed.
    #[allow(clippy::cast_precision_loss)]
    randomseed.call::<()>((seed % (1 << 31)) as f64)?;
    Ok(lua)
}

fn compiler() -> Compiler {
    Compiler::new().set_optimization_level(2).set_debug_level(1)
}

/// Whether a chunk's functions become machine code: worth it for what runs at every event.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Code {
    Native,
    Interpreted,
}

/// A text of this program as a function of the VM. Each is compiled once in a process, so that a
/// reload does not pay for it; no other bytecode is ever loaded. In failures it is called `name`.
pub fn trusted(lua: &Lua, name: &str, text: &'static str, code: Code) -> mlua::Result<Function> {
    static COMPILED: Mutex<BTreeMap<&'static str, Arc<[u8]>>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let bytes = match compiled.get(text) {
        Some(bytes) => Arc::clone(bytes),
        None => {
            let bytes: Arc<[u8]> = compiler().compile(text)?.into();
            compiled.insert(text, Arc::clone(&bytes));
            bytes
        }
    };
    drop(compiled);
    lua.enable_jit(code == Code::Native);
    let chunk = lua.load(&*bytes).set_name(format!("={name}")).set_mode(ChunkMode::Binary);
    let function = chunk.into_function();
    lua.enable_jit(true);
    function
}

/// Takes the dangerous away, installs the host's replacements and closes the sandbox.
pub fn close(lua: &Lua, prelude: &Table, print: Function, memory: usize) -> mlua::Result<()> {
    let globals = lua.globals();
    for name in REMOVED {
        globals.raw_set(*name, Value::Nil)?;
    }
    globals.raw_set("os", prelude.get::<Table>("os")?)?;
    globals.raw_set("require", prelude.get::<Function>("require")?)?;
    globals.raw_set("print", print)?;
    super::bind::globals(lua, prelude)?;
    let table: Table = globals.get("table")?;
    table.raw_set("clone", prelude.get::<Function>("clone")?)?;
    let guards = trusted(lua, "lunario", GUARDS, Code::Interpreted)?;
    let guards: Table = guards.call((MAX_C_TEXT, MAX_C_TABLE))?;
    for library in ["string", "table"] {
        let target: Table = globals.get(library)?;
        for pair in guards.get::<Table>(library)?.pairs::<String, Function>() {
            let (name, guarded) = pair?;
            target.raw_set(name, guarded)?;
        }
    }
    lua.sandbox(true)?;
    lua.globals().set_readonly(true);
    lua.set_memory_limit(memory)?;
    Ok(())
}

/// Loops in C that no interrupt can stop get a limit of size instead.
const GUARDS: &str = r#"
local MAX_TEXT, MAX_TABLE = ...
local find, split, rep = string.find, string.split, string.rep
local sort, move, concat = table.sort, table.move, table.concat
local function small(where, text)
	if type(text) == "string" and #text > MAX_TEXT then
		error(`{where}: the text has {#text} bytes; at most {MAX_TEXT} here`, 3)
	end
end
local function short(where, list, first, last)
	local count = if first then last - first + 1 elseif type(list) == "table" then #list else 0
	if count > MAX_TABLE then
		error(`{where}: {count} elements; at most {MAX_TABLE} here`, 3)
	end
end
return {
	string = {
		find = function(text, pattern, ...)
			small("string.find", text)
			return find(text, pattern, ...)
		end,
		split = function(text, separator)
			small("string.split", text)
			return split(text, separator)
		end,
		rep = function(text, count)
			local known = type(text) == "string" and type(count) == "number"
			if known and #text * count > MAX_TEXT * 16 then
				error("string.rep: the result would be too long", 2)
			end
			return rep(text, count)
		end,
	},
	table = {
		sort = function(list, less)
			short("table.sort", list)
			return sort(list, less)
		end,
		move = function(from, first, last, at, to)
			if type(first) == "number" and type(last) == "number" then
				short("table.move", nil, first, last)
			end
			return move(from, first, last, at, to)
		end,
		concat = function(list, separator, first, last)
			if type(first) == "number" and type(last) == "number" then
				short("table.concat", nil, first, last)
			end
			return concat(list, separator, first, last)
		end,
	},
}
"#;
