//! `wasi:config/store@0.2.0-draft-2024-09-27`: the same variables under WASI's name.

use crate::faults::Kind;
use crate::state::State;
use bindings::config::store::{Error, Host};
use bindings::spin2::variables::Error as Unavailable;
use wasmtime::Result;

impl Host for State {
    async fn get(&mut self, key: String) -> Result<std::result::Result<Option<String>, Error>> {
        Ok(match self.variable(&key).await? {
            Ok(value) => Ok(Some(value)),
            Err(Unavailable::Undefined(_) | Unavailable::InvalidName(_)) => Ok(None),
            Err(Unavailable::Provider(text)) => Err(Error::Upstream(text)),
            Err(Unavailable::Other(text)) => Err(Error::Io(text)),
        })
    }

    async fn get_all(&mut self) -> Result<std::result::Result<Vec<(String, String)>, Error>> {
        if let Some(text) = self.before(Kind::Variables, "").await? {
            return Ok(Err(Error::Upstream(text)));
        }
        let all = self.guest.variables.clone();
        Ok(Ok(all.into_iter().collect()))
    }
}
