//! `fermyon:spin/variables@2.0.0`: the component's own variables.

use crate::faults::Kind;
use crate::state::State;
use bindings::spin2::variables::{Error, Host};
use wasmtime::Result;

impl State {
    pub(crate) async fn variable(&mut self, name: &str) -> Result<std::result::Result<String, Error>> {
        if let Some(text) = self.before(Kind::Variables, name).await? {
            return Ok(Err(Error::Provider(text)));
        }
        if let Err(reason) = valid(name) {
            return Ok(Err(Error::InvalidName(reason)));
        }
        let value = self.guest.variables.get(name).cloned();
        let undefined = || {
            let component = &self.guest.id;
            Error::Undefined(format!("no variable for {component:?}.{name:?}"))
        };
        Ok(value.ok_or_else(undefined))
    }
}

/// Spin's rule for names: lower-case words of letters and digits, joined by single underscores.
fn valid(name: &str) -> std::result::Result<(), String> {
    let word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    if name.split('_').all(word) {
        Ok(())
    } else {
        Err(format!(
            "{name:?}: words of a-z and 0-9, each starting with a letter, joined by single underscores"
        ))
    }
}

impl Host for State {
    async fn get(&mut self, name: String) -> Result<std::result::Result<String, Error>> {
        self.variable(&name).await
    }
}

#[cfg(test)]
mod tests {
    use super::valid;

    #[test]
    fn names_are_lower_case_words() {
        for good in ["a", "jwt_keys", "a1_b2"] {
            assert!(valid(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "a-b", "_a", "a_", "a__b", "1a", "ä"] {
            assert!(valid(bad).is_err(), "{bad}");
        }
    }
}
