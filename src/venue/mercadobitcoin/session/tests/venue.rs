//! What the small venue of these tests does with a request that reaches it.

use super::{Resting, Rig};
use std::collections::BTreeMap;

impl Rig {
    pub(super) fn execute(&mut self, pairs: &BTreeMap<String, String>) -> String {
        let seconds = self.now.nanos() / 1_000_000_000;
        let picked: Vec<Resting> = match pairs["method"].as_str() {
            "getInfo" => {
                return format!(
                    r#"{{"success":1,"return":{{"funds":{{"brl":"1.5","brl_with_open_orders":"2.0"}},"server_time":"{seconds}","open_orders":0}}}}"#
                );
            }
            "Trade" => {
                let order = Resting {
                    id: i64::try_from(self.orders.len()).unwrap() + 100,
                    status: "active",
                    created: seconds,
                    price: pairs["price"].clone(),
                    volume: pairs["volume"].clone(),
                    side: pairs["type"].clone(),
                    operations: "{}".to_owned(),
                };
                if order.volume == "13.00000000" {
                    return r#"{"success":0,"error":"Saldo insuficiente."}"#.to_owned();
                }
                self.orders.push(order.clone());
                vec![order]
            }
            "CancelOrder" => {
                let id: i64 = pairs["order_id"].parse().unwrap();
                let order = self.orders.iter_mut().find(|order| order.id == id);
                match order.filter(|order| order.status == "active") {
                    Some(order) => {
                        order.status = "canceled";
                        vec![order.clone()]
                    }
                    None => return r#"{"success":0,"error":"Ordem inativa."}"#.to_owned(),
                }
            }
            _ => {
                let bound = |key: &str| pairs.get(key).map(|text| text.parse::<i64>().unwrap());
                let fits = |order: &&Resting| {
                    bound("from_id").is_none_or(|from| order.id >= from)
                        && bound("end_id").is_none_or(|end| order.id <= end)
                        && bound("since").is_none_or(|since| order.created >= since)
                };
                self.orders.iter().filter(fits).cloned().collect()
            }
        };
        let rows: Vec<String> = picked
            .iter()
            .map(|o| {
                format!(
                    r#""{}":{{"status":"{}","created":"{}","price":"{}","volume":"{}","pair":"btc_brl","type":"{}","operations":{}}}"#,
                    o.id, o.status, o.created, o.price, o.volume, o.side, o.operations
                )
            })
            .collect();
        format!(r#"{{"success":1,"return":{{{}}}}}"#, rows.join(","))
    }
}
