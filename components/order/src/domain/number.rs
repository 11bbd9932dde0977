use kernel::OrderId;

/// Crockford's base 32: no I, L, O, U, so that a number survives being read out.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The number a customer tells the shop's people: eleven characters in two groups, such as
/// `0A1B2C-3D4E5`. It is the id in another form, so it is as unique.
pub fn order_number(id: OrderId) -> String {
    let digit = |place: u32| char::from(ALPHABET[(id.get() >> (5 * place)) as usize & 31]);
    let text: String = (0..11).rev().map(digit).collect();
    format!("{}-{}", &text[..6], &text[6..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn different_ids_have_different_numbers() {
        let number = |id| order_number(OrderId::try_new(id).unwrap());
        assert_eq!(number(1), "000000-00001");
        assert_eq!(number(kernel::MAX_ID), "7ZZZZZ-ZZZZZ");
        let numbers: HashSet<String> = (1..5_000u64).map(|n| number(n * 1_801_439_850_941)).collect();
        assert_eq!(numbers.len(), 4_999);
    }
}
