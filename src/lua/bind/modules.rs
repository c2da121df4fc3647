//! Modules of a VM, and plain data as values of its scripts.

use super::{Host, key_of};
use crate::base::{Plain, names};
use crate::lua::values::{from_plain, integer};
use crate::lua::vm::{self, Code};
use crate::lua::{graph, stdlib};
use mlua::chunk::ChunkMode;
use mlua::{Function, Lua, Table, Value};
use std::collections::BTreeMap;
use std::rc::Rc;

pub(super) fn functions(lua: &Lua, host: &Rc<Host>, table: &Table) -> mlua::Result<()> {
    let own = Rc::clone(host);
    let resolve = move |_: &Lua, (name, from): (String, String)| {
        let resolved = match name.strip_prefix("@std/") {
            Some(_) if stdlib::source(&name).is_some() => Ok(name),
            Some(_) => {
                let near = names::nearest(&name, stdlib::names());
                let hint =
                    near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
                Err(format!("there is no \"{name}\"{hint}"))
            }
            None => {
                graph::resolve(&from, &name, |path| own.sources.contains_key(path)).map_err(|_| {
                    format!(
                        "\"{name}\" is not a file beside this one that some require names literally"
                    )
                })
            }
        };
        Ok(match resolved {
            Ok(path) => (Some(path), None),
            Err(why) => (None, Some(why)),
        })
    };
    table.raw_set("resolve", lua.create_function(resolve)?)?;
    let own = Rc::clone(host);
    let compile = move |lua: &Lua, path: String| compile(lua, &own.sources, &path);
    table.raw_set("compile", lua.create_function(compile)?)?;
    let near = |_: &Lua, (word, known): (String, Table)| {
        let known: Vec<String> =
            known.pairs::<String, Value>().flatten().map(|(name, _)| name).collect();
        Ok(names::nearest(&word, known.iter().map(String::as_str)).map(str::to_owned))
    };
    table.raw_set("nearest", lua.create_function(near)?)?;
    let id_text = |lua: &Lua, (low, high): (u32, u32)| {
        lua.create_string(((u64::from(high) << 32) | u64::from(low)).cast_signed().to_string())
    };
    table.raw_set("id_text", lua.create_function(id_text)?)
}

/// A source of the graph or of the standard library as a function. Of the graph, text only:
/// bytecode is refused.
pub fn compile(
    lua: &Lua,
    sources: &BTreeMap<String, String>,
    path: &str,
) -> mlua::Result<Function> {
    if let Some(text) = stdlib::source(path) {
        return vm::trusted(lua, path, text, Code::Native);
    }
    let text = sources.get(path);
    let text = text.ok_or_else(|| mlua::Error::runtime(format!("there is no source {path}")))?;
    lua.load(text.as_str()).set_name(format!("={path}")).set_mode(ChunkMode::Text).into_function()
}

/// Plain data as a script's value, objects of `@std` classes and orders included.
pub fn restore(
    lua: &Lua,
    prelude: &Table,
    host: &Rc<Host>,
    plain: &Plain,
) -> Result<Value, String> {
    let class_of: Function = prelude.get("class_of").map_err(|err| err.to_string())?;
    let order_of: Function = prelude.get("order_of").map_err(|err| err.to_string())?;
    let object = |class: &str, fields: Table| -> Result<Value, String> {
        if class == "order" {
            let id: String = fields.raw_get("id").map_err(|err| err.to_string())?;
            let order = key_of(&id).and_then(|key| host.at(|desk, who| desk.order(who, key)));
            if let Some(order) = order {
                host.tell(lua, &order).map_err(|err| err.to_string())?;
            }
            return order_of.call(id).map_err(|err| err.to_string());
        }
        let meta: Option<Table> = class_of.call(class).map_err(|err| err.to_string())?;
        let meta = meta.ok_or_else(|| format!("there is no class {class} in @std any more"))?;
        fields.set_metatable(Some(meta)).map_err(|err| err.to_string())?;
        Ok(Value::Table(fields))
    };
    from_plain(lua, plain, &object)
}

/// A parameter's value for `ctx.params`.
pub fn parameter(lua: &Lua, plain: &Plain) -> Result<Value, String> {
    match plain {
        Plain::Int(whole) => integer(lua, *whole),
        Plain::Nil
        | Plain::Bool(_)
        | Plain::Decimal(_)
        | Plain::Number(_)
        | Plain::Text(_)
        | Plain::List(_)
        | Plain::Map(_)
        | Plain::Object(..) => {
            from_plain(lua, plain, &|class, _| Err(format!("{class} as a parameter")))
        }
    }
}
