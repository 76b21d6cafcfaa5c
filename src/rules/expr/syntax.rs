//! CEL's parser, with errors that a rule writer can read.
//!
//! In: text. Out: the tree and where each node stands. Must not: give names a meaning.

use std::collections::HashMap;
use std::ops::Range;

use cel::IdedExpr;
use cel::parser::{Parser, PrattParser};

use super::ExprError;

/// Where each node stands in the text, in bytes.
pub(super) struct Positions {
    spans: HashMap<u64, Range<usize>>,
    whole: Range<usize>,
}

impl Positions {
    /// For a tree whose places are not known.
    pub(super) fn unknown() -> Self {
        Self { spans: HashMap::new(), whole: 0..0 }
    }

    pub(super) fn of(&self, node: &IdedExpr) -> Range<usize> {
        self.spans.get(&node.id).cloned().unwrap_or_else(|| self.whole.clone())
    }
}

/// Brackets within brackets; the parser recurses some twenty calls for each, so more could overflow a small stack.
const DEEPEST: usize = 12;
/// Operators in one expression: a chain of them is a tree as deep as it is long.
const MOST_OPERATORS: usize = 60;

/// Refuses what the parser could only take by deep recursion, before it tries.
fn check_size(source: &str) -> Result<(), ExprError> {
    let refuse = |at: usize, message: String| Err(ExprError { span: at..at + 1, message, help: None });
    let (mut depth, mut operators) = (0_usize, 0_usize);
    for (at, byte) in source.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'+' | b'-' | b'*' | b'/' | b'%' | b'!' | b'?' | b'&' | b'|' | b'<' | b'>' | b'=' => operators += 1,
            _ => {}
        }
        if depth > DEEPEST {
            return refuse(at, format!("this is nested deeper than {DEEPEST} brackets"));
        }
        if operators > MOST_OPERATORS {
            return refuse(at, format!("this has more than {MOST_OPERATORS} operators"));
        }
    }
    Ok(())
}

/// The tree without the places of its nodes: CEL's second parser, ten times as fast as the first, tells no places.
/// `None` where that parser finds an error; `parse` then says what it is.
pub(super) fn parse_fast(source: &str) -> Option<IdedExpr> {
    check_size(source).ok()?;
    PrattParser::new().parse(source).ok()
}

pub(super) fn parse(source: &str) -> Result<(IdedExpr, Positions), Vec<ExprError>> {
    if source.trim().is_empty() {
        let message = "an expression is wanted here, but this is empty".to_owned();
        return Err(vec![ExprError { span: 0..source.len(), message, help: None }]);
    }
    check_size(source).map_err(|error| vec![error])?;
    let (tree, info) = Parser::new().parse_with_source_info(source).map_err(|errors| {
        let errors: Vec<_> = errors.errors.iter().map(|error| readable(source, error)).collect();
        // Later errors are mostly echoes of the first.
        errors.into_iter().take(1).collect::<Vec<_>>()
    })?;
    let mut spans = HashMap::new();
    let offsets = byte_offsets(source);
    let at = |position: u32| offsets.get(position as usize).copied().unwrap_or(source.len());
    walk(&tree, &mut |node| {
        if let Some((start, stop)) = info.offset_for(node.id) {
            spans.insert(node.id, at(start)..at(stop.saturating_add(1)));
        }
    });
    Ok((tree, Positions { spans, whole: 0..source.len() }))
}

/// Byte offset of each character; the parser counts characters.
fn byte_offsets(source: &str) -> Vec<usize> {
    source.char_indices().map(|(offset, _)| offset).chain([source.len()]).collect()
}

fn walk(node: &IdedExpr, visit: &mut impl FnMut(&IdedExpr)) {
    use cel::common::ast::Expr;
    visit(node);
    match &node.expr {
        Expr::Call(call) => {
            call.target.iter().for_each(|target| walk(target, visit));
            call.args.iter().for_each(|argument| walk(argument, visit));
        }
        Expr::Select(select) => walk(&select.operand, visit),
        Expr::List(list) => list.elements.iter().for_each(|element| walk(element, visit)),
        _ => {}
    }
}

/// The parser quotes its whole token table; what a person needs is the place and the token that was not understood.
fn readable(source: &str, error: &cel::ParseError) -> ExprError {
    let offset = offset_of(source, error.pos.0, error.pos.1);
    let rest = &source[offset..];
    let token: String = rest
        .chars()
        .enumerate()
        .take_while(|(i, c)| *i == 0 || c.is_alphanumeric() || *c == '_')
        .map(|(_, c)| c)
        .collect();
    let (message, help) = if token.is_empty() {
        ("the expression ends here, but more is wanted".to_owned(), None)
    } else {
        let help = match token.as_str() {
            "=" => Some("equality is written `==`".to_owned()),
            "&" => Some("and is written `&&`".to_owned()),
            "|" => Some("or is written `||`".to_owned()),
            "and" => Some("and is written `&&`".to_owned()),
            "or" => Some("or is written `||`".to_owned()),
            "not" => Some("not is written `!`".to_owned()),
            _ => None,
        };
        (format!("`{token}` is not understood here"), help)
    };
    let end = offset + token.len().max(usize::from(offset < source.len()));
    ExprError { span: offset..end.min(source.len()), message, help }
}

fn offset_of(source: &str, line: isize, column: isize) -> usize {
    let line = usize::try_from(line - 1).unwrap_or(0);
    let start: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    let column = usize::try_from(column - 1).unwrap_or(0);
    source[start..].char_indices().nth(column).map_or(source.len(), |(offset, _)| start + offset)
}
