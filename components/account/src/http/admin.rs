//! Accounts as admins see and change them.

use kernel::{Outcome, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{
    Code, ETag, FieldError, Identity, IfMatch, PageRequest, PathParams, Problem, Request, Response, Role,
};

use super::document::{email_field, grade_field, name_field, password_field, role_field, status_field};
use super::wire::{SignUpBody, given};
use super::{checked, newcomer, problem};
use crate::app::App;
use crate::domain::{self, Account, Actor, Change, Filter, Grade, Phone, SearchText, Status};

/// Who the gateway says it is; the store looks once more before anything changes.
pub(super) fn only(identity: Identity) -> Result<Actor, Problem> {
    match identity.role {
        Role::Admin => Ok(Actor::Admin(identity.user)),
        Role::User => Err(Problem::new(Code::Forbidden, "only administrators see accounts")),
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountView {
    #[schema(schema_with = openapi::id_field)]
    id: u64,
    email: String,
    name: String,
    #[schema(required = true)]
    phone: Option<String>,
    #[schema(schema_with = role_field)]
    role: &'static str,
    #[schema(schema_with = status_field)]
    status: &'static str,
    #[schema(schema_with = grade_field)]
    grade: &'static str,
    #[schema(schema_with = openapi::moment_field)]
    created_at: String,
}

fn view(account: &Account) -> AccountView {
    AccountView {
        id: account.id.get(),
        email: account.email.as_str().to_owned(),
        name: account.name.as_str().to_owned(),
        phone: account
            .phone
            .as_ref()
            .map(|phone| Phone::as_str(phone).to_owned()),
        role: account.role.text(),
        status: account.status.text(),
        grade: account.grade.text(),
        created_at: account.created_at.rfc3339(),
    }
}

pub(super) fn list(request: &Request, app: &App<'_>) -> Result<Response, Problem> {
    let query = request.query()?;
    query.only(&["searchText", "status", "grade", "limit", "cursor"])?;
    let mut errors = Vec::new();
    let text = query.get("searchText");
    let text = text.and_then(|text| checked(&mut errors, "searchText", SearchText::parse(text)));
    let status = word(
        &mut errors,
        "status",
        query.get("status"),
        Status::parse,
        STATUSES,
    );
    let grade = word(&mut errors, "grade", query.get("grade"), Grade::parse, GRADES);
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let filter = Filter { text, status, grade };
    let wanted = PageRequest::parse(&query)?;
    let before = wanted.after.as_deref().map(|cursor| {
        cursor
            .parse()
            .map_err(|_| Problem::invalid_field("cursor", "is not one of ours; follow the Link header"))
    });
    let accounts = app
        .list(&filter, before.transpose()?, wanted.fetch())
        .map_err(problem)?;
    let page = wanted.page(accounts, |account| account.id.to_string());
    Ok(wanted.respond(request, &page.map(|account| view(&account))))
}

pub(super) fn show(path: &PathParams, request: &Request, app: &App<'_>) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let account = app.show(user(path)?).map_err(problem)?;
    shown(&account).conditional(request)
}

fn shown(account: &Account) -> Response {
    Response::json(200, &view(account))
}

/// An account's version is that of what admins see of it: whatever they could have read counts, and nothing else.
fn version(account: &Account) -> ETag {
    ETag::of(&shown(account))
}

/// A field that is left out stays as it is; null is no value of any.
#[derive(Deserialize, ToSchema)]
#[schema(as = AccountChange)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeBody {
    #[schema(schema_with = status_field, required = false)]
    #[serde(default, deserialize_with = "given")]
    status: Option<String>,
    #[schema(schema_with = grade_field, required = false)]
    #[serde(default, deserialize_with = "given")]
    grade: Option<String>,
    #[schema(schema_with = role_field, required = false)]
    #[serde(default, deserialize_with = "given")]
    role: Option<String>,
}

pub(super) fn change(
    path: &PathParams,
    request: &Request,
    app: &App<'_>,
    actor: Actor,
) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let user = user(path)?;
    let wanted = IfMatch::of(request)?;
    let unchanged = |account: &Account| {
        let wanted = wanted.as_ref();
        wanted.is_none_or(|wanted| wanted.holds(&version(account)))
    };
    let body: ChangeBody = request.json()?;
    let mut errors = Vec::new();
    let change = Change {
        status: word(
            &mut errors,
            "status",
            body.status.as_deref(),
            Status::parse,
            STATUSES,
        ),
        grade: word(&mut errors, "grade", body.grade.as_deref(), Grade::parse, GRADES),
        role: word(
            &mut errors,
            "role",
            body.role.as_deref(),
            domain::Role::parse,
            ROLES,
        ),
    };
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let account = app.change(user, &change, actor, &unchanged).map_err(problem)?;
    Ok(shown(&account).tagged(&version(&account)))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = NewAdmin)]
#[serde(deny_unknown_fields)]
pub(super) struct AppointBody {
    #[schema(schema_with = email_field)]
    email: String,
    #[schema(schema_with = password_field)]
    password: String,
    #[schema(schema_with = name_field)]
    name: String,
}

/// 201 with a new account, 200 with one that was there and keeps its password.
pub(super) fn appoint(request: &Request, app: &App<'_>) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let AppointBody {
        email,
        password,
        name,
    } = request.json()?;
    let wanted = newcomer(SignUpBody {
        email,
        password,
        name,
        phone: None,
    })?;
    let (status, account) = match app.appoint(wanted).map_err(problem)? {
        Outcome::Done(account) => (201, account),
        Outcome::AlreadyDone(account) => (200, account),
    };
    let location = format!("/admin/users/{}", account.id);
    Ok(Response::json(status, &view(&account)).header("location", location))
}

const STATUSES: &str = "must be ACTIVE, INACTIVE or SUSPENDED";
const GRADES: &str = "must be NORMAL, SILVER, GOLD or VIP";
const ROLES: &str = "must be USER or ADMIN";

/// One of a few words, or one more error for the client's list.
fn word<T>(
    errors: &mut Vec<FieldError>,
    field: &str,
    given: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
    refusal: &str,
) -> Option<T> {
    given.and_then(|text| checked(errors, field, parse(text).ok_or(refusal)))
}

/// A malformed id names nobody, like one that was never given away.
fn user(path: &PathParams) -> Result<UserId, Problem> {
    path.get("id").parse().map_err(|_| Problem::not_found("user"))
}
