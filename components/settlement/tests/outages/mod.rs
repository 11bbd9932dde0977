//! What the client is told when the books can't be read.

use super::*;

#[test]
fn an_outage_is_a_503_and_a_defect_a_500_without_its_story() {
    let key = key();
    let settings = Settings {
        zone: seoul(),
        auth_required: false,
    };
    for (error, status) in [
        (DbError::Busy, 503),
        (DbError::Unavailable("disk".to_owned()), 503),
        (DbError::Other("no such table: daily_settlement".to_owned()), 500),
    ] {
        let context = Context {
            key: &key,
            settings: &settings,
            now: LATER,
            open: |_| Err::<Store, _>(error),
            book: &FakeBook::default(),
        };
        let response = handle(&Request::new(Method::Get, "/settlements/daily"), context);
        assert_eq!(response.status(), status);
        assert!(!text(&response).contains("table") && !text(&response).contains("disk"));
    }
}
