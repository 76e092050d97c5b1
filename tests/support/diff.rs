//! What differs between two texts, line by line, for people.

/// The lines of both texts in one list: ` ` is in both, `-` only in `expected`, `+` only in `got`.
pub(crate) fn diff(expected: &[String], got: &[String]) -> String {
    // common[i][j] is the length of the longest common subsequence of expected[i..] and got[j..].
    let mut common = vec![vec![0_usize; got.len() + 1]; expected.len() + 1];
    for (i, left) in expected.iter().enumerate().rev() {
        for (j, right) in got.iter().enumerate().rev() {
            common[i][j] = if left == right {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < expected.len() || j < got.len() {
        if i < expected.len() && j < got.len() && expected[i] == got[j] {
            lines.push(format!(" {}", expected[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == got.len() || (i < expected.len() && common[i + 1][j] >= common[i][j + 1]) {
            lines.push(format!("-{}", expected[i]));
            i += 1;
        } else {
            lines.push(format!("+{}", got[j]));
            j += 1;
        }
    }
    lines.join("\n")
}

#[test]
fn a_diff_keeps_what_is_common() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        diff(&lines("a\nb\nc\nd"), &lines("a\nx\nc\nd\ne")),
        " a\n-b\n+x\n c\n d\n+e"
    );
}
