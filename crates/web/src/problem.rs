//! Problem details (RFC 9457).

use serde::Serialize;

use crate::Response;

macro_rules! codes {
    ($(#[doc = $meaning:literal] $name:ident = $status:literal $text:literal $title:literal;)*) => {
        /// What kind of problem it is: the closed list that clients may rely on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $meaning] $name,)*
        }

        impl Code {
            /// All codes, in the order of their statuses.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The upper-case word in `error`.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The sentence in `title`.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What it means, in a sentence or two for the page that lists all of them.
            pub const fn meaning(self) -> &'static str {
                // The documentation of the case, which begins with a space.
                let text = match self { $(Self::$name => $meaning,)* };
                text.trim_ascii_start()
            }
        }
    };
}

codes! {
    /// Something in the request is not written as it must be: broken JSON, a wrong type, an unknown field, a path or header that makes no sense. Repeating it unchanged will not help.
    Malformed = 400 "MALFORMED_REQUEST" "The request can't be understood";
    /// The request is well formed, but one or more of its values are not allowed. The list `errors` names each of them and says what is wrong.
    Validation = 400 "VALIDATION_FAILED" "A value is not allowed";
    /// There is no access token, it has expired or was called back, or the e-mail or password is not right. Log in or refresh the token, and send it as `Authorization: Bearer …`.
    Unauthorized = 401 "UNAUTHORIZED" "Authentication is required";
    /// The payment gateway refused the payment. Nothing was bought, and what was set aside is free again.
    PaymentRefused = 402 "PAYMENT_REFUSED" "The payment was refused";
    /// You are known, but your account or its role may not do this.
    Forbidden = 403 "FORBIDDEN" "This is not allowed for you";
    /// It does not exist, or it is not yours: both look the same from outside.
    NotFound = 404 "NOT_FOUND" "There is no such thing";
    /// The path exists, but not with this method. The header `Allow` lists those that it has.
    MethodNotAllowed = 405 "METHOD_NOT_ALLOWED" "This method is not supported here";
    /// The answer would be of a media type that the header `Accept` leaves out. Most paths answer `application/json`.
    NotAcceptable = 406 "NOT_ACCEPTABLE" "There is no answer of a media type you accept";
    /// What you ask for does not fit how things stand: it was done before, is under way, or has gone another way. Read the present state before you go on.
    Conflict = 409 "CONFLICT" "The current state does not allow this";
    /// Fewer pieces are free than you asked for. Nothing was reserved.
    OutOfStock = 409 "OUT_OF_STOCK" "There is not enough in stock";
    /// The header `If-Match` names another version than there is now. Nothing was changed: read it again, and change that version.
    PreconditionFailed = 412 "PRECONDITION_FAILED" "It has changed since you read it";
    /// The body has more bytes than are taken here. Nothing of it was looked at.
    TooLarge = 413 "PAYLOAD_TOO_LARGE" "The request body is too large";
    /// The body is of a media type or coding that is not read here. Send JSON as `application/json`, without `Content-Encoding`.
    UnsupportedMediaType = 415 "UNSUPPORTED_MEDIA_TYPE" "The body's media type is not supported";
    /// The request makes sense, but a rule of the shop says no. The text in `detail` says which.
    Unprocessable = 422 "UNPROCESSABLE" "A rule of the shop does not allow this";
    /// More requests came from you than are allowed in this time. The header `Retry-After` says when to go on.
    TooManyRequests = 429 "TOO_MANY_REQUESTS" "Too many requests";
    /// Something went wrong that never should. It was recorded with the number in `X-Request-Id`, which you can name when you ask about it.
    Internal = 500 "INTERNAL_ERROR" "Something is broken on our side";
    /// A part of the shop gave no answer that makes sense. Whether the request was carried out is not known: repeat it with the same `Idempotency-Key`.
    BadGateway = 502 "BAD_GATEWAY" "A service behind this one failed";
    /// A part of the shop can't be reached or is overloaded. Repeat the request after the seconds in `Retry-After`, with the same `Idempotency-Key`.
    Unavailable = 503 "SERVICE_UNAVAILABLE" "The service is not available now";
}

impl Code {
    /// The `type` of the problem: a path of the shop, where a page explains it.
    pub fn uri(self) -> String {
        format!("/problems/{}", self.slug())
    }

    /// The last part of [`Code::uri`]: `out-of-stock`.
    pub fn slug(self) -> String {
        self.text().to_ascii_lowercase().replace('_', "-")
    }
}

/// One value that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where it stands: `items[0].quantity`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// A refusal, as the client will see it. It never carries an internal name or a stack trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    code: Code,
    detail: String,
    errors: Vec<FieldError>,
    headers: Vec<(&'static str, String)>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    error: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    /// A problem of this kind; `detail` is a sentence for the client.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Values that are not allowed; `errors` must name at least one.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let list: Vec<String> = errors
            .iter()
            .map(|e| format!("{} {}", e.field, e.message))
            .collect();
        Self {
            errors,
            ..Self::new(Code::Validation, list.join("; "))
        }
    }

    /// One value that is not allowed.
    pub fn invalid_field(field: impl Into<String>, message: impl std::fmt::Display) -> Self {
        Self::invalid(vec![FieldError {
            field: field.into(),
            message: message.to_string(),
        }])
    }

    /// It does not exist, or it is not yours: both look the same.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("no such {what}"))
    }

    /// Something this service needs does not answer; worth repeating in a second.
    pub fn unavailable() -> Self {
        Self::new(Code::Unavailable, "please try again in a moment").header("retry-after", "1")
    }

    /// The same for a failure whose story the operator needs.
    pub fn unavailable_because(operation: &str, story: &dyn std::fmt::Display) -> Self {
        crate::log::warn(operation, &story.to_string());
        Self::unavailable()
    }

    /// A defect: the operator gets the whole story, the client only learns that there is one.
    pub fn defect(operation: &str, story: &dyn std::fmt::Display) -> Self {
        crate::log::error(operation, &story.to_string());
        Self::new(Code::Internal, "the error was recorded and will be looked at")
    }

    /// The same problem with one more response header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// What kind of problem it is.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The sentence for the client.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl From<Problem> for Response {
    fn from(problem: Problem) -> Self {
        let status = problem.code.status();
        let body = Body {
            r#type: problem.code.uri(),
            title: problem.code.title(),
            status,
            detail: &problem.detail,
            error: problem.code.text(),
            message: &problem.detail,
            errors: &problem.errors,
        };
        let mut response = Self::json_as("application/problem+json", status, &body);
        for (name, value) in problem.headers {
            response = response.header(name, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_carries_both_vocabularies() {
        let response = Response::from(Problem::invalid_field("quantity", "must be at least 1"));
        expect_test::expect![[r#"{"type":"/problems/validation-failed","title":"A value is not allowed","status":400,"detail":"quantity must be at least 1","error":"VALIDATION_FAILED","message":"quantity must be at least 1","errors":[{"field":"quantity","message":"must be at least 1"}]}"#]]
            .assert_eq(std::str::from_utf8(response.body()).unwrap());
        assert_eq!(
            response.header_value("content-type"),
            Some("application/problem+json")
        );
    }

    #[test]
    fn every_code_is_one_of_its_kind_and_explained_in_sentences() {
        for (place, code) in Code::ALL.iter().enumerate() {
            let earlier = &Code::ALL[..place];
            assert!(earlier.iter().all(|other| other.uri() != code.uri()), "{code:?}");
            assert!(
                earlier.iter().all(|other| other.status() <= code.status()),
                "{code:?}"
            );
            let meaning = code.meaning();
            assert!(
                meaning.starts_with(char::is_uppercase) && meaning.ends_with('.'),
                "{meaning}"
            );
            assert_eq!(meaning.matches('`').count() % 2, 0, "{meaning}");
        }
    }

    #[test]
    fn an_outage_says_when_to_come_back() {
        let response = Response::from(Problem::unavailable());
        assert_eq!(
            (response.status(), response.header_value("retry-after")),
            (503, Some("1"))
        );
    }
}
