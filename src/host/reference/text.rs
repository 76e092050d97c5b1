//! The Markdown of doc comments, as far as they use it: paragraphs, lists, code.

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A paragraph, without line breaks.
    Paragraph(String),
    /// An item of a list, without line breaks and without its mark.
    Item(String),
    /// Code, its lines as written.
    Code(String),
}

/// The parts of a text.
#[must_use]
pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open = false;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim_end();
        if line.starts_with("```") {
            let code: Vec<_> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
            blocks.push(Block::Code(code.join("\n")));
            open = false;
        } else if line.trim().is_empty() {
            open = false;
        } else if let Some(item) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
            blocks.push(Block::Item(item.to_owned()));
            open = true;
        } else {
            match blocks.last_mut().filter(|_| open) {
                Some(Block::Paragraph(text) | Block::Item(text)) => {
                    text.push(' ');
                    text.push_str(line.trim_start());
                }
                _ => blocks.push(Block::Paragraph(line.trim_start().trim_start_matches("# ").to_owned())),
            }
            open = !line.starts_with("# ");
        }
    }
    blocks
}

/// A doc comment without its slashes.
pub(in crate::host) fn uncommented(comments: &str) -> String {
    let lines = comments.lines().map(|line| line.trim().trim_start_matches("///"));
    let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_but_for_lists_and_code() {
        let text = "One\ntwo.\n\n- a\n  b\n- c\n\n```rhai\nlet x = 1;\n\nsay(x);\n```\nThree.";
        let expected = [
            Block::Paragraph("One two.".to_owned()),
            Block::Item("a b".to_owned()),
            Block::Item("c".to_owned()),
            Block::Code("let x = 1;\n\nsay(x);".to_owned()),
            Block::Paragraph("Three.".to_owned()),
        ];
        assert_eq!(blocks(text), expected);
    }
}
