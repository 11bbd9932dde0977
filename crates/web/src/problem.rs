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
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

codes! {
    /// The request can't be understood: broken JSON, a wrong type, an unknown field.
    Malformed = 400 "MALFORMED_REQUEST" "The request can't be understood";
    /// The request is well formed, but a value in it is not allowed.
    Validation = 400 "VALIDATION_FAILED" "A value is not allowed";
    /// There is no valid token.
    Unauthorized = 401 "UNAUTHORIZED" "Authentication is required";
    /// The payment was refused.
    PaymentRefused = 402 "PAYMENT_REFUSED" "The payment was refused";
    /// The token's role is not enough.
    Forbidden = 403 "FORBIDDEN" "This is not allowed for you";
    /// It does not exist, or it is not yours.
    NotFound = 404 "NOT_FOUND" "There is no such thing";
    /// The path exists, but not with this method.
    MethodNotAllowed = 405 "METHOD_NOT_ALLOWED" "This method is not supported here";
    /// The answer would be of a media type that `Accept` leaves out.
    NotAcceptable = 406 "NOT_ACCEPTABLE" "There is no answer of a media type you accept";
    /// The state of things does not allow it.
    Conflict = 409 "CONFLICT" "The current state does not allow this";
    /// Less is free than was asked for.
    OutOfStock = 409 "OUT_OF_STOCK" "There is not enough in stock";
    /// `If-Match` names another version than there is now: read it again, and change that one.
    PreconditionFailed = 412 "PRECONDITION_FAILED" "It has changed since you read it";
    /// The body is too large.
    TooLarge = 413 "PAYLOAD_TOO_LARGE" "The request body is too large";
    /// The body is not JSON.
    UnsupportedMediaType = 415 "UNSUPPORTED_MEDIA_TYPE" "The body's media type is not supported";
    /// A rule of the shop says no.
    Unprocessable = 422 "UNPROCESSABLE" "A rule of the shop does not allow this";
    /// Too many requests came from this client.
    TooManyRequests = 429 "TOO_MANY_REQUESTS" "Too many requests";
    /// A defect of ours.
    Internal = 500 "INTERNAL_ERROR" "Something is broken on our side";
    /// A service behind this one answered nonsense.
    BadGateway = 502 "BAD_GATEWAY" "A service behind this one failed";
    /// A service behind this one can't be reached now.
    Unavailable = 503 "SERVICE_UNAVAILABLE" "The service is not available now";
}

impl Code {
    /// The `type` of the problem: a path of the shop, where a page explains it.
    pub fn uri(self) -> String {
        format!("/problems/{}", self.text().to_ascii_lowercase().replace('_', "-"))
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
    fn an_outage_says_when_to_come_back() {
        let response = Response::from(Problem::unavailable());
        assert_eq!(
            (response.status(), response.header_value("retry-after")),
            (503, Some("1"))
        );
    }
}
