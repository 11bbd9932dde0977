//! What clients send and read.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::document::{email_field, name_field, nullable_phone_field, password_field, role_field};

#[derive(Deserialize, ToSchema)]
#[schema(as = NewAccount)]
#[serde(deny_unknown_fields)]
pub(super) struct SignUpBody {
    #[schema(schema_with = email_field)]
    pub(super) email: String,
    #[schema(schema_with = password_field)]
    pub(super) password: String,
    #[schema(schema_with = name_field)]
    pub(super) name: String,
    #[schema(schema_with = nullable_phone_field, required = false)]
    pub(super) phone: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CreatedAccount)]
pub(super) struct CreatedView<'a> {
    #[schema(schema_with = openapi::id_field)]
    pub(super) id: u64,
    pub(super) email: &'a str,
    pub(super) name: &'a str,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = Credentials)]
#[serde(deny_unknown_fields)]
pub(super) struct LogInBody {
    /// In any case; blanks around it don't matter.
    pub(super) email: String,
    pub(super) password: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = RefreshToken)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RefreshBody {
    pub(super) refresh_token: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TokenPair)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokensView<'a> {
    /// Sent with every request: `Authorization: Bearer …`.
    pub(super) access_token: &'a str,
    /// Exchanged once for the next pair.
    pub(super) refresh_token: &'a str,
    #[schema(schema_with = token_type_field)]
    pub(super) token_type: &'static str,
    /// For so many seconds the access token is good.
    #[schema(minimum = 1)]
    pub(super) expires_in: u32,
}

fn token_type_field() -> utoipa::openapi::Object {
    openapi::field(openapi::words(&["Bearer"]))
}

#[derive(Serialize, ToSchema)]
#[schema(as = Profile)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProfileView<'a> {
    #[schema(schema_with = openapi::id_field)]
    pub(super) id: u64,
    pub(super) email: &'a str,
    pub(super) name: &'a str,
    #[schema(required = true)]
    pub(super) phone: Option<&'a str>,
    #[schema(schema_with = role_field)]
    pub(super) role: &'static str,
    #[schema(schema_with = openapi::moment_field)]
    pub(super) created_at: String,
}

/// A field that is left out stays; `"phone": null` takes the number away, a name can't be taken away.
#[derive(Deserialize, ToSchema)]
#[schema(as = ProfileChange)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileBody {
    #[schema(schema_with = name_field, required = false)]
    #[serde(default, deserialize_with = "given")]
    pub(super) name: Option<String>,
    #[schema(schema_with = nullable_phone_field, required = false)]
    #[serde(default, deserialize_with = "given")]
    pub(super) phone: Option<Option<String>>,
}

/// A field that is there, whatever stands in it.
pub(super) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[derive(Deserialize, ToSchema)]
#[schema(as = PasswordChange)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PasswordBody {
    pub(super) current_password: String,
    #[schema(schema_with = password_field)]
    pub(super) new_password: String,
}
