use relay::outbox;
use store::{Db, DbError, Row, params};

use crate::app::{Counted, Figures};
use crate::domain::UNBOOKED;

/// The list is the rule of what is stuck, so its rows are counted and the rule stands in one place. There are few.
const STUCK: &str = concat!(
    "select count(*) as number from (",
    include_str!("../sql/list_stuck.sql"),
    ") as listed"
);

impl Figures for Db {
    fn count(&self) -> Result<Counted, DbError> {
        let rows = self.read(include_str!("../sql/count_by_state.sql"), params![])?;
        let counted = |row: &Row| Ok((row.get("word")?, row.get("number")?));
        let lag = outbox::lag(self)?;
        Ok(Counted {
            decided: rows.iter().map(counted).collect::<Result<_, DbError>>()?,
            stuck: stuck(self)?,
            unacknowledged: lag.events,
            oldest_unacknowledged: lag.oldest,
        })
    }
}

fn stuck(db: &Db) -> Result<i64, DbError> {
    let all = params![i64::MIN, 0i64, "", "", i64::MAX, UNBOOKED];
    let row = db.read_one(STUCK, all)?;
    row.map_or(Ok(0), |row| Ok(row.get("number")?))
}
