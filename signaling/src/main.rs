//! `cloud-booth`: the server and its commands.

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use signaling::{app, config::Config, demo, http, serve};
use std::path::PathBuf;
use tracing_subscriber::EnvFilter;

/// A seventh of the server's time went into the C library's allocator, and what a burst had taken was kept.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Cloud Booth 云窗: remote video counter.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// TOML file; `CLOUD_BOOTH_*` in the environment wins over it.
    #[arg(long, global = true, env = "CLOUD_BOOTH_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Serve {
        /// Load the demo county first.
        #[arg(long)]
        demo: bool,
    },
    /// Bring the database up to date and stop.
    Migrate,
    /// Load the demo county into a stopped server's data.
    Demo,
    /// Accounts of staff.
    User {
        #[command(subcommand)]
        command: User,
    },
    /// The audit log.
    Audit {
        #[command(subcommand)]
        command: Audit,
    },
    /// Print the description of the HTTP API.
    Openapi,
    /// Print the table of error codes (Markdown).
    Errors,
    /// Check the configuration and print it, without secrets.
    Config,
}

#[derive(Subcommand)]
enum User {
    /// Set a password, read from standard input.
    Password { account: String },
}

#[derive(Subcommand)]
enum Audit {
    /// Recompute every hash; names the first bad entry.
    Verify,
}

fn log(config: &Config) {
    let filter = EnvFilter::try_new(&config.log.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let b = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if config.log.json {
        b.json().init();
    } else {
        b.init();
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    let config = Config::load(cli.config.as_deref())?;
    match cli.command {
        Command::Openapi => println!("{}", serde_json::to_string_pretty(&http::v1::document())?),
        Command::Errors => print!("{}", signaling::problem::table()),
        Command::Config => println!("{config:#?}"),
        Command::Serve { demo } => {
            log(&config);
            run(&config, demo).await?;
        }
        Command::Migrate => {
            let _lock = serve::claim(&config)?;
            store::Store::open(&serve::target(&config)).await?;
            println!("the schema is up to date");
        }
        Command::Demo => {
            let _lock = serve::claim(&config)?;
            println!(
                "{}",
                demo::load(&serve::build(&config, false).await?, &config.data_dir).await?
            );
        }
        Command::User {
            command: User::Password { account },
        } => {
            let _lock = serve::claim(&config)?;
            let password = std::io::read_to_string(std::io::stdin())?;
            let hash = app::auth::hash_password(password.trim_end_matches('\n'))
                .map_err(|e| anyhow::anyhow!("{e}"))?;
            let a = serve::build(&config, false).await?;
            let known = a
                .write("cli", move |tx, _| {
                    let (account, hash) = (account.clone(), hash.clone());
                    Box::pin(
                        async move { Ok(store::staff::set_password(tx, &account, &hash).await?) },
                    )
                })
                .await?;
            anyhow::ensure!(known, "no such account");
        }
        Command::Audit {
            command: Audit::Verify,
        } => {
            let a = serve::build(&config, false).await?;
            let report = app::audit_log::verify(&a).await?;
            println!("{}", serde_json::to_string(&report)?);
            anyhow::ensure!(report.ok(), "the audit log is damaged");
        }
    }
    Ok(())
}

async fn run(config: &Config, with_demo: bool) -> Result<()> {
    if with_demo {
        let _lock = serve::claim(config)?;
        demo::load(&serve::build(config, false).await?, &config.data_dir).await?;
    }
    let running = serve::start(config).await?;
    tracing::info!(address = %running.address, public_url = config.public_url, "cloud-booth is ready");
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .context("no signals")?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = term.recv() => {}
    }
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}
