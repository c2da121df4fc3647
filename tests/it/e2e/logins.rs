//! Ways to log in at FlowBTC, over real sockets: an API key, a second factor from its secret, and
//! a second factor that nobody can type.

use super::program::{Ended, Folder, Program, text};
use serde_json::Value;

/// Reads its own account once.
const READS: &str = r#"
local s = { subscribe = { "trades flowbtc:BTCBRL" } }
function s.on_start(ctx)
	ctx:every(0.05, "read")
end
function s.on_timer(ctx)
	if ctx.state.read then return end
	ctx.state.read = true
	ctx.log:info("account " .. flowbtc.GetAccountInfo({}).AccountId)
end
return s
"#;

/// The test accounts of the ready line.
struct Accounts(Value);

impl Accounts {
    fn of(&self, at: usize, key: &str) -> String {
        let row = &self.0["accounts"][at];
        row[key].as_str().map_or_else(|| row[key].to_string(), str::to_owned)
    }
}

fn venue() -> (Folder, Program, Accounts) {
    let folder = Folder::new();
    folder.write("scripts/reads.luau", READS);
    let mut venue = folder.start("venue --json");
    let ready = venue.line("ready", |line| line.contains("ready"));
    (folder, venue, Accounts(serde_json::from_str(&ready).unwrap()))
}

fn run(folder: &Folder, accounts: &Accounts, variables: &[(&str, String)], wanted: &str) -> Ended {
    let url = text(&accounts.0["flowbtc_ws"]);
    let mut command = folder.command(&format!("run --json -vv --flowbtc-ws {url}"));
    command.env_remove("LUNARIO_FLOWBTC_PASSWORD");
    for (name, value) in variables {
        command.env(name, value);
    }
    let mut program = Program::start(command);
    program.line(wanted, |line| line.contains(wanted));
    program.interrupt();
    program.end()
}

/// None of these texts is printed or on disk.
fn kept_secret(folder: &Folder, ended: &Ended, secrets: &[String]) {
    for secret in secrets {
        assert!(!ended.stdout().contains(secret) && !ended.stderr().contains(secret), "{ended:?}");
        assert!(!folder.state_holds(secret));
    }
}

#[test]
fn an_api_key_logs_in_without_a_password() {
    let (folder, venue, accounts) = venue();
    let (key, secret) = (accounts.of(0, "api_key"), accounts.of(0, "secret"));
    let variables = [
        ("LUNARIO_FLOWBTC_API_KEY", key.clone()),
        ("LUNARIO_FLOWBTC_API_SECRET", secret.clone()),
        ("LUNARIO_FLOWBTC_USER_ID", accounts.of(0, "user_id")),
    ];
    let wanted = format!("account {}", accounts.of(0, "account_id"));
    let ended = run(&folder, &accounts, &variables, &wanted);
    kept_secret(&folder, &ended, &[key, secret]);
    venue.interrupt();
    assert_eq!(venue.end().code, 0);
}

#[test]
fn the_second_factors_codes_are_made_from_its_secret() {
    let (folder, venue, accounts) = venue();
    let (password, totp) = (accounts.of(1, "password"), accounts.of(1, "totp"));
    let mut variables = vec![
        ("LUNARIO_FLOWBTC_USER", accounts.of(1, "user")),
        ("LUNARIO_FLOWBTC_PASSWORD", password.clone()),
        ("LUNARIO_FLOWBTC_TOTP", totp.clone()),
    ];
    let wanted = format!("account {}", accounts.of(1, "account_id"));
    let ended = run(&folder, &accounts, &variables, &wanted);
    kept_secret(&folder, &ended, &[password, totp]);
    // Without the secret somebody has to type a code, and here is no terminal.
    variables.pop();
    let ended = run(&folder, &accounts, &variables, "asks for a second factor");
    assert!(ended.stderr().contains("set `totp_env` under [venues.flowbtc]"), "{ended:?}");
    venue.interrupt();
    assert_eq!(venue.end().code, 0);
}
