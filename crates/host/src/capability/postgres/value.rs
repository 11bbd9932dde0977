//! Values between guests and the server, type for type as Spin carries them over.

use super::interval::Span;
use bindings::postgres4::postgres::{DbDataType, DbValue, ParameterValue, RangeBoundKind};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};
use pg::Row;
use pg::types::{FromSql, IsNull, ToSql, Type};
use postgres_range::{BoundSided, BoundType, Normalizable, Range, RangeBound};
use rust_decimal::Decimal;
use std::error::Error;
use uuid::Uuid;

/// A parameter, ready to be sent.
pub(super) type Parameter = Box<dyn ToSql + Send + Sync>;

type Bound<T> = Option<(T, RangeBoundKind)>;

/// Null for a column of any type; the crate's own `None` is of one type.
#[derive(Debug)]
struct Null;

impl ToSql for Null {
    fn to_sql(&self, _: &Type, _: &mut bytes::BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        Ok(IsNull::Yes)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(
        &self,
        _: &Type,
        _: &mut bytes::BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        Ok(IsNull::Yes)
    }
}

/// The bytes of a type that guests have no case for.
struct Raw(Vec<u8>);

impl FromSql<'_> for Raw {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.to_owned()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// What a column holds, in the guest's words.
pub(super) fn data_type(kind: &Type) -> DbDataType {
    match *kind {
        Type::BOOL => DbDataType::Boolean,
        Type::BYTEA => DbDataType::Binary,
        Type::FLOAT4 => DbDataType::Floating32,
        Type::FLOAT8 => DbDataType::Floating64,
        Type::INT2 => DbDataType::Int16,
        Type::INT4 => DbDataType::Int32,
        Type::INT8 => DbDataType::Int64,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => DbDataType::Str,
        Type::TIMESTAMP | Type::TIMESTAMPTZ => DbDataType::Datetime,
        Type::DATE => DbDataType::Date,
        Type::TIME => DbDataType::Time,
        Type::UUID => DbDataType::Uuid,
        Type::JSONB => DbDataType::Jsonb,
        Type::NUMERIC => DbDataType::Decimal,
        Type::INT4_RANGE => DbDataType::RangeInt32,
        Type::INT8_RANGE => DbDataType::RangeInt64,
        Type::NUM_RANGE => DbDataType::RangeDecimal,
        Type::INT4_ARRAY => DbDataType::ArrayInt32,
        Type::INT8_ARRAY => DbDataType::ArrayInt64,
        Type::NUMERIC_ARRAY => DbDataType::ArrayDecimal,
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => DbDataType::ArrayStr,
        Type::INTERVAL => DbDataType::Interval,
        _ => DbDataType::Other(kind.name().to_owned()),
    }
}

/// One value of a row.
pub(super) fn value(row: &Row, place: usize) -> Result<DbValue, String> {
    let columns = row.columns();
    let kind = columns
        .get(place)
        .ok_or("a row is shorter than its columns")?
        .type_();
    match *kind {
        Type::BOOL => read(row, place, DbValue::Boolean),
        Type::BYTEA => read(row, place, DbValue::Binary),
        Type::FLOAT4 => read(row, place, DbValue::Floating32),
        Type::FLOAT8 => read(row, place, DbValue::Floating64),
        Type::INT2 => read(row, place, DbValue::Int16),
        Type::INT4 => read(row, place, DbValue::Int32),
        Type::INT8 => read(row, place, DbValue::Int64),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => read(row, place, DbValue::Str),
        Type::TIMESTAMP => read(row, place, moment),
        Type::TIMESTAMPTZ => read(row, place, |at: DateTime<Utc>| moment(at.naive_utc())),
        Type::DATE => read(row, place, |date: NaiveDate| DbValue::Date(day(date))),
        Type::TIME => read(row, place, |time: NaiveTime| {
            let (hour, minute, second) = clock(time);
            DbValue::Time((hour, minute, second, time.nanosecond()))
        }),
        Type::UUID => read(row, place, |id: Uuid| DbValue::Uuid(id.to_string())),
        Type::JSONB => read(row, place, |json: serde_json::Value| {
            DbValue::Jsonb(json.to_string().into_bytes())
        }),
        Type::NUMERIC => read(row, place, |number: Decimal| DbValue::Decimal(number.to_string())),
        Type::INT4_RANGE => read(row, place, |range: Range<i32>| {
            DbValue::RangeInt32(bounds(&range, |bound| *bound))
        }),
        Type::INT8_RANGE => read(row, place, |range: Range<i64>| {
            DbValue::RangeInt64(bounds(&range, |bound| *bound))
        }),
        Type::NUM_RANGE => read(row, place, |range: Range<Number>| {
            DbValue::RangeDecimal(bounds(&range, |bound| bound.0.to_string()))
        }),
        Type::INT4_ARRAY => read(row, place, DbValue::ArrayInt32),
        Type::INT8_ARRAY => read(row, place, DbValue::ArrayInt64),
        Type::NUMERIC_ARRAY => read(row, place, |numbers: Vec<Option<Decimal>>| {
            let texts = numbers
                .into_iter()
                .map(|number| number.map(|number| number.to_string()));
            DbValue::ArrayDecimal(texts.collect())
        }),
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => read(row, place, DbValue::ArrayStr),
        Type::INTERVAL => read(row, place, |span: Span| DbValue::Interval(span.0)),
        _ => read(row, place, |raw: Raw| DbValue::Unsupported(raw.0)),
    }
}

fn read<'a, T: FromSql<'a>>(
    row: &'a Row,
    place: usize,
    make: impl FnOnce(T) -> DbValue,
) -> Result<DbValue, String> {
    let value: Option<T> = row.try_get(place).map_err(|error| error.to_string())?;
    Ok(value.map_or(DbValue::DbNull, make))
}

/// Times that these types hold have parts that fit, so nothing is cut off.
fn small(part: u32) -> u8 {
    u8::try_from(part).unwrap_or(u8::MAX)
}

fn day(date: NaiveDate) -> (i32, u8, u8) {
    (date.year(), small(date.month()), small(date.day()))
}

fn clock(time: NaiveTime) -> (u8, u8, u8) {
    (small(time.hour()), small(time.minute()), small(time.second()))
}

fn moment(at: NaiveDateTime) -> DbValue {
    let (year, month, date) = day(at.date());
    let (hour, minute, second) = clock(at.time());
    DbValue::Datetime((year, month, date, hour, minute, second, at.nanosecond()))
}

/// A parameter as the crate sends it, or what is wrong with it.
pub(super) fn parameter(value: &ParameterValue) -> Result<Parameter, String> {
    Ok(match value {
        ParameterValue::Boolean(value) => Box::new(*value),
        ParameterValue::Int8(value) => Box::new(*value),
        ParameterValue::Int16(value) => Box::new(*value),
        ParameterValue::Int32(value) => Box::new(*value),
        ParameterValue::Int64(value) => Box::new(*value),
        ParameterValue::Floating32(value) => Box::new(*value),
        ParameterValue::Floating64(value) => Box::new(*value),
        ParameterValue::Str(value) => Box::new(value.clone()),
        ParameterValue::Binary(value) => Box::new(value.clone()),
        ParameterValue::Date(parts) => Box::new(to_date(*parts)?),
        ParameterValue::Time(parts) => Box::new(to_time(*parts)?),
        ParameterValue::Datetime((year, month, day, hour, minute, second, nanosecond)) => {
            let date = to_date((*year, *month, *day))?;
            Box::new(date.and_time(to_time((*hour, *minute, *second, *nanosecond))?))
        }
        ParameterValue::Timestamp(seconds) => {
            let at = DateTime::<Utc>::from_timestamp(*seconds, 0);
            Box::new(at.ok_or_else(|| format!("{seconds} is no time that can be told"))?)
        }
        ParameterValue::Uuid(text) => {
            Box::new(Uuid::parse_str(text).map_err(|error| format!("`{text}` is no UUID: {error}"))?)
        }
        ParameterValue::Jsonb(bytes) => {
            let json = serde_json::from_slice::<serde_json::Value>(bytes);
            Box::new(json.map_err(|error| format!("not JSON: {error}"))?)
        }
        ParameterValue::Decimal(text) => Box::new(to_decimal(text)?),
        ParameterValue::RangeInt32((lower, upper)) => Box::new(range(*lower, *upper)),
        ParameterValue::RangeInt64((lower, upper)) => Box::new(range(*lower, *upper)),
        ParameterValue::RangeDecimal((lower, upper)) => Box::new(range(number(lower)?, number(upper)?)),
        ParameterValue::ArrayInt32(values) => Box::new(values.clone()),
        ParameterValue::ArrayInt64(values) => Box::new(values.clone()),
        ParameterValue::ArrayDecimal(values) => {
            let decimal = |text: &Option<String>| text.as_deref().map(to_decimal).transpose();
            Box::new(values.iter().map(decimal).collect::<Result<Vec<_>, _>>()?)
        }
        ParameterValue::ArrayStr(values) => Box::new(values.clone()),
        ParameterValue::Interval(value) => Box::new(Span(*value)),
        ParameterValue::DbNull => Box::new(Null),
    })
}

fn to_date((year, month, day): (i32, u8, u8)) -> Result<NaiveDate, String> {
    NaiveDate::from_ymd_opt(year, month.into(), day.into())
        .ok_or_else(|| format!("there is no day {year}-{month}-{day}"))
}

fn to_time((hour, minute, second, nanosecond): (u8, u8, u8, u32)) -> Result<NaiveTime, String> {
    NaiveTime::from_hms_nano_opt(hour.into(), minute.into(), second.into(), nanosecond)
        .ok_or_else(|| format!("there is no time {hour}:{minute}:{second}.{nanosecond:09}"))
}

fn to_decimal(text: &str) -> Result<Decimal, String> {
    Decimal::from_str_exact(text).map_err(|error| format!("`{text}` is no decimal number: {error}"))
}

/// A decimal number that a range can be made of.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
struct Number(Decimal);

impl Normalizable for Number {
    fn normalize<S: BoundSided>(bound: RangeBound<S, Self>) -> RangeBound<S, Self> {
        bound
    }
}

impl ToSql for Number {
    fn to_sql(&self, kind: &Type, out: &mut bytes::BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.0.to_sql(kind, out)
    }

    fn accepts(kind: &Type) -> bool {
        <Decimal as ToSql>::accepts(kind)
    }

    pg::types::to_sql_checked!();
}

impl<'a> FromSql<'a> for Number {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Decimal::from_sql(kind, raw).map(Self)
    }

    fn accepts(kind: &Type) -> bool {
        <Decimal as FromSql>::accepts(kind)
    }
}

fn number(bound: &Bound<String>) -> Result<Bound<Number>, String> {
    let number = |(text, kind): &(String, RangeBoundKind)| Ok((Number(to_decimal(text)?), *kind));
    bound.as_ref().map(number).transpose()
}

fn range<T: Normalizable + PartialOrd>(lower: Bound<T>, upper: Bound<T>) -> Range<T> {
    let kind = |kind| match kind {
        RangeBoundKind::Inclusive => BoundType::Inclusive,
        RangeBoundKind::Exclusive => BoundType::Exclusive,
    };
    Range::new(
        lower.map(|(value, bound)| RangeBound::new(value, kind(bound))),
        upper.map(|(value, bound)| RangeBound::new(value, kind(bound))),
    )
}

fn bounds<T: Normalizable + PartialOrd, W>(range: &Range<T>, told: impl Fn(&T) -> W) -> (Bound<W>, Bound<W>) {
    let lower = range.lower().map(|bound| (told(&bound.value), kind(bound.type_)));
    let upper = range.upper().map(|bound| (told(&bound.value), kind(bound.type_)));
    (lower, upper)
}

fn kind(bound: BoundType) -> RangeBoundKind {
    match bound {
        BoundType::Inclusive => RangeBoundKind::Inclusive,
        BoundType::Exclusive => RangeBoundKind::Exclusive,
    }
}
