//! Conversion of values to and from [`Payload`]: JSON by default, bytes unchanged.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
pub use crate::v1::Payload;

/// Content type of JSON.
pub const JSON_TYPE: &str = "application/json";
/// Content type of bytes of unknown type.
pub const BYTES_TYPE: &str = "application/octet-stream";

impl Payload {
    /// Encodes a value as JSON.
    ///
    /// # Errors
    /// [`Error::Encode`]: the value can't be written as JSON.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        let data = serde_json::to_vec(value).map_err(Error::Encode)?;
        Ok(Self::with_type(data, JSON_TYPE))
    }

    /// Bytes as `application/octet-stream`, at most 512 KiB.
    pub fn bytes(data: impl Into<Bytes>) -> Self {
        Self::with_type(data, BYTES_TYPE)
    }

    /// Bytes with the given content type: at most 512 KiB of data, a type of at most 128 characters.
    pub fn with_type(data: impl Into<Bytes>, content_type: impl Into<String>) -> Self {
        Self { data: data.into(), content_type: content_type.into(), ..Self::default() }
    }

    /// Whether the content type is JSON.
    pub fn is_json(&self) -> bool {
        let kind = self.content_type.split(';').next().unwrap_or_default();
        let kind = kind.trim().to_ascii_lowercase();
        kind == JSON_TYPE || kind.ends_with("+json")
    }

    /// Decodes JSON. An empty payload without a content type is `null`.
    ///
    /// # Errors
    /// [`Error::Decode`]: the content type is not JSON, or the value does not fit `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        let text: &[u8] = match (self.is_json(), self.data.is_empty(), self.content_type.is_empty()) {
            (true, _, _) => &self.data,
            (false, true, true) => b"null",
            _ => {
                let message = format!("the content type is {:?}, not JSON", self.content_type);
                return Err(Error::Decode(serde::de::Error::custom(message)));
            }
        };
        serde_json::from_slice(text).map_err(Error::Decode)
    }
}

/// Decodes a payload; a missing one is `null`.
pub(crate) fn decode_option<T: DeserializeOwned>(payload: Option<&Payload>) -> Result<T> {
    match payload {
        Some(payload) => payload.decode(),
        None => serde_json::from_slice(b"null").map_err(Error::Decode),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_known_by_its_type() {
        for kind in ["application/json", "Application/JSON; charset=utf-8", "application/cloudevents+json"] {
            assert!(Payload::with_type("1", kind).is_json(), "{kind}");
            assert_eq!(Payload::with_type("1", kind).decode::<u8>().unwrap(), 1);
        }
        for kind in ["", "text/plain", BYTES_TYPE] {
            assert!(matches!(Payload::with_type("1", kind).decode::<u8>(), Err(Error::Decode(_))), "{kind}");
        }
    }

    #[test]
    fn nothing_is_null() {
        assert_eq!(Payload::default().decode::<Option<u8>>().unwrap(), None);
        assert_eq!(decode_option::<Option<u8>>(None).unwrap(), None);
        assert!(decode_option::<u8>(None).is_err());
    }
}
