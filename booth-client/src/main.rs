//! `booth`: the booth host's command line. Owns argument parsing, start and stop; what it starts lives in the library.

use anyhow::Result;
use booth_client::{
    call::{self, CallArgs},
    guard::origin_of,
    host::Host,
    key, kiosk, people, server,
    settings::Settings,
};
use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode, sync::Arc};

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
    /// 监测呼叫：占用真实队列中的一个号 · A test call; it takes a place in the real queue.
    ///
    /// 以匿名群众身份取号、等待、通话，播放给定的文件并测量收到的音视频；会让一位坐席真实响铃。
    /// Takes a number as an anonymous citizen, waits, talks, plays the given files and measures what comes back. An agent
    /// is really rung; give monitoring an item and a skill of its own (`--item`) where that would keep people waiting.
    #[command(after_long_help = CALL_HELP)]
    Call {
        #[command(flatten)]
        call: CallArgs,
    },
}

const CALL_HELP: &str = "\
退出码 · Exit codes:
  0    通话正常，双向都有音视频 · the call happened and media flowed both ways
  1    本程序出错 · this program failed
  2    参数或文件不对 · an argument or a file is not right
  10   连不上服务器 · server unreachable
  11   服务器拒绝（见 code） · refused, `code` says why
  12   窗口不在开放时间 · queue closed
  13   没有坐席在岗 · no seat on duty
  14   无人及时接听 · not answered in time
  15   音视频不通 · media failed
  16   通话中断 · the call broke off
  130  已取消 · interrupted";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let command = Cli::parse().command;
    // A call says what it came to by itself; what libraries have to say about a network is noise beside it.
    let quiet = matches!(command, Cmd::Call { .. });
    tracing_subscriber::fmt()
        .json()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("BOOTH_LOG")
                .unwrap_or_else(|_| if quiet { "off" } else { "info" }.into()),
        )
        .init();
    match command {
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
        }
        Cmd::Serve { settings } => run(settings, None).await?,
        Cmd::Kiosk { settings, kiosk } => run(settings, Some(kiosk)).await?,
        Cmd::Call { call } => {
            let outcome = Box::pin(call::call(call)).await;
            return Ok(ExitCode::from(outcome.exit_code()));
        }
    }
    Ok(ExitCode::SUCCESS)
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
