//! What rendering a paper needs: fonts, loaded once at first use (73 MB), and a blocking thread. Never within a transaction.

pub use super::case_papers::{
    certificate, decision, material, receipt, receipt_of_session, signature_png,
};
use crate::problem::{AppError, no};
use documents::{DocumentError, Fonts, Pdf};
use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

/// The fonts of an installation. Cheap to clone.
#[derive(Clone, Default)]
pub struct Papers(Arc<Inner>);

#[derive(Default)]
struct Inner {
    paths: Vec<PathBuf>,
    fonts: OnceLock<Result<Fonts, String>>,
}

impl Papers {
    /// `paths` empty: Debian's `fonts-noto-cjk`.
    #[must_use]
    pub fn new(paths: Vec<PathBuf>) -> Self {
        Self(Arc::new(Inner {
            paths,
            fonts: OnceLock::new(),
        }))
    }

    fn fonts(&self) -> Result<&Fonts, AppError> {
        let load = || {
            let r = if self.0.paths.is_empty() {
                Fonts::load_default()
            } else {
                Fonts::load(&self.0.paths)
            };
            r.map_err(|e| e.to_string())
        };
        self.0.fonts.get_or_init(load).as_ref().map_err(|e| {
            tracing::error!(error = e, "no fonts for papers");
            no("unavailable")
        })
    }

    /// Anything else that needs the fonts; blocking.
    pub fn with<T>(&self, f: impl FnOnce(&Fonts) -> T) -> Result<T, AppError> {
        self.fonts().map(f)
    }

    /// Renders on a blocking thread.
    pub async fn render(
        &self,
        f: impl FnOnce(&Fonts) -> Result<Pdf, DocumentError> + Send + 'static,
    ) -> Result<Pdf, AppError> {
        let me = self.clone();
        tokio::task::spawn_blocking(move || {
            f(me.fonts()?).map_err(|e| {
                tracing::error!(error = %e, "a paper could not be set");
                no("internal")
            })
        })
        .await
        .map_err(|_| no("internal"))?
    }
}
