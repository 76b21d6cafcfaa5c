//! An explanation as part of a page of `docs`.
//!
//! In: its pieces. Out: Markdown without the title, which is the page's heading. Must not: say more or less than a terminal shows.

use super::block::Block;
use crate::report::markdown::{block, code, inline, prose, source};

/// The pieces, with an empty line between those that are not of one list.
pub(super) fn written(blocks: &[Block]) -> String {
    let mut text = String::new();
    let mut in_list = false;
    for piece in blocks {
        let is_item =
            matches!(piece, Block::Item { .. } | Block::Named { .. } | Block::Choice { .. } | Block::Source(_));
        let written = one(piece);
        let goes_on = in_list && is_item;
        if !written.is_empty() && !text.is_empty() && !goes_on {
            text.push('\n');
        }
        text.push_str(&written);
        in_list = is_item;
    }
    text
}

fn one(piece: &Block) -> String {
    let beside = |text: &str| if text.is_empty() { String::new() } else { format!(" {}", code(text)) };
    match piece {
        Block::Title(_) | Block::Blank => String::new(),
        Block::Paragraph(text) | Block::Text(text) | Block::Line(text) => prose("", text, 0),
        Block::Warning(text) => format!("**{}**\n", inline(text)),
        Block::Heading(heading) => format!("**{}**\n", inline(heading)),
        Block::Expression(text) => block(text, 0),
        Block::Item { name, beside: value, below } => {
            let colon = if below.is_empty() { "" } else { ":" };
            prose(&format!("- **{}**{}{colon}", inline(name), beside(value)), below, 2)
        }
        Block::Named { name, beside: value, expression } => {
            let begin = format!("- **{}**{}", inline(name), beside(value));
            match expression.trim().contains('\n') {
                true => format!("{begin}\n\n{}", block(expression, 2)),
                false => format!("{begin}: {}\n", code(expression)),
            }
        }
        Block::Choice { value, meaning } => prose(&format!("- {}:", code(value)), meaning, 2),
        Block::Source(text) => format!("- {}\n", source(text)),
    }
}
