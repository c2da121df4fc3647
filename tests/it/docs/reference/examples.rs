//! The examples run against replies made from the table: they send documented fields only, read
//! documented fields only, and live with a call that is not granted.

use super::{example, spelled};
use lunario::calls::{self, By, Call, Field, Kind, Reply, flowbtc};
use mlua::{Lua, Table, Value};

/// What a handler has in scope. A reply's table raises on a field that it does not have.
const AROUND: &str = r#"
local function say(_, message, fields)
	assert(type(message) == "string", "a log line begins with its message")
	assert(fields == nil or type(fields) == "table", "fields are a table")
end
ctx = {
	now = 1700000000,
	log = { debug = say, info = say, warn = say, error = say },
	alert = say,
}
function strict(fields, of)
	return setmetatable(fields, {
		__index = function(_, key)
			error(of .. " answers no field " .. tostring(key))
		end,
	})
end
function failing(fields)
	return function()
		error(fields)
	end
end
"#;

fn text(lua: &Lua, text: &str) -> Value {
    Value::String(lua.create_string(text).unwrap())
}

fn sample(lua: &Lua, of: &str, kind: Kind) -> Value {
    match kind {
        Kind::Int | Kind::Stamp => Value::Number(1.0),
        Kind::Dec | Kind::Number => Value::Number(60_000.5),
        Kind::Id => text(lua, "9222816249026513000"),
        Kind::Text => text(lua, "60000.50000"),
        Kind::Bool => Value::Boolean(true),
        Kind::Word(words) => text(lua, words[0]),
        Kind::Object(fields) => Value::Table(object(lua, of, fields)),
        Kind::List(fields) => list(lua, object(lua, of, fields)),
        Kind::Keyed(fields) => keyed(lua, of, fields),
        Kind::Rows(columns) => list(lua, row(lua, of, columns)),
        Kind::Numbers => Value::Table(lua.create_sequence_from([1, 2]).unwrap()),
    }
}

fn object(lua: &Lua, of: &str, fields: &[Field]) -> Table {
    let table = lua.create_table().unwrap();
    for field in fields.iter().filter(|field| field.by != By::Host) {
        table.raw_set(field.name, sample(lua, of, field.kind)).unwrap();
    }
    let strict: mlua::Function = lua.globals().get("strict").unwrap();
    strict.call((table, of)).unwrap()
}

fn row(lua: &Lua, of: &str, columns: &[Field]) -> Table {
    let cells = columns.iter().map(|column| sample(lua, of, column.kind));
    lua.create_sequence_from(cells).unwrap()
}

fn list(lua: &Lua, item: Table) -> Value {
    Value::Table(lua.create_sequence_from([item]).unwrap())
}

fn keyed(lua: &Lua, of: &str, fields: &[Field]) -> Value {
    let table = lua.create_table().unwrap();
    table.raw_set("27176", object(lua, of, fields)).unwrap();
    Value::Table(table)
}

fn answer(lua: &Lua, call: &Call) -> Value {
    let of = call.name;
    match call.reply {
        Reply::Receipt => Value::Table(object(lua, of, flowbtc::RECEIPT)),
        Reply::Object(fields) => Value::Table(object(lua, of, fields)),
        Reply::Objects(fields) => list(lua, object(lua, of, fields)),
        Reply::Rows(columns) => list(lua, row(lua, of, columns)),
        Reply::Keyed(fields) => keyed(lua, of, fields),
        Reply::Numbers => sample(lua, of, Kind::Numbers),
    }
}

/// What is wrong with the fields that a script gave.
fn wrong(fields: &[Field], one_of: &[&str], given: &Table) -> Option<String> {
    for pair in given.pairs::<String, Value>() {
        let Ok((name, value)) = pair else { return Some("a field without a name".to_owned()) };
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            return Some(format!("there is no field {name}"));
        };
        if field.by == By::Host {
            return Some(format!("{name} is the host's"));
        }
        if let Kind::List(inner) = field.kind
            && let Value::Table(items) = value
        {
            let items = items.sequence_values::<Table>();
            let first = items.filter_map(|item| wrong(inner, &[], &item.unwrap())).next();
            if first.is_some() {
                return first;
            }
        }
    }
    let has = |name: &str| given.contains_key(name).unwrap();
    let needed = fields.iter().filter(|field| field.required && field.by == By::Script);
    let lost = needed.map(|field| field.name).find(|name| !has(name));
    if let Some(lost) = lost {
        return Some(format!("{lost} is missing"));
    }
    let chosen = one_of.iter().filter(|name| has(name)).count();
    (!one_of.is_empty() && chosen != 1).then(|| format!("exactly one of {one_of:?} is given"))
}

fn called(lua: &Lua, call: &'static Call) -> Value {
    let run = move |lua: &Lua, given: Option<Table>| {
        let given = match given {
            Some(given) => given,
            None => lua.create_table()?,
        };
        match wrong(call.args, call.one_of, &given) {
            Some(why) => Err(mlua::Error::runtime(format!("{}: {why}", call.name))),
            None => Ok(answer(lua, call)),
        }
    };
    Value::Function(lua.create_function(run).unwrap())
}

/// A granted call of a strategy that has no grant.
fn not_granted(lua: &Lua, venue: &str, call: &Call) -> Value {
    let fields = lua.create_table().unwrap();
    for (name, value) in [
        ("kind", "not_granted"),
        ("venue", venue),
        ("call", call.name),
        ("message", "it is not granted"),
        ("outcome", "refused"),
    ] {
        fields.raw_set(name, value).unwrap();
    }
    let failing: mlua::Function = lua.globals().get("failing").unwrap();
    failing.call(fields).unwrap()
}

fn run(text: &str, granted: bool) -> Result<(), String> {
    let lua = Lua::new();
    lua.load(AROUND).exec().unwrap();
    for venue in calls::VENUES {
        let table = lua.create_table().unwrap();
        for call in calls::of(venue) {
            let refused = call.grant && !granted;
            let function =
                if refused { not_granted(&lua, venue, call) } else { called(&lua, call) };
            for name in call.spelled() {
                table.raw_set(name, function.clone()).unwrap();
            }
        }
        lua.globals().raw_set(venue, table).unwrap();
    }
    lua.load(text).exec().map_err(|err| err.to_string())
}

#[test]
fn examples_send_and_read_documented_fields_only() {
    let mut failed = Vec::new();
    for venue in calls::VENUES {
        for call in calls::of(venue) {
            for granted in [true, false] {
                if let Err(why) = run(&example(venue, call), granted) {
                    failed.push(format!("{venue}.{}: {why}", spelled(call)));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// (an example, what is said of it)
#[test]
fn wrong_examples_are_found() {
    for (text, expected) in [
        ("flowbtc.GetLevel1({ InstrumentId = 1 })", ""),
        ("flowbtc.GetLevel1({ InstrmentId = 1 })", "there is no field InstrmentId"),
        ("flowbtc.GetLevel1()", "InstrumentId is missing"),
        ("print(flowbtc.GetLevel1({ InstrumentId = 1 }).Bid)", "answers no field Bid"),
        ("flowbtc.CancelOrder({})", "exactly one of"),
        ("flowbtc.WebAuthenticateUser({ UserName = \"u\" })", "is the host's"),
        ("print(flowbtc.GetUserInfo().Email)", "answers no field Email"),
        ("sentra.trades({ account_number = \"1\", trades = { {} } })", "ticket is missing"),
        ("ctx.log:info(1)", "begins with its message"),
    ] {
        let said = run(text, true).err().unwrap_or_default();
        let fits = if expected.is_empty() { said.is_empty() } else { said.contains(expected) };
        assert!(fits, "{text}\n  says {said:?}\n  not  {expected:?}");
    }
}
