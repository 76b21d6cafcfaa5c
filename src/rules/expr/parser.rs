//! The grammar: a Pratt parser.
//!
//! In: text. Out: a tree whose nodes know their places; or the first place that makes no sense. Must not: know which
//! names and functions there are, or types.

use std::ops::Range;

use super::lexer::{self, Token};
use super::scope::ExprError;
use crate::metrics::value::Value;

/// Levels of a tree: checker and evaluator recurse once a level. A chain of operators is a tree as deep as it is long.
const DEEPEST: usize = 100;
/// Brackets, `!`, `-` and `? :` within each other: the parser makes five calls for each. Unoptimised it takes some 12 KiB of
/// stack for them.
const MOST_BRACKETS: usize = 40;

/// A part of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    /// In bytes of the text.
    pub(super) span: Range<usize>,
    /// Levels of nodes from here on down.
    depth: usize,
}

/// What a part is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NodeKind {
    Literal(Value),
    /// A dotted name: `net.ipv4.tcp_rmem`. An interface's name is one part and has slashes for its dots.
    Name(String),
    List(Vec<Node>),
    Not(Box<Node>),
    Negate(Box<Node>),
    Binary(&'static str, Box<[Node; 2]>),
    Choice(Box<[Node; 3]>),
    Index(Box<[Node; 2]>),
    Call(String, Vec<Node>),
}

/// How tightly an operator of two sides holds them. All of them hold the left side first.
fn strength(token: &Token<'_>) -> Option<(&'static str, u8)> {
    Some(match token {
        Token::Word("in") => ("in", 3),
        Token::Sign(sign) => match *sign {
            "||" => ("||", 1),
            "&&" => ("&&", 2),
            sign @ ("==" | "!=" | "<" | "<=" | ">" | ">=") => (sign, 3),
            sign @ ("+" | "-") => (sign, 4),
            sign @ ("*" | "/" | "%") => (sign, 5),
            _ => return None,
        },
        _ => return None,
    })
}

pub(super) fn parse(source: &str) -> Result<Node, ExprError> {
    if source.trim().is_empty() {
        let message = "expected an expression, but the text is empty".to_owned();
        return Err(ExprError { span: 0..source.len(), message, help: None });
    }
    let mut parser = Parser { source, tokens: lexer::tokens(source)?, next: 0, level: 0 };
    let tree = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(tree),
        _ => Err(parser.not_understood()),
    }
}

struct Parser<'a> {
    source: &'a str,
    tokens: Vec<(Token<'a>, Range<usize>)>,
    next: usize,
    /// Calls of [`Self::expression`] and [`Self::unary`] within each other.
    level: usize,
}

type Parsed = Result<Node, ExprError>;

impl<'a> Parser<'a> {
    fn peek(&self) -> &Token<'a> {
        self.tokens.get(self.next).map_or(&Token::End, |(token, _)| token)
    }

    fn place(&self) -> Range<usize> {
        self.tokens.get(self.next).map_or(self.source.len()..self.source.len(), |(_, span)| span.clone())
    }

    fn advance(&mut self) -> (Token<'a>, Range<usize>) {
        let end = self.source.len()..self.source.len();
        let taken = self.tokens.get(self.next).cloned().unwrap_or((Token::End, end));
        self.next += 1;
        taken
    }

    /// Goes on behind this sign if it is next.
    fn skip(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(next) if *next == sign);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<usize, ExprError> {
        let end = self.place().end;
        if self.skip(sign) { Ok(end) } else { Err(self.not_understood()) }
    }

    /// The next token has no business here.
    fn not_understood(&self) -> ExprError {
        let span = self.place();
        let token = &self.source[span.clone()];
        if *self.peek() == Token::End {
            let message = "the expression ends here, but more is expected".to_owned();
            return ExprError { span, message, help: None };
        }
        let help = match token {
            "=" => Some("equality is written `==`"),
            "&" | "and" => Some("and is written `&&`"),
            "|" | "or" => Some("or is written `||`"),
            "not" => Some("not is written `!`"),
            _ => None,
        };
        ExprError { span, message: format!("`{token}` is not understood here"), help: help.map(str::to_owned) }
    }

    /// A node around others, unless that makes the tree too deep.
    fn node(&self, kind: NodeKind, span: Range<usize>) -> Parsed {
        let inside = |nodes: &[Node]| nodes.iter().map(|node| node.depth).max().unwrap_or(0);
        let depth = 1 + match &kind {
            NodeKind::Literal(_) | NodeKind::Name(_) => 0,
            NodeKind::List(nodes) | NodeKind::Call(_, nodes) => inside(nodes),
            NodeKind::Not(node) | NodeKind::Negate(node) => node.depth,
            NodeKind::Binary(_, nodes) | NodeKind::Index(nodes) => inside(&nodes[..]),
            NodeKind::Choice(nodes) => inside(&nodes[..]),
        };
        if depth > DEEPEST { Err(too_deep(span, DEEPEST)) } else { Ok(Node { kind, span, depth }) }
    }

    fn deeper(&mut self, parse: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if self.level == MOST_BRACKETS {
            return Err(too_deep(self.place(), MOST_BRACKETS));
        }
        self.level += 1;
        let parsed = parse(self);
        self.level -= 1;
        parsed
    }

    fn expression(&mut self) -> Parsed {
        self.deeper(|parser| {
            let condition = parser.binary(1)?;
            if !parser.skip("?") {
                return Ok(condition);
            }
            let yes = parser.expression()?;
            parser.expect(":")?;
            let no = parser.expression()?;
            let span = condition.span.start..no.span.end;
            parser.node(NodeKind::Choice(Box::new([condition, yes, no])), span)
        })
    }

    /// Operators of at least this strength.
    fn binary(&mut self, least: u8) -> Parsed {
        let mut left = self.unary()?;
        while let Some((operator, strength)) = strength(self.peek()).filter(|(_, strength)| *strength >= least) {
            self.next += 1;
            let right = self.binary(strength + 1)?;
            let span = left.span.start..right.span.end;
            left = self.node(NodeKind::Binary(operator, Box::new([left, right])), span)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        let start = self.place().start;
        if self.skip("!") {
            let inner = self.deeper(Self::unary)?;
            let span = start..inner.span.end;
            return self.node(NodeKind::Not(Box::new(inner)), span);
        }
        if self.skip("-") {
            if *self.peek() == Token::IntMin {
                let (_, span) = self.advance();
                return self.node(NodeKind::Literal(Value::Int(i64::MIN)), start..span.end);
            }
            let inner = self.deeper(Self::unary)?;
            let span = start..inner.span.end;
            return self.node(NodeKind::Negate(Box::new(inner)), span);
        }
        self.postfix()
    }

    /// A value with what is behind it: `.part`, `["part"]`, `[index]`.
    fn postfix(&mut self) -> Parsed {
        let mut node = self.primary()?;
        loop {
            if self.skip(".") {
                let (Token::Word(part), span) = self.advance() else {
                    self.next -= 1;
                    return Err(self.not_understood());
                };
                if matches!(self.peek(), Token::Sign("(")) {
                    return Err(called_on_a_value(part, span));
                }
                let NodeKind::Name(mut name) = node.kind else {
                    let message = format!("`.{part}` can be used only after a name");
                    return Err(ExprError { span, message, help: None });
                };
                name.push('.');
                name.push_str(part);
                node = self.node(NodeKind::Name(name), node.span.start..span.end)?;
            } else if self.skip("[") {
                let index = self.expression()?;
                let end = self.expect("]")?;
                let span = node.span.start..end;
                let kind = match (node.kind, index.kind) {
                    // An interface's name with dots is one part; sysctl writes its dots as slashes.
                    (NodeKind::Name(name), NodeKind::Literal(Value::Text(part))) => {
                        NodeKind::Name(format!("{name}.{}", part.replace('.', "/")))
                    }
                    (kind, inner) => NodeKind::Index(Box::new([Node { kind, ..node }, Node { kind: inner, ..index }])),
                };
                node = self.node(kind, span)?;
            } else {
                return Ok(node);
            }
        }
    }

    fn primary(&mut self) -> Parsed {
        let (token, span) = self.advance();
        let kind = match token {
            Token::Int(value) => NodeKind::Literal(Value::Int(value)),
            Token::Double(value) => NodeKind::Literal(Value::Double(value)),
            Token::Text(value) => NodeKind::Literal(Value::Text(value)),
            Token::Word(word) if word == "true" || word == "false" => NodeKind::Literal(Value::Bool(word == "true")),
            Token::Word(word) if word != "in" => {
                if !self.skip("(") {
                    return self.node(NodeKind::Name(word.to_owned()), span);
                }
                let (arguments, end) = self.list(")")?;
                return self.node(NodeKind::Call(word.to_owned(), arguments), span.start..end);
            }
            Token::Sign("(") => {
                let inner = self.expression()?;
                let end = self.expect(")")?;
                // The brackets belong to the place that a message underlines.
                return Ok(Node { span: span.start..end, ..inner });
            }
            Token::Sign("[") => {
                let (elements, end) = self.list("]")?;
                return self.node(NodeKind::List(elements), span.start..end);
            }
            Token::IntMin => {
                let message = "this number is too large: an int has 64 bits, including the sign".to_owned();
                return Err(ExprError { span, message, help: None });
            }
            _ => {
                self.next -= 1;
                return Err(self.not_understood());
            }
        };
        self.node(kind, span)
    }

    /// Expressions with commas between them, and where the bracket that ends them ends.
    fn list(&mut self, close: &str) -> Result<(Vec<Node>, usize), ExprError> {
        let mut nodes = Vec::new();
        loop {
            let end = self.place().end;
            if self.skip(close) {
                return Ok((nodes, end));
            }
            if !nodes.is_empty() {
                self.expect(",")?;
            }
            nodes.push(self.expression()?);
        }
    }
}

fn too_deep(span: Range<usize>, levels: usize) -> ExprError {
    ExprError { span, message: format!("this is nested deeper than {levels} levels"), help: None }
}

fn called_on_a_value(function: &str, span: Range<usize>) -> ExprError {
    if ["all", "exists", "exists_one", "map", "filter"].contains(&function) {
        let help = "a list has at most three numbers: write `x[0] < y || x[1] < y`";
        let message = format!("`{function}` is not available in rules");
        return ExprError { span, message, help: Some(help.to_owned()) };
    }
    let help = Some(format!("write `{function}(x)`"));
    ExprError { span, message: format!("`{function}` cannot be called on a value"), help }
}
