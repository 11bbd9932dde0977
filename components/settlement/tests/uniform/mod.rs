//! Every route refuses what no route takes, in the same way.

use testkit::uniform::{Body, Path, check};
use web::{Method, Role};

use crate::{LETTERS, RECONCILIATION, REPROCESS, Shop};

#[test]
fn every_route_refuses_alike() {
    let shop = Shop::new();
    let [replay, dismiss] = ["replay", "dismiss"].map(|verb| format!("{LETTERS}/1/{verb}"));
    let paths = [
        Path("/settlements/daily", &[(Method::Get, Body::Ignored)]),
        Path("/settlements/monthly", &[(Method::Get, Body::Ignored)]),
        Path("/settlements/sellers", &[(Method::Get, Body::Ignored)]),
        Path("/settlements/categories", &[(Method::Get, Body::Ignored)]),
        Path(RECONCILIATION, &[(Method::Get, Body::Ignored)]),
        Path(REPROCESS, &[(Method::Post, Body::Needed)]),
        Path(LETTERS, &[(Method::Get, Body::Ignored)]),
        Path(&replay, &[(Method::Post, Body::Ignored)]),
        Path(&dismiss, &[(Method::Post, Body::Needed)]),
    ];
    check(&paths, |request| shop.send(request, Some(Role::Admin)));
}
