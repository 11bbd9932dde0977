//! Methods that a path does not have, and OPTIONS, which asks for those that it has.

use web::{Code, Method, Problem, Response};

use crate::headers::{Headers, values};

/// The methods of what is only read here.
const READ_ONLY: &str = "GET, HEAD, OPTIONS";

/// Every method that something in the shop answers.
const KNOWN: &str = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";

/// What is answered here is only read: nothing for those who read it, the answer for those who ask what they may do,
/// a refusal for all others.
pub fn read_only(method: Method) -> Result<Option<Response>, Problem> {
    match method {
        Method::Get | Method::Head => Ok(None),
        Method::Options => Ok(Some(allowing(READ_ONLY))),
        Method::Post | Method::Put | Method::Patch | Method::Delete | Method::Other => {
            Err(not_allowed("this path answers GET, HEAD, OPTIONS", READ_ONLY))
        }
    }
}

/// Refuses TRACE, CONNECT and whatever nobody has heard of. Only the component behind a path knows its methods, and it
/// is not asked: the list is that of the whole shop.
pub fn known(method: Method) -> Result<(), Problem> {
    match method {
        Method::Other => Err(not_allowed("this method is supported nowhere here", KNOWN)),
        Method::Get
        | Method::Head
        | Method::Post
        | Method::Put
        | Method::Patch
        | Method::Delete
        | Method::Options => Ok(()),
    }
}

/// What a component's refusal of OPTIONS means: no component has a route for it, so the methods that it names are the
/// answer. None for every other answer.
pub fn options(method: Method, status: u16, answered: &Headers) -> Option<Response> {
    if method != Method::Options || status != 405 {
        return None;
    }
    let allow = values(answered, "allow");
    let [allow] = allow.as_slice() else {
        return None;
    };
    std::str::from_utf8(allow).ok().map(allowing)
}

fn allowing(methods: &str) -> Response {
    Response::no_content().header("allow", methods)
}

fn not_allowed(detail: &str, allow: &str) -> Problem {
    Problem::new(Code::MethodNotAllowed, detail).header("allow", allow)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(value: &str) -> Headers {
        vec![("Allow".to_owned(), value.as_bytes().to_vec())]
    }

    #[test]
    fn a_components_refusal_of_options_is_the_answer() {
        let answer = options(Method::Options, 405, &allow("GET, HEAD, OPTIONS")).unwrap();
        assert_eq!(
            (answer.status(), answer.header_value("allow"), answer.body()),
            (204, Some("GET, HEAD, OPTIONS"), b"".as_slice())
        );
        assert_eq!(options(Method::Options, 404, &allow("GET")), None);
        assert_eq!(options(Method::Options, 401, &Vec::new()), None);
        assert_eq!(options(Method::Options, 405, &Vec::new()), None);
        assert_eq!(options(Method::Delete, 405, &allow("GET")), None);
    }

    #[test]
    fn what_is_read_here_is_only_read() {
        assert_eq!(read_only(Method::Get).unwrap(), None);
        assert_eq!(read_only(Method::Head).unwrap(), None);
        let answer = read_only(Method::Options).unwrap().unwrap();
        assert_eq!(
            (answer.status(), answer.header_value("allow")),
            (204, Some(READ_ONLY))
        );
        for method in [
            Method::Post,
            Method::Put,
            Method::Patch,
            Method::Delete,
            Method::Other,
        ] {
            let refused = Response::from(read_only(method).unwrap_err());
            assert_eq!(
                (refused.status(), refused.header_value("allow")),
                (405, Some(READ_ONLY))
            );
        }
    }
}
