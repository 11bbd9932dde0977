use kernel::{Millis, Money};

use crate::domain::PaymentKey;

/// The longest code of a refusal.
const MAX_CODE: usize = 60;

/// The longest a rule may hold an answer back.
const MAX_SLOW_MS: u32 = 60_000;

/// The code of `refuse-cancel` when the rule names none.
const CANCEL_CODE: &str = "NOT_CANCELABLE_PAYMENT";

/// Which call of the gateway a rule steers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Taking money, by approval or by confirmation.
    Approve,
    /// Giving it back.
    Cancel,
}

/// What a rule does to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Says no, with this code.
    Refuse(String),
    /// Does nothing and answers nothing.
    Timeout,
    /// Does it and answers nothing.
    LoseAnswer,
    /// Waits this long, then goes on with the next rule.
    Slow(Millis),
}

/// What must hold of a call's amount or of the payment's key.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    Is(i64),
    AtLeast(i64),
    AtMost(i64),
    Key(String),
}

/// One rule: for which calls it stands, and what it does to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    text: String,
    verb: Verb,
    deed: Deed,
    conditions: Vec<Condition>,
    first: Option<u32>,
}

/// All rules, in the order in which they are tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules(Vec<Rule>);

/// A rule that can't be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule {rule:?}: {problem}")]
pub struct RuleError {
    /// The rule as it was written.
    pub rule: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Rules {
    /// Reads rules separated by `;`. Blank text is no rules at all; a blank rule between others is an error.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let text = text.trim();
        let text = text.strip_suffix(';').unwrap_or(text);
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(';')
            .map(Rule::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The rules for this call about a payment of this key, in order.
    pub fn matching(&self, verb: Verb, key: &str, amount: Money) -> impl Iterator<Item = &Rule> {
        self.0
            .iter()
            .filter(move |rule| rule.stands_for(verb, key, amount))
    }
}

impl Rule {
    /// What it does.
    pub const fn deed(&self) -> &Deed {
        &self.deed
    }

    /// How many calls of an order it takes before it stands aside; none when it always holds.
    pub const fn first(&self) -> Option<u32> {
        self.first
    }

    /// Its words, one blank between them: the name under which its calls are counted.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn stands_for(&self, verb: Verb, key: &str, amount: Money) -> bool {
        let holds = |condition: &Condition| match condition {
            Condition::Is(minor) => amount.minor() == *minor,
            Condition::AtLeast(minor) => amount.minor() >= *minor,
            Condition::AtMost(minor) => amount.minor() <= *minor,
            Condition::Key(named) => key == named,
        };
        self.verb == verb && self.conditions.iter().all(holds)
    }

    fn parse(text: &str) -> Result<Self, RuleError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = words.join(" ");
        Words::read(&words)
            .and_then(|words| words.rule(text.clone()))
            .map_err(|problem| RuleError { rule: text, problem })
    }
}

/// A rule's words, sorted by what they are.
#[derive(Default)]
struct Words<'a> {
    name: &'a str,
    conditions: Vec<Condition>,
    first: Option<u32>,
    ms: Option<u32>,
    code: Option<&'a str>,
}

impl<'a> Words<'a> {
    fn read(words: &[&'a str]) -> Result<Self, String> {
        let (name, rest) = words.split_first().ok_or("is empty")?;
        let mut read = Self {
            name,
            ..Self::default()
        };
        for word in rest {
            if let Some(rest) = word.strip_prefix("amount") {
                read.conditions.push(of_amount(rest)?);
            } else if let Some(key) = word.strip_prefix("key=") {
                read.conditions.push(of_key(key)?);
            } else if let Some(number) = word.strip_prefix("first=") {
                once(&mut read.first, "first", number_up_to(number, 1_000)?)?;
            } else if let Some(number) = word.strip_prefix("ms=") {
                once(&mut read.ms, "ms", number_up_to(number, MAX_SLOW_MS)?)?;
            } else if is_code(word) {
                once(&mut read.code, "a code", *word)?;
            } else {
                return Err(format!("{word:?} is not understood"));
            }
        }
        Ok(read)
    }

    fn rule(self, text: String) -> Result<Rule, String> {
        let (verb, deed) = match self.name {
            "refuse" => (
                Verb::Approve,
                Deed::Refuse(self.code.ok_or("lacks a code")?.to_owned()),
            ),
            "timeout" => (Verb::Approve, Deed::Timeout),
            "lose-answer" => (Verb::Approve, Deed::LoseAnswer),
            "slow" => (Verb::Approve, Deed::Slow(Millis(self.ms.ok_or("lacks ms=")?))),
            "refuse-cancel" => (
                Verb::Cancel,
                Deed::Refuse(self.code.unwrap_or(CANCEL_CODE).to_owned()),
            ),
            "timeout-cancel" => (Verb::Cancel, Deed::Timeout),
            "lose-cancel-answer" => (Verb::Cancel, Deed::LoseAnswer),
            "slow-cancel" => (Verb::Cancel, Deed::Slow(Millis(self.ms.ok_or("lacks ms=")?))),
            other => return Err(format!("{other:?} is not something the gateway can do")),
        };
        self.expect_nothing_idle(verb, &deed)?;
        Ok(Rule {
            text,
            verb,
            deed,
            conditions: self.conditions,
            first: self.first,
        })
    }

    /// A word that would change nothing was meant to change something.
    fn expect_nothing_idle(&self, verb: Verb, deed: &Deed) -> Result<(), String> {
        let (code, ms, first) = match deed {
            Deed::Refuse(_) => (true, false, verb == Verb::Cancel),
            Deed::Timeout => (false, false, true),
            // The call after a lost answer is a repetition, and gets the answer.
            Deed::LoseAnswer => (false, false, false),
            Deed::Slow(_) => (false, true, true),
        };
        for (name, given, taken) in [
            ("a code", self.code.is_some(), code),
            ("ms=", self.ms.is_some(), ms),
            ("first=", self.first.is_some(), first),
        ] {
            if given && !taken {
                return Err(format!(
                    "{} takes no {}",
                    self.name,
                    name.trim_start_matches("a ")
                ));
            }
        }
        Ok(())
    }
}

fn of_amount(text: &str) -> Result<Condition, String> {
    type Compare = fn(i64) -> Condition;
    let signs: [(&str, Compare); 3] = [
        (">=", Condition::AtLeast),
        ("<=", Condition::AtMost),
        ("=", Condition::Is),
    ];
    let (compare, number) = signs
        .into_iter()
        .find_map(|(sign, compare)| Some((compare, text.strip_prefix(sign)?)))
        .ok_or_else(|| format!("amount{text} compares by none of =, >=, <="))?;
    digits(number)
        .filter(|minor| *minor <= Money::MAX_MINOR)
        .map(compare)
        .ok_or_else(|| format!("{number:?} is not an amount"))
}

/// A window's key, or one of our own names.
fn of_key(text: &str) -> Result<Condition, String> {
    if PaymentKey::of_window(text).is_some() || PaymentKey::order(text).is_some() {
        Ok(Condition::Key(text.to_owned()))
    } else {
        Err(format!("{text:?} is no payment's key"))
    }
}

fn number_up_to(text: &str, max: u32) -> Result<u32, String> {
    digits(text)
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| (1..=max).contains(number))
        .ok_or_else(|| format!("{text:?} is not a number from 1 to {max}"))
}

fn digits(text: &str) -> Option<i64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

fn is_code(word: &str) -> bool {
    word.len() <= MAX_CODE
        && word.starts_with(|first: char| first.is_ascii_uppercase())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

fn once<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("has {name} twice")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use kernel::Currency;

    fn effects(rules: &str, verb: Verb, key: &str, amount: i64) -> String {
        let amount = Money::try_new(amount, Currency::Krw).unwrap();
        let rules = Rules::parse(rules).unwrap();
        let effect = |rule: &Rule| {
            format!(
                "{:?}{}",
                rule.deed(),
                rule.first().map_or(String::new(), |n| format!(" x{n}"))
            )
        };
        rules
            .matching(verb, key, amount)
            .map(effect)
            .collect::<Vec<_>>()
            .join(", ")
    }

    #[test]
    fn the_rules_that_hold_for_an_amount_are_found_in_order() {
        const RULES: &str = "refuse amount>=1000000000 REJECT_CARD_PAYMENT; timeout amount=777; \
            lose-answer amount=778;\n refuse-cancel first=2; slow amount>=779 amount<=781 ms=200; \
            timeout amount=780 first=1; timeout-cancel amount=5 first=3; lose-cancel-answer amount=6; \
            slow-cancel ms=1;";
        let mut table = String::new();
        for (verb, amount) in [
            (Verb::Approve, 1),
            (Verb::Approve, 1_000_000_000),
            (Verb::Approve, 999_999_999),
            (Verb::Approve, 777),
            (Verb::Approve, 778),
            (Verb::Approve, 779),
            (Verb::Approve, 780),
            (Verb::Approve, 781),
            (Verb::Approve, 782),
            (Verb::Cancel, 4),
            (Verb::Cancel, 5),
            (Verb::Cancel, 6),
        ] {
            table.push_str(&format!(
                "{verb:?} {amount}: {}\n",
                effects(RULES, verb, "window", amount)
            ));
        }
        expect![[r#"
            Approve 1: 
            Approve 1000000000: Refuse("REJECT_CARD_PAYMENT")
            Approve 999999999: 
            Approve 777: Timeout
            Approve 778: LoseAnswer
            Approve 779: Slow(Millis(200))
            Approve 780: Slow(Millis(200)), Timeout x1
            Approve 781: Slow(Millis(200))
            Approve 782: 
            Cancel 4: Refuse("NOT_CANCELABLE_PAYMENT") x2, Slow(Millis(1))
            Cancel 5: Refuse("NOT_CANCELABLE_PAYMENT") x2, Timeout x3, Slow(Millis(1))
            Cancel 6: Refuse("NOT_CANCELABLE_PAYMENT") x2, LoseAnswer, Slow(Millis(1))
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn a_rule_may_name_one_payment() {
        const RULES: &str = "refuse key=lost-card LOST_CARD; timeout key=fake-pg-7 amount=5; \
            refuse-cancel key=lost-card first=1";
        let mut table = String::new();
        for (verb, key, amount) in [
            (Verb::Approve, "lost-card", 1),
            (Verb::Approve, "lost-card2", 1),
            (Verb::Approve, "fake-pg-7", 5),
            (Verb::Approve, "fake-pg-7", 6),
            (Verb::Cancel, "lost-card", 5),
            (Verb::Cancel, "fake-pg-7", 5),
        ] {
            let effects = effects(RULES, verb, key, amount);
            table.push_str(&format!("{verb:?} {key} {amount}: {effects}\n"));
        }
        expect![[r#"
            Approve lost-card 1: Refuse("LOST_CARD")
            Approve lost-card2 1: 
            Approve fake-pg-7 5: Timeout
            Approve fake-pg-7 6: 
            Cancel lost-card 5: Refuse("NOT_CANCELABLE_PAYMENT") x1
            Cancel fake-pg-7 5: 
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn no_rules_steer_nothing() {
        for text in ["", "  \n", ";"] {
            assert_eq!(Rules::parse(text), Ok(Rules::default()), "{text:?}");
        }
        assert_eq!(effects("", Verb::Approve, "window", 777), "");
    }

    #[test]
    fn nonsense_is_named_and_never_ignored() {
        let mut table = String::new();
        for text in [
            "approve",
            "Refuse NO",
            "refuse",
            "refuse amount>=5",
            "refuse amount>5 NO",
            "refuse amount>=-5 NO",
            "refuse amount>=1.5 NO",
            "refuse amount>= 5 NO",
            "refuse amount>=9007199254740992 NO",
            "refuse amount>=99999999999999999999 NO",
            "refuse key= NO",
            "refuse key=키 NO",
            "refuse key=fake-pg-x NO",
            "refuse key>=a NO",
            "refuse amount=5 no",
            "refuse amount=5 NO TWICE",
            "refuse amount=5 NO first=1",
            "refuse amount=5 NO ms=1",
            "timeout amount=5 NO",
            "timeout amount=",
            "timeout first=0",
            "timeout first=1001",
            "timeout first=1 first=2",
            "timeout first=+1",
            "lose-answer first=1",
            "slow amount=5",
            "slow ms=60001",
            "timeout;; timeout",
            "timeout, timeout",
            "amount=5",
        ] {
            table.push_str(&format!("{}\n", Rules::parse(text).unwrap_err()));
        }
        expect![[r#"
            rule "approve": "approve" is not something the gateway can do
            rule "Refuse NO": "Refuse" is not something the gateway can do
            rule "refuse": lacks a code
            rule "refuse amount>=5": lacks a code
            rule "refuse amount>5 NO": amount>5 compares by none of =, >=, <=
            rule "refuse amount>=-5 NO": "-5" is not an amount
            rule "refuse amount>=1.5 NO": "1.5" is not an amount
            rule "refuse amount>= 5 NO": "" is not an amount
            rule "refuse amount>=9007199254740992 NO": "9007199254740992" is not an amount
            rule "refuse amount>=99999999999999999999 NO": "99999999999999999999" is not an amount
            rule "refuse key= NO": "" is no payment's key
            rule "refuse key=키 NO": "키" is no payment's key
            rule "refuse key=fake-pg-x NO": "fake-pg-x" is no payment's key
            rule "refuse key>=a NO": "key>=a" is not understood
            rule "refuse amount=5 no": "no" is not understood
            rule "refuse amount=5 NO TWICE": has a code twice
            rule "refuse amount=5 NO first=1": refuse takes no first=
            rule "refuse amount=5 NO ms=1": refuse takes no ms=
            rule "timeout amount=5 NO": timeout takes no code
            rule "timeout amount=": "" is not an amount
            rule "timeout first=0": "0" is not a number from 1 to 1000
            rule "timeout first=1001": "1001" is not a number from 1 to 1000
            rule "timeout first=1 first=2": has first twice
            rule "timeout first=+1": "+1" is not a number from 1 to 1000
            rule "lose-answer first=1": lose-answer takes no first=
            rule "slow amount=5": lacks ms=
            rule "slow ms=60001": "60001" is not a number from 1 to 60000
            rule "": is empty
            rule "timeout, timeout": "timeout" is not understood
            rule "amount=5": "amount=5" is not something the gateway can do
        "#]]
        .assert_eq(&table);
    }
}
