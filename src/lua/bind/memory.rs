//! What a strategy remembers, as its scripts hand it in and get it back.

use super::Host;
use crate::lua::values::{from_plain, to_plain};
use mlua::{Lua, LuaString, Table, Value};
use std::rc::Rc;

pub(super) fn functions(lua: &Lua, host: &Rc<Host>, table: &Table) -> mlua::Result<()> {
    let own = Rc::clone(host);
    let remember = move |_: &Lua, (name, value): (LuaString, Value)| {
        let Ok(name) = name.to_str() else {
            return Ok(Some("the name is a string that is not UTF-8".to_owned()));
        };
        let kept = to_plain(&value, &name)
            .and_then(|value| own.at(|desk, who| desk.remember(who, &name, value)));
        Ok(kept.err())
    };
    table.raw_set("remember", lua.create_function(remember)?)?;
    let own = Rc::clone(host);
    let recall = move |lua: &Lua, name: LuaString| {
        let kept = name.to_str().map(|name| own.at(|desk, who| desk.recall(who, &name)));
        let Ok(kept) = kept else { return Ok(Value::Nil) };
        let object = |class: &str, _: Table| Err(format!("an object ({class}) was remembered"));
        from_plain(lua, &kept, &object).map_err(mlua::Error::runtime)
    };
    table.raw_set("recall", lua.create_function(recall)?)
}
