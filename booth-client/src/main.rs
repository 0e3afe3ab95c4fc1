//! `booth`: the booth host's command line. Owns argument parsing, start and stop; what it starts lives in the library.

use anyhow::Result;
use booth_client::{guard::origin_of, host::Host, key, kiosk, people, server, settings::Settings};
use clap::{Parser, Subcommand};
use std::{path::PathBuf, sync::Arc};

/// 云晓屋设备程序 · host of a Cloud Booth: device key, card reader, kiosk window.
#[derive(Parser)]
#[command(name = "booth", version)]
struct Cli {
    #[command(subcommand)]
    command: Cmd,
}

#[derive(Subcommand)]
enum Cmd {
    /// Make the device key; prints the public key, which the server enrols.
    Keygen {
        /// File to write.
        #[arg(long)]
        key: PathBuf,
        /// Print the public key of an existing file instead of refusing.
        #[arg(long)]
        if_missing: bool,
    },
    /// The bridge between the booth's page and its devices.
    Serve {
        #[command(flatten)]
        settings: Settings,
    },
    /// The bridge and the full-screen window.
    Kiosk {
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        kiosk: kiosk::KioskArgs,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .json()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("BOOTH_LOG")
                .unwrap_or_else(|_| "info".into()),
        )
        .init();
    match Cli::parse().command {
        Cmd::Keygen {
            key: path,
            if_missing,
        } => {
            let key = if if_missing && path.exists() {
                key::load(&path)?
            } else {
                key::generate(&path)?
            };
            println!("{}", key.public());
            Ok(())
        }
        Cmd::Serve { settings } => run(settings, None).await,
        Cmd::Kiosk { settings, kiosk } => run(settings, Some(kiosk)).await,
    }
}

async fn run(settings: Settings, window: Option<kiosk::KioskArgs>) -> Result<()> {
    let settings = settings.check()?;
    let host = Host::simulated(
        settings.booth,
        key::load(&settings.key)?,
        people::load(settings.people.as_deref())?,
    );
    let listener = server::listen(settings.bind).await?;
    tracing::info!(booth = host.booth, bind = %settings.bind, "the booth host runs with a simulated card reader");
    tokio::spawn(stop_on_signal(host.clone()));
    let desk = tokio::spawn(host.clone().run());
    let bridge = server::serve(listener, host.clone(), settings.origins);
    match window {
        None => bridge.await?,
        Some(args) => {
            let url = args.url.clone().unwrap_or_else(|| {
                format!("{}/booth/", origin_of(&settings.server).unwrap_or_default())
            });
            tokio::try_join!(
                bridge,
                kiosk::run(host.clone(), args, url, std::env::temp_dir())
            )?;
        }
    }
    desk.await?;
    Ok(())
}

async fn stop_on_signal(host: Arc<Host>) {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
    host.stop.cancel();
}
