//! What can go wrong below the rules.

/// A failure of the database or of a compare-and-set.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A constraint said no; `name` is the rule's word (`duty_conflict`, `consent_required`) or the index.
    #[error("constraint: {0}")]
    Constraint(String),
    /// Serialization failure or deadlock: the closure is run again.
    #[error("the transaction must be tried again")]
    Retry,
    /// A stored value does not read as what it should be.
    #[error("stored value: {0}")]
    Corrupt(String),
    /// The database is not there, is full, or the commit failed. Nothing of the transaction remains.
    #[error("database: {0}")]
    Unavailable(String),
}

impl StoreError {
    /// True where a constraint with this word refused.
    #[must_use]
    pub fn is_constraint(&self, word: &str) -> bool {
        matches!(self, Self::Constraint(c) if c.contains(word))
    }
}

/// What a closure given to [`crate::Store::write`] may fail with.
pub trait TxError: From<StoreError> + Send + 'static {
    /// The store's failure inside, so that a transaction can be tried again.
    fn store(&self) -> Option<&StoreError>;
}

impl TxError for StoreError {
    fn store(&self) -> Option<&StoreError> {
        Some(self)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(e: sqlx::Error) -> Self {
        let sqlx::Error::Database(db) = &e else {
            return Self::Unavailable(e.to_string());
        };
        let code = db.code().unwrap_or_default();
        if matches!(code.as_ref(), "40001" | "40P01") {
            return Self::Retry;
        }
        // Class 23: integrity constraint violation.
        if code.len() == 5 && code.starts_with("23") {
            let named = db.constraint().map(str::to_owned);
            return Self::Constraint(named.unwrap_or_else(|| db.message().to_owned()));
        }
        Self::Unavailable(db.message().to_owned())
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(e: rusqlite::Error) -> Self {
        match e {
            rusqlite::Error::SqliteFailure(code, text)
                if code.code == rusqlite::ErrorCode::ConstraintViolation =>
            {
                Self::Constraint(text.unwrap_or_default())
            }
            e => Self::Unavailable(e.to_string()),
        }
    }
}
