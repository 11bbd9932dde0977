//! Every route refuses what no route takes, in the same way.

use testkit::uniform::{Body, Path, check};
use web::{CREDENTIAL_HEADER, IDENTITY_HEADER, Identity, Method, Role};

use crate::shop::Shop;

#[test]
fn every_route_refuses_alike() {
    let shop = Shop::new();
    let admin = shop.add_admin("root@b.kr");
    let identity = shop.identities.sign(
        Identity {
            user: admin,
            role: Role::Admin,
        },
        shop.now.get(),
    );
    let user = format!("/admin/users/{admin}");
    let paths = [
        Path("/users", &[(Method::Post, Body::Needed)]),
        Path(
            "/users/me",
            &[(Method::Get, Body::Ignored), (Method::Patch, Body::Needed)],
        ),
        Path("/users/me/password", &[(Method::Post, Body::Needed)]),
        Path("/admin/users", &[(Method::Get, Body::Ignored)]),
        Path(
            &user,
            &[(Method::Get, Body::Ignored), (Method::Patch, Body::Needed)],
        ),
        Path("/internal/admins", &[(Method::Post, Body::Needed)]),
        Path("/auth/login", &[(Method::Post, Body::Needed)]),
        Path("/auth/refresh", &[(Method::Post, Body::Needed)]),
        Path("/auth/logout", &[(Method::Post, Body::Optional)]),
    ];
    check(&paths, |request| {
        let request = request
            .with_header(IDENTITY_HEADER, identity.clone())
            .with_header(CREDENTIAL_HEADER, "Bearer internal");
        // Nothing is made here that would need a chance of its own.
        shop.calls.set(1);
        shop.send(&request)
    });
}
