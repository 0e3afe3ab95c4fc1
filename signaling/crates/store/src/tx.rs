//! One statement on either database: values in, rows out.

use crate::{StoreError, pg::PgWrite};
use domain::{id::Id, time::Timestamp};
use rusqlite::types::{FromSql, ToSql, ToSqlOutput, ValueRef};
use serde::de::DeserializeOwned;
use sqlx::{Decode, PgConnection, Postgres, Row as _, Type, pool::PoolConnection, postgres::PgRow};
use std::{collections::HashMap, sync::Arc};

/// An open transaction, or a connection for reading. After an error do not go on with it: PostgreSQL has aborted it.
///
/// SQLite answers at once, on a thread that may block ([`crate::Store`] sees to it); PostgreSQL is awaited.
pub enum Tx {
    Sqlite(Sqlite),
    Postgres(PgWrite),
    PostgresRead(PoolConnection<Postgres>),
}

/// A connection, and the names of the columns that each of its queries answers: SQLite itself would compare C strings for
/// every column of every row.
pub struct Sqlite {
    pub(crate) conn: rusqlite::Connection,
    columns: HashMap<&'static str, Columns>,
}

type Columns = Arc<[Box<str>]>;

impl From<rusqlite::Connection> for Sqlite {
    fn from(conn: rusqlite::Connection) -> Self {
        Self {
            conn,
            columns: HashMap::new(),
        }
    }
}

impl Sqlite {
    fn prepare(
        &mut self,
        sql: &'static str,
        args: &[Value],
    ) -> Result<(rusqlite::CachedStatement<'_>, Columns), StoreError> {
        let mut s = self.conn.prepare_cached(sql)?;
        bind(&mut s, args)?;
        let names = self
            .columns
            .entry(sql)
            .or_insert_with(|| s.column_names().into_iter().map(Into::into).collect());
        Ok((s, names.clone()))
    }
}

/// A bound value.
#[derive(Debug, Clone)]
pub enum Value {
    Text(Option<String>),
    Int(Option<i64>),
    Bool(bool),
    Blob(Option<Vec<u8>>),
}

macro_rules! value_from {
    ($($t:ty => |$v:ident| $e:expr;)*) => {$(impl From<$t> for Value { fn from($v: $t) -> Self { $e } })*};
}
value_from! {
    &str => |v| Self::Text(Some(v.to_owned()));
    String => |v| Self::Text(Some(v));
    &String => |v| Self::Text(Some(v.clone()));
    Option<String> => |v| Self::Text(v);
    Option<&str> => |v| Self::Text(v.map(str::to_owned));
    i64 => |v| Self::Int(Some(v));
    Option<i64> => |v| Self::Int(v);
    bool => |v| Self::Bool(v);
    Vec<u8> => |v| Self::Blob(Some(v));
    &[u8] => |v| Self::Blob(Some(v.to_vec()));
    Option<Vec<u8>> => |v| Self::Blob(v);
    Timestamp => |v| Self::Int(Some(v.micros()));
    Option<Timestamp> => |v| Self::Int(v.map(Timestamp::micros));
}
// One impl a type: a blanket one over `Id` would overlap with `&String`.
macro_rules! id_value {
    ($($t:ident)*) => {$(
        impl From<&domain::id::$t> for Value {
            fn from(v: &domain::id::$t) -> Self { Self::Text(Some(v.as_str().to_owned())) }
        }
        impl From<Option<&domain::id::$t>> for Value {
            fn from(v: Option<&domain::id::$t>) -> Self { Self::Text(v.map(|v| v.as_str().to_owned())) }
        }
    )*};
}
id_value! { HallId BoothId StaffId VisitId TicketId SeatId PairingId SessionId MemberId ConsentId LicenceId MaterialId SignatureId
CaseId CertificateId RatingId KeyId OutboxId AuditId NodeId NoticeId PhraseId AppointmentId RequestId InviteId NoteId
SupervisionId RecordingId ReplayId ReplayExportId SnapshotId }

/// `args![a, b]` is the list of bound values, in the order of `$1, $2`.
#[macro_export]
macro_rules! args {
    ($($v:expr),* $(,)?) => { vec![$($crate::Value::from($v)),*] };
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(Some(v)) => ValueRef::Text(v.as_bytes()),
            Self::Blob(Some(v)) => ValueRef::Blob(v),
            Self::Int(Some(v)) => ValueRef::Integer(*v),
            Self::Bool(v) => ValueRef::Integer(i64::from(*v)),
            Self::Text(None) | Self::Int(None) | Self::Blob(None) => ValueRef::Null,
        }))
    }
}

/// A row of either database.
pub enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>, &'r [Box<str>]),
    Postgres(PgRow),
}

impl Row<'_> {
    fn get<T>(&self, column: &str) -> Result<T, StoreError>
    where
        T: FromSql + for<'r> Decode<'r, Postgres> + Type<Postgres>,
    {
        match self {
            Self::Sqlite(r, names) => names
                .iter()
                .position(|n| **n == *column)
                .ok_or_else(|| rusqlite::Error::InvalidColumnName(column.to_owned()))
                .and_then(|i| r.get(i))
                .map_err(|e| StoreError::Corrupt(format!("{column}: {e}"))),
            Self::Postgres(r) => r
                .try_get(column)
                .map_err(|e| StoreError::Corrupt(format!("{column}: {e}"))),
        }
    }
    pub fn text(&self, c: &str) -> Result<String, StoreError> {
        self.get(c)
    }
    pub fn opt_text(&self, c: &str) -> Result<Option<String>, StoreError> {
        self.get(c)
    }
    pub fn int(&self, c: &str) -> Result<i64, StoreError> {
        self.get(c)
    }
    pub fn opt_int(&self, c: &str) -> Result<Option<i64>, StoreError> {
        self.get(c)
    }
    pub fn bool(&self, c: &str) -> Result<bool, StoreError> {
        self.get(c)
    }
    pub fn blob(&self, c: &str) -> Result<Vec<u8>, StoreError> {
        self.get(c)
    }
    pub fn opt_blob(&self, c: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(c)
    }
    pub fn time(&self, c: &str) -> Result<Timestamp, StoreError> {
        self.int(c).map(Timestamp)
    }
    pub fn opt_time(&self, c: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.opt_int(c)?.map(Timestamp))
    }
    pub fn id<T: Id>(&self, c: &str) -> Result<T, StoreError> {
        T::parse(&self.text(c)?)
            .ok_or_else(|| StoreError::Corrupt(format!("{c}: not a {} id", T::PREFIX)))
    }
    pub fn opt_id<T: Id>(&self, c: &str) -> Result<Option<T>, StoreError> {
        match self.opt_text(c)? {
            None => Ok(None),
            Some(t) => T::parse(&t)
                .map(Some)
                .ok_or_else(|| StoreError::Corrupt(format!("{c}: not a {} id", T::PREFIX))),
        }
    }
    /// An enum kept as its stable word.
    pub fn word<T>(&self, c: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
        parse(&self.text(c)?).ok_or_else(|| StoreError::Corrupt(format!("{c}: unknown word")))
    }
    pub fn json<T: DeserializeOwned>(&self, c: &str) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(c)?).map_err(|e| StoreError::Corrupt(format!("{c}: {e}")))
    }
}

fn bound(
    sql: &'static str,
    args: Vec<Value>,
) -> sqlx::query::Query<'static, Postgres, sqlx::postgres::PgArguments> {
    let mut q = sqlx::query::<Postgres>(sql);
    for a in args {
        q = match a {
            Value::Text(v) => q.bind(v),
            Value::Int(v) => q.bind(v),
            Value::Bool(v) => q.bind(v),
            Value::Blob(v) => q.bind(v),
        };
    }
    q
}

/// To SQLite `$2` is a name, numbered as it first appears; the list of values goes by the number in it.
fn bind(s: &mut rusqlite::CachedStatement<'_>, args: &[Value]) -> Result<(), StoreError> {
    for i in 1..=s.parameter_count() {
        let value = s
            .parameter_name(i)
            .and_then(|name| name.get(1..)?.parse::<usize>().ok())
            .and_then(|n| args.get(n.checked_sub(1)?))
            .ok_or_else(|| StoreError::Corrupt(format!("parameter {i} has no value")))?;
        s.raw_bind_parameter(i, value)?;
    }
    Ok(())
}

/// Both `&mut`: a future that waits for PostgreSQL must stay `Send`.
enum Conn<'a> {
    Sqlite(&'a mut Sqlite),
    Postgres(&'a mut PgConnection),
}

impl Tx {
    fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(c) => Conn::Sqlite(c),
            Self::Postgres(c) => Conn::Postgres(c.connection()),
            Self::PostgresRead(c) => Conn::Postgres(c),
        }
    }

    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_) | Self::PostgresRead(_))
    }

    /// Rows affected.
    pub async fn exec(&mut self, sql: &'static str, args: Vec<Value>) -> Result<u64, StoreError> {
        match self.conn() {
            Conn::Sqlite(c) => {
                let mut s = c.conn.prepare_cached(sql)?;
                // A statement that answers rows (RETURNING, a lock) is run to its end like any other.
                bind(&mut s, &args)?;
                if s.column_count() == 0 {
                    return Ok(s.raw_execute()? as u64);
                }
                let mut rows = s.raw_query();
                let mut n = 0;
                while rows.next()?.is_some() {
                    n += 1;
                }
                Ok(n)
            }
            Conn::Postgres(c) => Ok(bound(sql, args).execute(c).await?.rows_affected()),
        }
    }

    pub async fn all<T>(
        &mut self,
        sql: &'static str,
        args: Vec<Value>,
        map: impl Fn(&Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        match self.conn() {
            Conn::Sqlite(c) => {
                let (mut s, names) = c.prepare(sql, &args)?;
                let mut rows = s.raw_query();
                let mut out = vec![];
                while let Some(r) = rows.next()? {
                    out.push(map(&Row::Sqlite(r, &names))?);
                }
                Ok(out)
            }
            Conn::Postgres(c) => bound(sql, args)
                .fetch_all(c)
                .await?
                .into_iter()
                .map(|r| map(&Row::Postgres(r)))
                .collect(),
        }
    }

    /// The first row. A writing statement is run to its end.
    pub async fn one<T>(
        &mut self,
        sql: &'static str,
        args: Vec<Value>,
        map: impl Fn(&Row) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match self.conn() {
            Conn::Sqlite(c) => {
                let (mut s, names) = c.prepare(sql, &args)?;
                let mut rows = s.raw_query();
                let first = rows
                    .next()?
                    .map(|r| map(&Row::Sqlite(r, &names)))
                    .transpose()?;
                if first.is_some() {
                    rows.next()?;
                }
                Ok(first)
            }
            Conn::Postgres(c) => bound(sql, args)
                .fetch_optional(c)
                .await?
                .map(|r| map(&Row::Postgres(r)))
                .transpose(),
        }
    }

    /// Prepares a statement without running it: a test asks both engines about every query.
    pub async fn prepares(&mut self, sql: &'static str) -> Result<(), StoreError> {
        use sqlx::{Executor as _, SqlSafeStr as _};
        match self.conn() {
            Conn::Sqlite(c) => c.conn.prepare(sql).map(|_| ())?,
            Conn::Postgres(c) => c.prepare(sql.into_sql_str()).await.map(|_| ())?,
        }
        Ok(())
    }
}
