//! How many statements each call sends, and how often it asks the gateway: the README's table, counted.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod shop;

use expect_test::expect;
use payment::app::Ledger;
use payment::domain::Method;
use shop::{Shop, charge, confirmation, order, refund, void};

store_suite::also_on_postgres!();

#[test]
fn every_call_costs_what_the_readme_says() {
    let shop = Shop::new("lose-answer amount=778; timeout-cancel amount=5 first=1");
    let mut table = String::new();
    let mut line = |what: &str, call: &dyn Fn()| {
        let before = shop.seam.statements();
        shop.seam.disturbed(None, call);
        let statements = shop.seam.statements() - before;
        let asked = shop.seam.touched() - statements;
        // Opening looks at the schema's number once.
        table += &format!("{what}: {} statements, {asked} to the gateway\n", statements + 1);
    };
    let card = |number, amount| drop(shop.charge(&charge(number, amount, Method::Card)));
    let end = |number, method| drop(shop.void(&void(number, 100, method, "undo")).unwrap());
    line("charge", &|| card(1, 100));
    line("charge again", &|| card(1, 100));
    line("charge of cash", &|| {
        drop(shop.charge(&charge(2, 100, Method::Cash)))
    });
    line("confirm", &|| drop(shop.confirm(&confirmation(3, 100, "k1"))));
    line("confirm again", &|| {
        drop(shop.confirm(&confirmation(3, 100, "k1")))
    });
    line("status", &|| drop(shop.app().status(order(1)).unwrap()));
    line("refund", &|| drop(shop.refund(&refund(1, "a", 10))));
    line("refund again", &|| drop(shop.refund(&refund(1, "a", 10))));
    line("refund of cash", &|| drop(shop.refund(&refund(2, "a", 10))));
    line("void of a capture", &|| end(1, Method::Card));
    line("void again", &|| end(1, Method::Card));
    line("void of cash", &|| end(2, Method::Cash));
    line("void of nothing", &|| end(4, Method::Card));
    card(5, 778);
    line("void of a lost charge", &|| end(5, Method::Card));
    line("recover, nothing to do", &|| assert_eq!(shop.recover().done, 0));
    card(6, 100);
    shop.refund(&refund(6, "a", 5)).unwrap_err();
    shop.wait(21_000);
    line("recover, one refund and one look", &|| {
        assert_eq!(shop.recover().done, 2)
    });
    line("books", &|| drop(shop.payments.captured(None, 100).unwrap()));
    expect![[r#"
        charge: 6 statements, 1 to the gateway
        charge again: 2 statements, 0 to the gateway
        charge of cash: 6 statements, 1 to the gateway
        confirm: 7 statements, 1 to the gateway
        confirm again: 2 statements, 0 to the gateway
        status: 2 statements, 0 to the gateway
        refund: 12 statements, 1 to the gateway
        refund again: 2 statements, 0 to the gateway
        refund of cash: 10 statements, 0 to the gateway
        void of a capture: 13 statements, 1 to the gateway
        void again: 2 statements, 0 to the gateway
        void of cash: 11 statements, 0 to the gateway
        void of nothing: 8 statements, 1 to the gateway
        void of a lost charge: 18 statements, 2 to the gateway
        recover, nothing to do: 3 statements, 0 to the gateway
        recover, one refund and one look: 19 statements, 2 to the gateway
        books: 2 statements, 0 to the gateway
    "#]]
    .assert_eq(&table);
}
