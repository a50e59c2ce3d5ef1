//! Generates the messages and the clients of the services from `proto/`, without a protoc.

use std::path::{Path, PathBuf};
use std::{error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    // A package contains the contract; in a checkout it is two levels up.
    let root = if Path::new("proto").is_dir() { "proto" } else { "../../proto" };
    println!("cargo:rerun-if-changed={root}");
    let mut files: Vec<PathBuf> = Vec::new();
    for package in ["muster/v1", "muster/worker/v1"] {
        for entry in fs::read_dir(format!("{root}/{package}"))? {
            files.push(entry?.path());
        }
    }
    files.sort();
    tonic_prost_build::configure().build_server(false).bytes(".muster").compile_fds(protox::compile(files, [root])?)?;
    Ok(())
}
