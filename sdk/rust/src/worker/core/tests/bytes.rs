//! The exchange in bytes from the protocol's documentation.

use prost::Message;

use super::bench::{Bench, assignment, job_id};
use crate::v1::Payload;
use crate::worker::core::outcome::HandlerOutcome;
use crate::worker::v1::{self as protocol, SessionMessage};

const SESSION: &str = "0b8f4d6ea1b24c3d9e0f112233445566";
const MESSAGE: &str = "0a5a0a100198c0de000070008000000000000001100118012205677265657\
    42a220a0e7b226e616d65223a22416461227d12106170706c69636174696f6e2f6a736f6e3a0308901c420567726565744801520764656661756c747801";
const BEAT: &str = "0a100b8f4d6ea1b24c3d9e0f11223344556612160a100198c0de000070008000000000000001100118013002";
const REPORT: &str = "0a100b8f4d6ea1b24c3d9e0f11223344556612350a100198c0de00007000800000000000000110011a1f0a0b\
    2268656c6c6f204164612212106170706c69636174696f6e2f6a736f6e1a0408021001";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[test]
fn what_the_worker_says_is_what_the_protocol_describes() {
    let mut bench = Bench::new(1);
    bench.opens.pop_front();
    bench.sessions = 1;
    let opened = protocol::OpenSessionResponse { session_id: bytes(SESSION).into(), ..Default::default() };
    // A version bound of the bench's handler would reject this job.
    let greet = SessionMessage::decode(&*bytes(MESSAGE)).unwrap();
    assert_eq!(greet.assignments[0].input, Some(Payload::json(&serde_json::json!({ "name": "Ada" })).unwrap()));
    bench.deliver(|core, now| core.opened(now, Ok(opened)));
    let credit = bench.connect();
    assert_eq!(credit.credit_id, 1);

    let job = &greet.assignments[0];
    let work = protocol::Assignment { handler: "work".into(), job_id: job.job_id.clone(), ..assignment(0, &credit) };
    bench.assign(vec![work]);
    bench.ping();
    bench.beats.clear();
    let slot = bench.enter();
    let beat = bench.next_beat().request;
    let said = protocol::SendHeartbeatRequest { credits: Vec::new(), ..beat };
    assert_eq!(said.encode_to_vec(), bytes(BEAT));

    bench.end(slot, HandlerOutcome::Result(Payload::json("hello Ada").unwrap()));
    let report = bench.reports.pop_front().unwrap().request;
    assert_eq!(report.reports[0].job_id, job_id(0x0198_c0de_0000_7000_8000_0000_0000_0001));
    let prefetch = report.credits.iter().map(|credit| protocol::Credit { prefetch: 0, ..*credit }).collect();
    let said = protocol::ReportAttemptsRequest { credits: prefetch, ..report };
    assert_eq!(said.encode_to_vec(), bytes(REPORT));
}
