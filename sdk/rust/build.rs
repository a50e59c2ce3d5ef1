//! Generates the messages and the clients of the services from `proto/`, without a protoc.

use std::{error::Error, fs, path::PathBuf};

const ROOT: &str = "proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={ROOT}");
    let mut files: Vec<PathBuf> = fs::read_dir(format!("{ROOT}/muster/v1"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    tonic_prost_build::configure()
        .build_server(false)
        .bytes(".muster.v1")
        .compile_fds(protox::compile(files, [ROOT])?)?;
    Ok(())
}
