//! The schema's history: `migrations/{sqlite,postgres}/NNNN_name.sql`, embedded, applied in order, never edited once released.

use crate::{Store, StoreError, args};
use sqlx::{
    PgPool, SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

macro_rules! history {
    ($engine:literal: $($number:literal $name:literal),*) => {
        [$(($number, $name, include_str!(concat!("../../../../migrations/", $engine, "/", $name, ".sql")))),*]
    };
}
const SQLITE: [(i64, &str, &str); 5] = history!("sqlite": 1 "0001_init", 2 "0002_supervision", 3 "0003_recording", 4 "0004_quality", 5 "0005_replay");
const POSTGRES: [(i64, &str, &str); 5] = history!("postgres": 1 "0001_init", 2 "0002_supervision", 3 "0003_recording", 4 "0004_quality", 5 "0005_replay");

/// SQLite keeps the number of the last step in `user_version`, in the same transaction as the step.
pub(crate) fn sqlite(conn: &mut rusqlite::Connection) -> Result<(), StoreError> {
    let at: i64 = conn.pragma_query_value(None, "user_version", |r| r.get(0))?;
    let newest = SQLITE.last().map_or(0, |s| s.0);
    if at > newest {
        return Err(StoreError::Unavailable(format!(
            "the database has schema {at}, this program knows {newest}: it was written by a newer one"
        )));
    }
    for (number, _, sql) in SQLITE.iter().filter(|s| s.0 > at) {
        let tx = conn.transaction()?;
        tx.execute_batch(sql)
            .map_err(|e| StoreError::Unavailable(format!("migration {number}: {e}")))?;
        tx.pragma_update(None, "user_version", number)?;
        tx.commit()?;
    }
    Ok(())
}

pub(crate) async fn postgres(pool: &PgPool) -> Result<(), StoreError> {
    let steps = POSTGRES
        .iter()
        .map(
            |&(version, name, sql): &(i64, &'static str, &'static str)| {
                Migration::new(
                    version,
                    name.into(),
                    MigrationType::Simple,
                    sql.into_sql_str(),
                    false,
                )
            },
        )
        .collect();
    Migrator::with_migrations(steps)
        .run(pool)
        .await
        .map_err(|e| StoreError::Unavailable(format!("migration: {e}")))
}

/// `table.column` of everything in the schema, sorted: a test holds the two databases against each other.
pub async fn schema_columns(store: &Store) -> Result<Vec<String>, StoreError> {
    const SQLITE: &str = "SELECT m.name || '.' || c.name AS col FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1";
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
