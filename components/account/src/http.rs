//! The routes: JSON to use cases and back, and which refusal is which status.

mod admin;
mod document;
mod wire;

use kernel::{Instant, UserId};
use token::{Kind, mark};
use web::{
    Code, FieldError, IdentityKey, InternalKey, Method, PathParams, Problem, Request, Response, Route,
    Unverified, find,
};

use crate::app::{self, Accounts, App, Failure, Marks, Pair, ProfileChange, SignUp};
use crate::domain::{Account, ChangeRefused, Email, Name, Password, Phone};
use wire::{
    CreatedView, LogInBody, PasswordBody, ProfileBody, ProfileView, RefreshBody, SignUpBody, TokensView,
};

pub use document::document;

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// Make an account.
    SignUp,
    /// Begin a session.
    LogIn,
    /// Go on with a session.
    Refresh,
    /// End a session.
    LogOut,
    /// Read the caller's profile.
    Me,
    /// Change the caller's profile.
    ChangeProfile,
    /// Change the caller's password.
    ChangePassword,
    /// List accounts.
    ListAccounts,
    /// Show any account.
    ShowAccount,
    /// Change any account's status, grade or role.
    ChangeAccount,
    /// Make an admin, for the operator.
    Appoint,
}

const fn route(method: Method, pattern: &'static str, endpoint: Endpoint) -> Route<Endpoint> {
    Route {
        method,
        pattern,
        endpoint,
    }
}

/// Every route.
pub const ROUTES: &[Route<Endpoint>] = &[
    route(Method::Post, "/users", Endpoint::SignUp),
    route(Method::Get, "/users/me", Endpoint::Me),
    route(Method::Patch, "/users/me", Endpoint::ChangeProfile),
    route(Method::Post, "/users/me/password", Endpoint::ChangePassword),
    route(Method::Get, "/admin/users", Endpoint::ListAccounts),
    route(Method::Get, "/admin/users/{id}", Endpoint::ShowAccount),
    route(Method::Patch, "/admin/users/{id}", Endpoint::ChangeAccount),
    route(Method::Post, "/internal/admins", Endpoint::Appoint),
    route(Method::Post, "/auth/login", Endpoint::LogIn),
    route(Method::Post, "/auth/refresh", Endpoint::Refresh),
    route(Method::Post, "/auth/logout", Endpoint::LogOut),
];

/// What the request asks for; a 404 or 405 needs neither a database nor a key.
pub fn route_of(request: &Request) -> Result<(Endpoint, PathParams), Problem> {
    find(ROUTES, request)
}

/// Does what the route says.
pub fn answer(
    (endpoint, path): (Endpoint, &PathParams),
    request: &Request,
    app: &App<'_>,
    identities: &IdentityKey,
    internal: &InternalKey,
) -> Result<Response, Problem> {
    let identity = || identities.identify(request, app.now);
    let caller = || identity().map(|identity| identity.user);
    let admin = || admin::only(identity()?);
    match endpoint {
        Endpoint::SignUp => sign_up(request, app),
        Endpoint::LogIn => log_in(request, app),
        Endpoint::Refresh => refresh(request, app),
        Endpoint::LogOut => log_out(request, app, caller()?),
        Endpoint::Me => me(request, app, caller()?),
        Endpoint::ChangeProfile => change_profile(request, app, caller()?),
        Endpoint::ChangePassword => change_password(request, app, caller()?),
        Endpoint::ListAccounts => admin().and_then(|_| admin::list(request, app)),
        Endpoint::ShowAccount => admin().and_then(|_| admin::show(path, request, app)),
        Endpoint::ChangeAccount => admin::change(path, request, app, admin()?),
        Endpoint::Appoint => internal
            .admit(request)
            .and_then(|()| admin::appoint(request, app)),
    }
}

fn sign_up(request: &Request, app: &App<'_>) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let account = app.sign_up(newcomer(request.json()?)?).map_err(problem)?;
    let body = CreatedView {
        id: account.id.get(),
        email: account.email.as_str(),
        name: account.name.as_str(),
    };
    Ok(Response::json(201, &body).header("location", "/users/me"))
}

fn newcomer(body: SignUpBody) -> Result<SignUp, Problem> {
    let mut errors = Vec::new();
    let email = checked(&mut errors, "email", Email::parse(&body.email));
    let password = checked(&mut errors, "password", Password::parse(body.password));
    let name = checked(&mut errors, "name", Name::parse(&body.name));
    let phone = body
        .phone
        .and_then(|text| checked(&mut errors, "phone", Phone::parse(&text)));
    let (Some(email), Some(password), Some(name), true) = (email, password, name, errors.is_empty()) else {
        return Err(Problem::invalid(errors));
    };
    Ok(SignUp {
        email,
        password,
        name,
        phone,
    })
}

/// The value, or one more error for the client's list.
fn checked<T, E: std::fmt::Display>(
    errors: &mut Vec<FieldError>,
    field: &str,
    parsed: Result<T, E>,
) -> Option<T> {
    match parsed {
        Ok(value) => Some(value),
        Err(refused) => {
            errors.push(FieldError {
                field: field.to_owned(),
                message: refused.to_string(),
            });
            None
        }
    }
}

fn log_in(request: &Request, app: &App<'_>) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let body: LogInBody = request.json()?;
    let pair = app.log_in(&body.email, &body.password).map_err(problem)?;
    Ok(tokens(&pair))
}

fn refresh(request: &Request, app: &App<'_>) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let body: RefreshBody = request.json()?;
    Ok(tokens(&app.refresh(&body.refresh_token).map_err(problem)?))
}

/// With `{refreshToken}` that session ends; without a body all sessions of the caller do.
fn log_out(request: &Request, app: &App<'_>, caller: UserId) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let body: Option<RefreshBody> = request.optional_json()?;
    let token = body.as_ref().map(|body| body.refresh_token.as_str());
    app.log_out(caller, token).map_err(problem)?;
    Ok(Response::no_content())
}

fn tokens(pair: &Pair) -> Response {
    let body = TokensView {
        access_token: &pair.access,
        refresh_token: &pair.refresh,
        token_type: "Bearer",
        expires_in: Kind::Access.lifetime_seconds(),
    };
    Response::json(200, &body).header("cache-control", "no-store")
}

fn me(request: &Request, app: &App<'_>, caller: UserId) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    Ok(profile(&app.me(caller).map_err(problem)?))
}

fn profile(account: &Account) -> Response {
    let body = ProfileView {
        id: account.id.get(),
        email: account.email.as_str(),
        name: account.name.as_str(),
        phone: account.phone.as_ref().map(Phone::as_str),
        role: account.role.text(),
        created_at: account.created_at.rfc3339(),
    };
    Response::json(200, &body)
}

fn change_profile(request: &Request, app: &App<'_>, caller: UserId) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let body: ProfileBody = request.json()?;
    let mut errors = Vec::new();
    let name = body
        .name
        .and_then(|text| checked(&mut errors, "name", Name::parse(&text)));
    let phone = body
        .phone
        .map(|phone| phone.and_then(|text| checked(&mut errors, "phone", Phone::parse(&text))));
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let change = ProfileChange { name, phone };
    Ok(profile(&app.change_profile(caller, change).map_err(problem)?))
}

/// Not a 401: who mistypes the current password is still logged in.
fn change_password(request: &Request, app: &App<'_>, caller: UserId) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let body: PasswordBody = request.json()?;
    let new = Password::parse(body.new_password)
        .map_err(|refused| Problem::invalid_field("newPassword", refused))?;
    app.change_password(caller, &body.current_password, &new)
        .map_err(problem)?;
    Ok(Response::no_content())
}

/// What the door asks of a store of marks that was lost; nobody else gets here.
pub fn recall(
    request: &Request,
    accounts: &dyn Accounts,
    marks: &dyn Marks,
    now: Instant,
) -> Result<Response, Problem> {
    let only = Route {
        method: Method::Post,
        pattern: mark::RECALL_PATH,
        endpoint: (),
    };
    find(&[only], request)?;
    app::recall(accounts, marks, now).map_err(problem)?;
    Ok(Response::no_content())
}

/// Which refusal is which status: the whole table.
fn problem(failure: Failure) -> Problem {
    match failure {
        Failure::EmailTaken => Problem::new(Code::Conflict, "there is an account with this e-mail already"),
        Failure::WrongCredentials => unauthorized("the e-mail or the password is wrong"),
        Failure::WrongPassword => Problem::new(Code::Unprocessable, "the current password is wrong"),
        Failure::Barred(barred) => Problem::new(Code::Forbidden, barred.to_string()),
        Failure::Change(refused) => {
            let code = match refused {
                ChangeRefused::Changed => Code::PreconditionFailed,
                ChangeRefused::NotAdmin => Code::Forbidden,
                ChangeRefused::Unknown => Code::NotFound,
                ChangeRefused::OwnRole | ChangeRefused::OwnStatus => Code::Conflict,
            };
            Problem::new(code, refused.to_string())
        }
        Failure::Refresh(refused) => {
            web::log::info("account.refresh", &refused.to_string());
            unauthorized("the refresh token is not valid; log in again")
        }
        Failure::Gone => Unverified::Missing.into(),
        Failure::NoFreeId => Problem::unavailable(),
        Failure::Store(error) if error.retryable() => Problem::unavailable(),
        Failure::Mark(error) => Problem::unavailable_because("account.mark", &error),
        Failure::Store(error) => Problem::defect("account.store", &error),
        Failure::Hash(error) => Problem::defect("account.hash", &error),
        Failure::Sign(error) => Problem::defect("account.sign", &error),
    }
}

fn unauthorized(detail: &str) -> Problem {
    Problem::new(Code::Unauthorized, detail).header("www-authenticate", "Bearer")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use store::DbError;

    use super::*;
    use crate::app::{MarkUnwritten, RefreshRefused};
    use crate::domain::{Barred, RenewalRefused};

    #[test]
    fn every_failure_has_its_status_and_tells_no_secret() {
        let refresh = |refused| Failure::Refresh(RefreshRefused::Session(refused));
        let failures = [
            Failure::EmailTaken,
            Failure::WrongCredentials,
            Failure::WrongPassword,
            Failure::Change(ChangeRefused::NotAdmin),
            Failure::Change(ChangeRefused::Unknown),
            Failure::Change(ChangeRefused::OwnRole),
            Failure::Change(ChangeRefused::OwnStatus),
            Failure::Change(ChangeRefused::Changed),
            Failure::Barred(Barred::Suspended),
            Failure::Barred(Barred::Inactive),
            Failure::Refresh(token::Refused::Forged.into()),
            refresh(RenewalRefused::Reused),
            refresh(RenewalRefused::Unknown),
            Failure::Gone,
            Failure::NoFreeId,
            Failure::Mark(MarkUnwritten("secret".to_owned())),
            Failure::Store(DbError::Busy),
            Failure::Store(DbError::Other("no such table: secret".to_owned())),
        ];
        let lines = failures.map(|failure| {
            let name = format!("{failure:?}");
            let problem = problem(failure);
            format!(
                "{:<44} {} {}\n",
                name,
                Response::from(problem.clone()).status(),
                problem.detail()
            )
        });
        expect![[r#"
            EmailTaken                                   409 there is an account with this e-mail already
            WrongCredentials                             401 the e-mail or the password is wrong
            WrongPassword                                422 the current password is wrong
            Change(NotAdmin)                             403 this needs an active account with the role ADMIN
            Change(Unknown)                              404 no such user
            Change(OwnRole)                              409 nobody changes their own role; ask another admin
            Change(OwnStatus)                            409 nobody changes their own status; ask another admin
            Change(Changed)                              412 it has changed since you read it; read it again
            Barred(Suspended)                            403 this account is suspended
            Barred(Inactive)                             403 this account is closed
            Refresh(Token(Forged))                       401 the refresh token is not valid; log in again
            Refresh(Session(Reused))                     401 the refresh token is not valid; log in again
            Refresh(Session(Unknown))                    401 the refresh token is not valid; log in again
            Gone                                         401 log in first, and send the access token
            NoFreeId                                     503 please try again in a moment
            Mark(MarkUnwritten("secret"))                503 please try again in a moment
            Store(Busy)                                  503 please try again in a moment
            Store(Other("no such table: secret"))        500 the error was recorded and will be looked at
        "#]]
        .assert_eq(&lines.concat());
    }
}
