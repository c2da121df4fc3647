//! The venues' documented calls as the prelude asks for them: their names, one call, and how a
//! failed one looks.

use super::Host;
use crate::base::{CallAsk, CallFailure, CallFailureKind, VenueName};
use crate::calls;
use crate::lua::api::calls as api;
use crate::lua::arguments;
use crate::lua::values::integer;
use mlua::{Function, Lua, Table, Value};
use std::rc::Rc;

pub(super) fn functions(lua: &Lua, host: &Rc<Host>, table: &Table) -> mlua::Result<()> {
    let find = |_: &Lua, (venue, name): (String, String)| {
        Ok(match calls::find(&venue, &name) {
            Some(call) => (Some(api::shown(call, &name)), Some(call.name), None),
            None => (None, None, api::near(&venue, &name)),
        })
    };
    table.raw_set("find_call", lua.create_function(find)?)?;
    let names = |_: &Lua, venue: String| Ok(api::names(&venue));
    table.raw_set("call_names", lua.create_function(names)?)?;
    // `table.freeze` takes no table whose metatable is locked.
    let read_only = |_: &Lua, table: Table| {
        table.set_readonly(true);
        Ok(())
    };
    table.raw_set("make_read_only", lua.create_function(read_only)?)?;
    let own = Rc::clone(host);
    let call = move |lua: &Lua, (venue, name, args): (String, String, Value)| {
        Ok(
            match ask(&venue, &name, &args).and_then(|ask| own.at(|desk, who| desk.call(who, ask)))
            {
                Ok(id) => (Some(id.0), None),
                Err(failure) => (None, Some(failure_table(lua, &failure)?)),
            },
        )
    };
    table.raw_set("call", lua.create_function(call)?)
}

/// The tables of calls by the venues' names, for the scripts' globals.
pub fn globals(lua: &Lua, prelude: &Table) -> mlua::Result<()> {
    let calls_of: Function = prelude.get("calls_of")?;
    for venue in calls::VENUES {
        let table: Table = calls_of.call(venue)?;
        table.set_readonly(true);
        lua.globals().raw_set(venue, table)?;
    }
    Ok(())
}

fn ask(venue: &str, name: &str, args: &Value) -> Result<CallAsk, CallFailure> {
    let wrong = |why: String| CallFailure::refused(CallFailureKind::Arguments, why);
    let call = calls::find(venue, name).ok_or_else(|| wrong(format!("there is no {name}")))?;
    let args = arguments::checked(call, args).map_err(wrong)?;
    Ok(CallAsk { venue: VenueName::new(venue), name: call.name, args })
}

/// A failure as a table; the prelude adds what call it was.
pub fn failure_table(lua: &Lua, failure: &CallFailure) -> mlua::Result<Table> {
    let CallFailure { kind, code, message, fate, retry_after } = failure;
    let table = lua.create_table_with_capacity(0, 7)?;
    table.raw_set("kind", kind.word())?;
    if let Some(code) = code {
        table.raw_set("code", integer(lua, *code).map_err(mlua::Error::runtime)?)?;
    }
    table.raw_set("message", message.as_str())?;
    table.raw_set("outcome", fate.word())?;
    table.raw_set("retry_after", retry_after.map(crate::base::Span::seconds))?;
    Ok(table)
}
