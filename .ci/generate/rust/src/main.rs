//! Generates the messages and the clients of the services, one file for each package.
//!
//!     buf build proto --as-file-descriptor-set -o - | cargo run -- FOLDER

use std::env::args_os;
use std::error::Error;
use std::io::{Read, stdin};

use prost::Message;
use prost_types::FileDescriptorSet;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = args_os().nth(1).ok_or("the argument is the folder of the generated code")?;
    let mut contract = Vec::new();
    stdin().read_to_end(&mut contract)?;
    tonic_prost_build::configure()
        .build_server(false)
        .bytes(".muster")
        .out_dir(folder)
        .compile_fds(FileDescriptorSet::decode(&*contract)?)?;
    Ok(())
}
