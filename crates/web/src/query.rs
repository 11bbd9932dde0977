use percent_encoding::percent_decode_str;

use crate::{Code, Problem};

/// The parameters of a query string, each at most once.
#[derive(Debug, Clone)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Takes a query string apart (`application/x-www-form-urlencoded`); empty pairs are passed over.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(Problem::invalid_field(name, "is given more than once"));
            }
            pairs.push((name, value));
        }
        Ok(Self { pairs })
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of a parameter as a whole number.
    pub fn whole(&self, name: &str) -> Result<Option<i64>, Problem> {
        let parse = |text: &str| {
            text.parse()
                .map_err(|_| Problem::invalid_field(name, "must be a whole number"))
        };
        self.get(name).map(parse).transpose()
    }

    /// Refuses parameters that are not `known`.
    pub fn only(&self, known: &[&str]) -> Result<(), Problem> {
        match self
            .pairs
            .iter()
            .find(|(name, _)| !known.contains(&name.as_str()))
        {
            None => Ok(()),
            Some((name, _)) if known.is_empty() => Err(Problem::invalid_field(name, "is unknown here")),
            Some((name, _)) => Err(Problem::invalid_field(
                name,
                format!("is unknown; known are {}", known.join(", ")),
            )),
        }
    }

    /// The parameters again as a query string, without those in `without`.
    pub(crate) fn encode_without(&self, without: &[&str]) -> String {
        let kept = self
            .pairs
            .iter()
            .filter(|(name, _)| !without.contains(&name.as_str()));
        kept.map(|(name, value)| format!("{}={}&", encode(name), encode(value)))
            .collect()
    }
}

fn decode(text: &str) -> Result<String, Problem> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded
        .map(|text| text.into_owned())
        .map_err(|_| Problem::new(Code::Malformed, "the query is not valid UTF-8"))
}

pub(crate) fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_known() {
        let query = Query::parse("name=%EC%A0%84+a%2Bb&limit=5&flag").unwrap();
        assert_eq!((query.get("name"), query.get("flag")), (Some("전 a+b"), Some("")));
        assert_eq!(query.whole("limit").unwrap(), Some(5));
        assert_eq!(query.whole("absent").unwrap(), None);
        assert!(query.whole("name").is_err());
        assert!(query.only(&["name", "limit", "flag"]).is_ok());
        assert_eq!(
            query.only(&["name", "flag"]).unwrap_err().detail(),
            "limit is unknown; known are name, flag"
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["a=%ff", "a=1&a=2", "%c3=1"] {
            assert!(Query::parse(text).is_err(), "{text}");
        }
    }
}
