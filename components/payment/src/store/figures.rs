use relay::outbox;
use store::{Db, DbError, Row, params};

use crate::app::{Counted, Figures};

impl Figures for Db {
    fn count(&self) -> Result<Counted, DbError> {
        let rows = self.read(include_str!("../sql/count_by_state.sql"), params![])?;
        let counted = |row: &Row| Ok((row.get("word")?, row.get("number")?));
        let lag = outbox::lag(self)?;
        Ok(Counted {
            decided: rows.iter().map(counted).collect::<Result<_, DbError>>()?,
            unacknowledged: lag.events,
            oldest_unacknowledged: lag.oldest,
        })
    }
}
