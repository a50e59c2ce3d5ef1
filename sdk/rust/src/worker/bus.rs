//! A session's subscription over NATS. It reconnects by itself, with the newest credentials, until it is dropped.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{Auth, AuthError, ConnectOptions, Event, ServerError};
use futures::StreamExt;
use prost::Message;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::AbortHandle;

use super::core::effect::SessionNumber;
use crate::worker::v1 as protocol;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Wait before the next connection; up to twice as long.
const RECONNECT_WAIT: Duration = Duration::from_millis(200);
/// A dead connection is detected within three intervals.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// Capacity for unread events of a connection; further events carry no new information.
const EVENTS: usize = 16;

/// Events of the bus.
#[derive(Debug)]
pub(crate) enum BusEvent {
    Message(protocol::SessionMessage),
    /// True each time the subscription becomes active, false each time it is lost.
    Connected(bool),
}

pub(crate) type BusSender = mpsc::Sender<(SessionNumber, BusEvent)>;

pub(crate) struct BusOptions {
    pub session: SessionNumber,
    pub urls: Vec<String>,
    pub subject: String,
    pub credentials: Option<protocol::NatsCredentials>,
}

/// The subscription; it ends when this is dropped.
pub(crate) struct Bus {
    urls: watch::Sender<Vec<String>>,
    credentials: watch::Sender<Option<protocol::NatsCredentials>>,
    reconnect: Arc<Notify>,
    task: AbortHandle,
}

impl Bus {
    pub fn connect(options: BusOptions, events: BusSender) -> Self {
        let (urls, newest_urls) = watch::channel(options.urls);
        let (credentials, newest_credentials) = watch::channel(options.credentials);
        let reconnect = Arc::new(Notify::new());
        let subscription = Subscription {
            session: options.session,
            urls: newest_urls,
            subject: options.subject,
            credentials: newest_credentials,
            reconnect: reconnect.clone(),
            events,
        };
        let task = tokio::spawn(subscription.keep_connected()).abort_handle();
        Self { urls, credentials, reconnect, task }
    }

    /// Sets the addresses for the next connection.
    pub fn renew_urls(&self, urls: Vec<String>) {
        self.urls.send_replace(urls);
    }

    /// Sets the credentials for the next connection.
    pub fn renew_credentials(&self, credentials: protocol::NatsCredentials) {
        self.credentials.send_replace(Some(credentials));
    }

    /// Drops the connection and makes a new one.
    pub fn reconnect(&self) {
        // Not remembered while there is no connection: the request would drop the next one, which it does not concern.
        self.reconnect.notify_waiters();
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Subscription {
    session: SessionNumber,
    urls: watch::Receiver<Vec<String>>,
    subject: String,
    credentials: watch::Receiver<Option<protocol::NatsCredentials>>,
    reconnect: Arc<Notify>,
    events: BusSender,
}

impl Subscription {
    async fn keep_connected(self) {
        loop {
            if let Err(error) = self.connect_once().await {
                tracing::warn!(target: "muster", %error, "the bus is not connected");
            }
            self.notify(BusEvent::Connected(false)).await;
            tokio::time::sleep(RECONNECT_WAIT.mul_f64(1.0 + rand::random::<f64>())).await;
        }
    }

    /// Returns when the connection has ended. The client's own reconnects are not used: a refused subscription stays
    /// dead on its connection, and a new connection must use the newest credentials.
    async fn connect_once(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let (happened, mut happenings) = mpsc::channel(EVENTS);
        let options = authentication(&self.credentials)
            .connection_timeout(CONNECT_TIMEOUT)
            .ping_interval(PING_INTERVAL)
            .max_reconnects(1)
            .event_callback(move |event| {
                let _ = happened.try_send(event);
                std::future::ready(())
            });
        let urls = self.urls.borrow().clone();
        let connecting = options.connect(urls);
        let client = tokio::time::timeout(2 * CONNECT_TIMEOUT, connecting).await??;
        let mut messages = client.subscribe(self.subject.clone()).await?;
        client.flush().await?;
        self.notify(BusEvent::Connected(true)).await;
        loop {
            tokio::select! {
                message = messages.next() => match message {
                    Some(message) => self.receive(&message.payload).await,
                    None => return Err("the subscription has ended".into()),
                },
                event = happenings.recv() => match event {
                    None | Some(Event::Disconnected | Event::Closed) => return Err("the connection was lost".into()),
                    Some(Event::ServerError(error)) => refusal(error)?,
                    Some(_) => {}
                },
                () = self.reconnect.notified() => return Ok(()),
            }
        }
    }

    async fn receive(&self, data: &[u8]) {
        match protocol::SessionMessage::decode(data) {
            Ok(message) => self.notify(BusEvent::Message(message)).await,
            Err(error) => tracing::warn!(target: "muster", %error, "a message of the bus could not be read"),
        }
    }

    async fn notify(&self, event: BusEvent) {
        // Without a receiver the session is over, and this task is about to be aborted.
        let _ = self.events.send((self.session, event)).await;
    }
}

/// The server reports this error when it has refused the subscription or is about to close the connection.
fn refusal(error: ServerError) -> Result<(), ServerError> {
    match error {
        ServerError::SlowConsumer(_) => Ok(()),
        error => Err(error),
    }
}

fn authentication(credentials: &watch::Receiver<Option<protocol::NatsCredentials>>) -> ConnectOptions {
    let asks =
        |credentials: &Option<protocol::NatsCredentials>| credentials.as_ref().is_some_and(|it| !it.jwt.is_empty());
    if !asks(&credentials.borrow()) {
        return ConnectOptions::new();
    }
    let credentials = credentials.clone();
    ConnectOptions::with_auth_callback(move |nonce| {
        let signed = sign(credentials.borrow().as_ref(), &nonce);
        std::future::ready(signed)
    })
}

fn sign(credentials: Option<&protocol::NatsCredentials>, nonce: &[u8]) -> Result<Auth, AuthError> {
    let credentials = credentials.ok_or_else(|| AuthError::new("there are no credentials"))?;
    let key = nkeys::KeyPair::from_seed(&credentials.seed).map_err(AuthError::new)?;
    let mut auth = Auth::new();
    auth.jwt = Some(credentials.jwt.clone());
    auth.signature = Some(key.sign(nonce).map_err(AuthError::new)?);
    Ok(auth)
}
