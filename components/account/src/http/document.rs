//! What the API's document says about these pages.

use openapi::{Access, Document, Operation, Parameter, field, json, words};
use utoipa::openapi::Object;
use web::{Code, Method};

use super::admin::{AccountView, AppointBody, ChangeBody};
use super::wire::{
    CreatedView, LogInBody, PasswordBody, ProfileBody, ProfileView, RefreshBody, SignUpBody, TokensView,
};
use crate::domain::{Email, Grade, Name, Password, Phone, Role, SearchText, Status};

const BARRED: &str = "The account is suspended or closed.";

/// The document of this component; `openapi.json` keeps its text.
pub fn document() -> Document {
    Document::new(
        "account",
        "Who can log in, and for how long.",
        env!("CARGO_PKG_VERSION"),
    )
    .with(sign_up())
    .with(log_in())
    .with(refresh())
    .with(log_out())
    .with(me())
    .with(change_profile())
    .with(change_password())
    .with(list())
    .with(show())
    .with(change())
    .with(appoint())
}

fn sign_up() -> Operation {
    Operation::new(Access::Open, Method::Post, "/users", "signUp", "Make an account")
        .about("One account for each e-mail, whatever its case and the blanks around it.")
        .body::<SignUpBody>(&[(
            "customer",
            json!({
                "email": "minsu.kim@example.com", "password": "bodega2026!",
                "name": "김민수", "phone": "010-1234-5678",
            }),
        )])
        .answers::<CreatedView<'_>>(201, "The account; log in with it.")
        .located()
        .leads_to_body(
            "login",
            "logIn",
            &json!({"email": "$request.body#/email", "password": "$request.body#/password"}),
        )
        .refuses(Code::Conflict, "There is an account with this e-mail already.")
}

fn log_in() -> Operation {
    Operation::new(Access::Open, Method::Post, "/auth/login", "logIn", "Log in")
        .about("An unknown e-mail and a wrong password get the same answer, after the same time.")
        .body::<LogInBody>(&[(
            "customer",
            json!({"email": "minsu.kim@example.com", "password": "bodega2026!"}),
        )])
        .answers::<TokensView<'_>>(200, "The tokens of a new session.")
        .leads_to_body("refresh", "refreshTokens", &refresh_token())
        .refuses(Code::Unauthorized, "The e-mail or the password is wrong.")
        .refuses(Code::Forbidden, BARRED)
}

fn refresh() -> Operation {
    Operation::new(
        Access::Open,
        Method::Post,
        "/auth/refresh",
        "refreshTokens",
        "Exchange a refresh token for new tokens",
    )
    .about(
        "This uses the refresh token up. Presented again within 10 seconds, and as long as its successor is not \
         used, it gets the same successor once more; used twice otherwise it ends its session.",
    )
    .body::<RefreshBody>(&[])
    .answers::<TokensView<'_>>(200, "The next tokens of the session.")
    .leads_to_body("again", "refreshTokens", &refresh_token())
    .refuses(Code::Unauthorized, "The refresh token is not live.")
    .refuses(Code::Forbidden, BARRED)
}

fn refresh_token() -> serde_json::Value {
    json!({"refreshToken": "$response.body#/refreshToken"})
}

fn log_out() -> Operation {
    Operation::new(Access::User, Method::Post, "/auth/logout", "logOut", "Log out")
        .about(
            "Ends the session of the refresh token; without a body all sessions and access tokens of the caller, \
             the one of this request too. Repeating is harmless.",
        )
        .optional_body::<RefreshBody>(&[])
        .answers_nothing(204, "It has ended.")
        .refuses(
            Code::Unauthorized,
            "The refresh token is not valid, or it is somebody else's.",
        )
}

fn me() -> Operation {
    Operation::new(
        Access::User,
        Method::Get,
        "/users/me",
        "getMe",
        "Show the own account",
    )
    .answers::<ProfileView<'_>>(200, "The account.")
    .refuses(Code::Forbidden, BARRED)
}

fn change_profile() -> Operation {
    Operation::new(
        Access::User,
        Method::Patch,
        "/users/me",
        "changeMe",
        "Change the own account",
    )
    .about("What is left out stays; `\"phone\": null` takes the number away.")
    .body::<ProfileBody>(&[
        ("both", json!({"name": "김민수", "phone": "+82-10-9876-5432"})),
        ("noPhone", json!({"phone": null})),
    ])
    .answers::<ProfileView<'_>>(200, "The account as it is now.")
    .refuses(Code::Forbidden, BARRED)
}

fn change_password() -> Operation {
    Operation::new(
        Access::User,
        Method::Post,
        "/users/me/password",
        "changePassword",
        "Change the own password",
    )
    .about("All sessions and access tokens of the caller end, the one of this request too: log in again.")
    .body::<PasswordBody>(&[(
        "next",
        json!({"currentPassword": "bodega2026!", "newPassword": "bodega2027!"}),
    )])
    .answers_nothing(204, "The new password is the one to log in with.")
    .refuses(Code::Forbidden, BARRED)
    .refuses(Code::Unprocessable, "The current password is wrong.")
}

fn list() -> Operation {
    let text = json!({
        "type": "string", "maxLength": SearchText::MAX_CHARS, "pattern": SearchText::PATTERN,
    });
    Operation::new(
        Access::Admin,
        Method::Get,
        "/admin/users",
        "listAccounts",
        "List accounts",
    )
    .about("The newest first. Filters combine with AND.")
    .parameter(
        Parameter::query(
            "searchText",
            "A part of the e-mail or the name, in any case.",
            text,
        )
        .example("김"),
    )
    .parameter(Parameter::query(
        "status",
        "Whether it may be used.",
        words(&statuses()),
    ))
    .parameter(Parameter::query(
        "grade",
        "What the shop thinks of it.",
        words(&grades()),
    ))
    .lists::<AccountView>("One page of accounts.")
}

fn show() -> Operation {
    Operation::new(
        Access::Admin,
        Method::Get,
        "/admin/users/{id}",
        "getAccount",
        "Show an account",
    )
    .id("id", "The account's id.")
    .answers::<AccountView>(200, "The account.")
    .leads_to("change", "changeAccount", &[("id", "$response.body#/id")])
    .cached()
}

fn change() -> Operation {
    Operation::new(
        Access::Admin,
        Method::Patch,
        "/admin/users/{id}",
        "changeAccount",
        "Change an account's status, grade or role",
    )
    .about(
        "What is left out stays. A suspension, a closing or another role ends the account's access tokens at once. \
         Nobody changes the own status or role. Repeating is harmless.",
    )
    .id("id", "The account's id.")
    .body::<ChangeBody>(&[
        ("suspend", json!({"status": "SUSPENDED"})),
        ("promote", json!({"grade": "VIP", "role": "ADMIN"})),
    ])
    .answers::<AccountView>(200, "The account as it is now.")
    .guarded()
    .leads_to("show", "getAccount", &[("id", "$response.body#/id")])
    .refuses(Code::Forbidden, "The caller is no active admin any more.")
    .refuses(Code::Conflict, "It is the caller's own status or role.")
}

fn appoint() -> Operation {
    let id = [("id", "$response.body#/id")];
    Operation::new(
        Access::Internal,
        Method::Post,
        "/internal/admins",
        "makeAdmin",
        "Make an admin",
    )
    .about(
        "Repeating is harmless: whoever has the e-mail is an admin afterwards, and keeps name and password.",
    )
    .body::<AppointBody>(&[(
        "first",
        json!({"email": "admin@example.com", "password": "bodega2026!", "name": "이영희"}),
    )])
    .answers::<AccountView>(201, "A new account, which is an admin.")
    .located()
    .leads_to("show", "getAccount", &id)
    .answers::<AccountView>(200, "The account that was there is an admin now.")
    .located()
    .leads_to("show", "getAccount", &id)
}

/// An e-mail that is to be taken.
pub(super) fn email_field() -> Object {
    field(json!({
        "type": "string", "maxLength": Email::MAX_CHARS, "pattern": Email::PATTERN,
        "description": "Blanks around it are cut off.",
    }))
}

/// A password that is to be set.
pub(super) fn password_field() -> Object {
    field(json!({
        "type": "string", "format": "password", "minLength": Password::MIN_CHARS,
        "maxLength": Password::MAX_CHARS, "pattern": Password::PATTERN,
        "description": "With a letter and a digit. Blanks belong to it.",
    }))
}

/// A name that is to be taken.
pub(super) fn name_field() -> Object {
    field(json!({
        "type": "string", "minLength": 1, "maxLength": Name::MAX_CHARS, "pattern": Name::PATTERN,
        "description": "Something to be seen, without control characters. Blanks around it are cut off.",
    }))
}

/// A telephone number that is to be taken, or none.
pub(super) fn nullable_phone_field() -> Object {
    field(json!({
        "type": ["string", "null"], "pattern": Phone::PATTERN,
        "description": "3 to 15 digits, with `-` between them and `+` in front if you like.",
    }))
}

pub(super) fn role_field() -> Object {
    field(words(&Role::ALL.map(Role::text)))
}

pub(super) fn status_field() -> Object {
    field(words(&statuses()))
}

pub(super) fn grade_field() -> Object {
    field(words(&grades()))
}

fn statuses() -> [&'static str; 3] {
    Status::ALL.map(Status::text)
}

fn grades() -> [&'static str; 4] {
    Grade::ALL.map(Grade::text)
}
