//! `interval` as the server sends it: microseconds, days and months, which it keeps apart.

use bindings::postgres4::postgres::Interval;
use bytes::{BufMut, BytesMut};
use pg::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use std::error::Error;

/// An interval on its way to or from the server.
#[derive(Debug)]
pub(super) struct Span(pub(super) Interval);

type Failure = Box<dyn Error + Sync + Send>;

impl FromSql<'_> for Span {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, Failure> {
        let (micros, rest) = raw.split_first_chunk::<8>().ok_or("an interval is cut short")?;
        let (days, rest) = rest.split_first_chunk::<4>().ok_or("an interval is cut short")?;
        let months: [u8; 4] = rest.try_into()?;
        Ok(Self(Interval {
            micros: i64::from_be_bytes(*micros),
            days: i32::from_be_bytes(*days),
            months: i32::from_be_bytes(months),
        }))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::INTERVAL
    }
}

impl ToSql for Span {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        out.put_i64(self.0.micros);
        out.put_i32(self.0.days);
        out.put_i32(self.0.months);
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::INTERVAL
    }

    to_sql_checked!();
}
