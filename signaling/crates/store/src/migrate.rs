//! The schema's history: `migrations/{sqlite,postgres}/NNNN_name.sql`, embedded, applied in order, never edited once released.

use crate::{Store, StoreError, args};
use sqlx::{
    PgPool, SqlSafeStr as _, SqliteConnection,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

macro_rules! history {
    ($engine:literal: $($number:literal $name:literal),*) => {
        [$(($number, $name, include_str!(concat!("../../../../migrations/", $engine, "/", $name, ".sql")))),*]
    };
}
const SQLITE: [(i64, &str, &str); 1] = history!("sqlite": 1 "0001_init");
const POSTGRES: [(i64, &str, &str); 1] = history!("postgres": 1 "0001_init");

fn migrator(history: &[(i64, &'static str, &'static str)]) -> Migrator {
    let step = |&(version, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(
            version,
            name.into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    };
    Migrator::with_migrations(history.iter().map(step).collect())
}

fn failed(e: MigrateError) -> StoreError {
    StoreError::Unavailable(format!("migration: {e}"))
}

pub(crate) async fn sqlite(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    migrator(&SQLITE).run(conn).await.map_err(failed)
}

pub(crate) async fn postgres(pool: &PgPool) -> Result<(), StoreError> {
    migrator(&POSTGRES).run(pool).await.map_err(failed)
}

/// `table.column` of everything in the schema, sorted: a test holds the two databases against each other.
pub async fn schema_columns(store: &Store) -> Result<Vec<String>, StoreError> {
    const SQLITE: &str = "SELECT m.name || '.' || c.name AS col FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\\_sqlx%' ESCAPE '\\' ORDER BY 1";
    const POSTGRES: &str = "SELECT table_name || '.' || column_name AS col FROM information_schema.columns WHERE table_schema = current_schema() AND table_name NOT LIKE '\\_sqlx%' ORDER BY 1";
    store
        .read(|tx| {
            Box::pin(async move {
                let sql = if tx.is_postgres() { POSTGRES } else { SQLITE };
                let mut v = tx.all(sql, args![], |r| r.text("col")).await?;
                v.sort();
                Ok(v)
            })
        })
        .await
}
