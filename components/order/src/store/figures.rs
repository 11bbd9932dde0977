use relay::outbox;
use store::{Db, DbError, params};

use crate::app::{Counted, Figures};

impl Figures for Db {
    fn count(&self) -> Result<Counted, DbError> {
        let lag = outbox::lag(self)?;
        Ok(Counted {
            states: words(self, include_str!("../sql/count_by_state.sql"))?,
            decided: words(self, include_str!("../sql/count_decided.sql"))?,
            work: words(self, include_str!("../sql/count_work.sql"))?,
            stuck: stuck(self)?,
            unacknowledged: lag.events,
            oldest_unacknowledged: lag.oldest,
        })
    }
}

fn words(db: &Db, statement: &str) -> Result<Vec<(String, i64)>, DbError> {
    let rows = db.read(statement, params![])?;
    let counted = |row: &store::Row| Ok((row.get("word")?, row.get("number")?));
    rows.iter().map(counted).collect()
}

fn stuck(db: &Db) -> Result<i64, DbError> {
    let row = db.read_one(include_str!("../sql/count_stuck.sql"), params![])?;
    row.map_or(Ok(0), |row| Ok(row.get("number")?))
}
