//! A server whose answers are scripted.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures::stream;
use muster::Client;
use muster::client::TransportRetry;
use prost::Message;
use tokio::task::JoinHandle;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{BoxFuture, Service, http};
use tonic::metadata::MetadataMap;
use tonic::server::{Grpc, ServerStreamingService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// The messages of one call, as they are sent.
type Answer = Vec<Result<Bytes, Status>>;

#[derive(Default)]
struct Script {
    /// By method; each call takes the next answer.
    answers: HashMap<String, VecDeque<Answer>>,
    /// The requests, by method, each with its metadata.
    asked: HashMap<String, Vec<(MetadataMap, Bytes)>>,
}

/// Returns the answers that a test has set, and records requests. Methods are named like `JobService/GetJob`, those of
/// other packages than `muster.v1` by their path.
pub struct FakeServer {
    address: String,
    script: Arc<Mutex<Script>>,
    serving: JoinHandle<()>,
}

impl FakeServer {
    pub fn start() -> Self {
        let script = Arc::<Mutex<Script>>::default();
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = incoming.local_addr().unwrap().to_string();
        let scripted = Scripted(script.clone());
        let serving = tokio::spawn(async move {
            Server::builder().serve_with_incoming(scripted, incoming).await.unwrap();
        });
        Self { address, script, serving }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// A client with minimal waits between its tries.
    pub fn client(&self) -> Client {
        let backoff = Duration::from_millis(1);
        let retry = TransportRetry { max_attempts: 3, min_backoff: backoff, max_backoff: backoff };
        Client::builder(&self.address).retry(retry).build().unwrap()
    }

    /// Adds the answer of one more call of the method: a stream of messages, or a single one. A status ends the call.
    pub fn answer<M: Message>(&self, method: &str, messages: impl IntoIterator<Item = Result<M, Status>>) {
        let answer = messages.into_iter().map(|message| message.map(|it| it.encode_to_vec().into())).collect();
        self.script.lock().unwrap().answers.entry(method.to_owned()).or_default().push_back(answer);
    }

    /// The requests of all calls of the method, in order.
    pub fn asked<M: Message + Default>(&self, method: &str) -> Vec<M> {
        let script = self.script.lock().unwrap();
        let asked = script.asked.get(method).into_iter().flatten();
        asked.map(|(_, request)| M::decode(request.clone()).unwrap()).collect()
    }

    /// The metadata of these requests.
    pub fn metadata(&self, method: &str) -> Vec<MetadataMap> {
        let script = self.script.lock().unwrap();
        let asked = script.asked.get(method).into_iter().flatten();
        asked.map(|(metadata, _)| metadata.clone()).collect()
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Serves every call, whatever its method.
#[derive(Clone)]
struct Scripted(Arc<Mutex<Script>>);

impl Service<http::Request<Body>> for Scripted {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = request.uri().path().trim_start_matches("/muster.v1.").to_owned();
        let call = Call { script: self.0.clone(), method };
        Box::pin(async move { Ok(Grpc::new(AsItIs).server_streaming(call, request).await) })
    }
}

/// One call. For a unary caller the stream has one message.
struct Call {
    script: Arc<Mutex<Script>>,
    method: String,
}

impl ServerStreamingService<Bytes> for Call {
    type Response = Bytes;
    type ResponseStream = stream::Iter<std::vec::IntoIter<Result<Bytes, Status>>>;
    type Future = std::future::Ready<Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let mut script = self.script.lock().unwrap();
        let (metadata, _, message) = request.into_parts();
        script.asked.entry(self.method.clone()).or_default().push((metadata, message));
        let answer = script.answers.get_mut(&self.method).and_then(VecDeque::pop_front);
        let missing = || Status::internal(format!("the test has no more answers for {}", self.method));
        std::future::ready(answer.map(|answer| Response::new(stream::iter(answer))).ok_or_else(missing))
    }
}

/// A codec that leaves messages encoded.
struct AsItIs;

impl Codec for AsItIs {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for AsItIs {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put(buffer, item);
        Ok(())
    }
}

impl Decoder for AsItIs {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
