/// The `like` pattern for texts that contain `part`, whatever characters are in it; the statement says
/// `escape '\'`.
pub fn like_containing(part: &str) -> String {
    let mut pattern = String::from("%");
    for character in part.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_mean_themselves() {
        assert_eq!(like_containing(""), "%%");
        assert_eq!(like_containing("가방"), "%가방%");
        assert_eq!(like_containing(r"50%_\"), r"%50\%\_\\%");
    }
}
