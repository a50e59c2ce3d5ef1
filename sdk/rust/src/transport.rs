//! The gRPC connection to the control plane.

use std::time::Duration;

use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use crate::error::{CallError, Error, Result};

/// A dead connection is detected within 15 s, even without calls in progress.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum size of a received message.
pub(crate) const MAX_MESSAGE_BYTES: usize = 8 * 1024 * 1024;

/// `address` names one replica, or several separated by commas. It connects on the first call.
pub(crate) fn open_channel(address: &str) -> Result<Channel> {
    let mut endpoints = address.split(',').map(|one| endpoint(one.trim())).collect::<Result<Vec<_>>>()?;
    match endpoints.pop() {
        Some(only) if endpoints.is_empty() => Ok(only.connect_lazy()),
        last => Ok(Channel::balance_list(endpoints.into_iter().chain(last))),
    }
}

/// Whether the address names several replicas.
pub(crate) fn names_several(address: &str) -> bool {
    address.contains(',')
}

/// # Errors
/// [`Error::InvalidArgument`]: `open_channel` would reject the address.
pub(crate) fn check_address(address: &str) -> Result<()> {
    address.split(',').try_for_each(|one| endpoint(one.trim()).map(drop))
}

fn endpoint(address: &str) -> Result<Endpoint> {
    let wrong = |why: &dyn std::fmt::Display| {
        Error::InvalidArgument(format!(
            "address: {address:?} is not host:port or a URL such as http://muster:7070: {why}"
        ))
    };
    if address.is_empty() {
        return Err(wrong(&"it is empty"));
    }
    let url = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    if url.starts_with("https://") && cfg!(not(feature = "tls")) {
        return Err(wrong(&"https needs the feature `tls` of this crate"));
    }
    let endpoint = Endpoint::from_shared(url).map_err(|error| wrong(&error))?;
    Ok(secured(endpoint)
        .map_err(|error| wrong(&error))?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true))
}

#[cfg(feature = "tls")]
fn secured(endpoint: Endpoint) -> std::result::Result<Endpoint, tonic::transport::Error> {
    use tonic::transport::ClientTlsConfig;

    if endpoint.uri().scheme_str() == Some("https") {
        endpoint.tls_config(ClientTlsConfig::new().with_native_roots())
    } else {
        Ok(endpoint)
    }
}

#[cfg(not(feature = "tls"))]
fn secured(endpoint: Endpoint) -> std::result::Result<Endpoint, std::convert::Infallible> {
    Ok(endpoint)
}

/// Makes a call that ends within `timeout`, even if the connection breaks.
pub(crate) async fn within<T>(
    timeout: Duration,
    call: impl Future<Output = std::result::Result<tonic::Response<T>, tonic::Status>>,
) -> std::result::Result<T, CallError> {
    match tokio::time::timeout(timeout, call).await {
        Ok(answer) => Ok(answer?.into_inner()),
        Err(_) => Err(CallError::new(Code::DeadlineExceeded, "the call was not answered in time")),
    }
}

/// Makes a request with a deadline header: how long the caller waits for the answer.
pub(crate) fn request<T>(message: T, timeout: Duration) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.set_timeout(timeout);
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_port_of_a_host_or_a_url_or_several() {
        for address in ["127.0.0.1:7070", "http://muster:7070", "a:1, http://b:2,c:3", "[::1]:7070"] {
            check_address(address).unwrap();
        }
        for address in ["", "a:1,,b:2", "http://", "a b:1"] {
            let error = check_address(address).unwrap_err();
            assert!(error.to_string().starts_with("address: "), "{error}");
        }
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn tls_has_to_be_asked_for() {
        let error = check_address("https://muster:7070").unwrap_err();
        assert!(error.to_string().contains("feature `tls`"), "{error}");
    }

    #[cfg(feature = "tls")]
    #[test]
    fn tls_is_taken() {
        check_address("https://muster:7070").unwrap();
    }
}
