//! The words of an expression.
//!
//! In: text. Out: tokens with their places; or the place of what is no token. Must not: know which order makes sense.

use std::ops::Range;

use super::scope::ExprError;

/// What a token is. Operators and brackets keep their text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    Int(i64),
    /// One more than the largest int: legal behind a minus only.
    IntMin,
    Double(f64),
    Text(String),
    /// A word: part of a name, a function, `true`, `false`, `in`.
    Word(&'a str),
    Sign(&'static str),
    End,
}

/// The sign that a text begins with. A lone `=`, `&` or `|` is one, so that the parser can say what is written instead.
fn sign(rest: &[u8]) -> Option<&'static str> {
    Some(match rest {
        [b'=', b'=', ..] => "==",
        [b'!', b'=', ..] => "!=",
        [b'<', b'=', ..] => "<=",
        [b'>', b'=', ..] => ">=",
        [b'&', b'&', ..] => "&&",
        [b'|', b'|', ..] => "||",
        [b'<', ..] => "<",
        [b'>', ..] => ">",
        [b'+', ..] => "+",
        [b'-', ..] => "-",
        [b'*', ..] => "*",
        [b'/', ..] => "/",
        [b'%', ..] => "%",
        [b'!', ..] => "!",
        [b'?', ..] => "?",
        [b':', ..] => ":",
        [b'(', ..] => "(",
        [b')', ..] => ")",
        [b'[', ..] => "[",
        [b']', ..] => "]",
        [b',', ..] => ",",
        [b'.', ..] => ".",
        [b'=', ..] => "=",
        [b'&', ..] => "&",
        [b'|', ..] => "|",
        _ => return None,
    })
}

/// The tokens, the last of which is [`Token::End`].
pub(super) fn tokens(source: &str) -> Result<Vec<(Token<'_>, Range<usize>)>, ExprError> {
    // A token has four bytes or more with the blank behind it.
    let mut tokens = Vec::with_capacity(source.len() / 4 + 2);
    let mut at = 0;
    loop {
        at += blank(&source[at..]);
        let rest = &source[at..];
        let Some(first) = rest.chars().next() else {
            tokens.push((Token::End, source.len()..source.len()));
            return Ok(tokens);
        };
        let fraction = first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit());
        let (token, length) = if first.is_ascii_digit() || fraction {
            number(rest).map_err(|(length, message)| error(at..at + length, message))?
        } else if first == '"' || first == '\'' {
            text(rest).map_err(|(part, message)| error(at + part.start..at + part.end, message))?
        } else if is_word(first) {
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            (Token::Word(&rest[..length]), length)
        } else if let Some(sign) = sign(rest.as_bytes()) {
            (Token::Sign(sign), sign.len())
        } else {
            return Err(error(at..at + first.len_utf8(), format!("`{}` is not understood here", first.escape_debug())));
        };
        tokens.push((token, at..at + length));
        at += length;
    }
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn error(span: Range<usize>, message: String) -> ExprError {
    ExprError { span, message, help: None }
}

/// Bytes of white space and `//` comments at the beginning.
fn blank(rest: &str) -> usize {
    let mut at = 0;
    loop {
        at += rest[at..].len() - rest[at..].trim_start().len();
        if !rest[at..].starts_with("//") {
            return at;
        }
        at += rest[at..].find('\n').unwrap_or(rest[at..].len());
    }
}

/// A number and its length: `12`, `0x1f`, `1.5`, `.5`, `2e3`.
fn number(rest: &str) -> Result<(Token<'static>, usize), (usize, String)> {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let mut length = digits(rest);
    let mut whole = true;
    if let Some(hex) = rest.strip_prefix("0x").filter(|hex| hex.starts_with(|c: char| c.is_ascii_hexdigit())) {
        let length = 2 + hex.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(hex.len());
        let value = i64::from_str_radix(&rest[2..length], 16).map_err(|_| (length, too_large(&rest[..length])))?;
        return ends_well(rest, length).map(|()| (Token::Int(value), length));
    }
    if rest[length..].starts_with('.') && rest[length + 1..].starts_with(|c: char| c.is_ascii_digit()) {
        whole = false;
        length += 1 + digits(&rest[length + 1..]);
    }
    let exponent = &rest[length..];
    if exponent.starts_with(['e', 'E']) {
        let sign = usize::from(exponent[1..].starts_with(['+', '-']));
        let count = digits(&exponent[1 + sign..]);
        if count > 0 {
            whole = false;
            length += 1 + sign + count;
        }
    }
    ends_well(rest, length)?;
    let text = &rest[..length];
    let token = match (whole, text.parse::<i64>(), text.parse::<f64>()) {
        (true, Ok(value), _) => Token::Int(value),
        (true, Err(_), _) if text.trim_start_matches('0') == "9223372036854775808" => Token::IntMin,
        (false, _, Ok(value)) if value.is_finite() => Token::Double(value),
        _ => return Err((length, too_large(text))),
    };
    Ok((token, length))
}

fn too_large(number: &str) -> String {
    format!("`{number}` is too large: an int has 64 bits, including the sign")
}

/// A number that runs into a word (`10u`, `3x`) is none.
fn ends_well(rest: &str, length: usize) -> Result<(), (usize, String)> {
    let more = rest[length..].find(|c| !is_word(c)).unwrap_or(rest.len() - length);
    match more {
        0 => Ok(()),
        more => {
            Err((length + more, format!("`{}` is not a number: only int and double exist", &rest[..length + more])))
        }
    }
}

/// A text in quotes, and its length with them.
fn text(rest: &str) -> Result<(Token<'static>, usize), (Range<usize>, String)> {
    let mut characters = rest.char_indices();
    let quote = characters.next().map_or('"', |(_, quote)| quote);
    let mut text = String::new();
    while let Some((at, c)) = characters.next() {
        match c {
            _ if c == quote => return Ok((Token::Text(text), at + 1)),
            '\n' => break,
            '\\' => match characters.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, 'r')) => text.push('\r'),
                Some((_, c @ ('\\' | '"' | '\''))) => text.push(c),
                Some((after, c)) => {
                    let known = r#"known are \n, \t, \r, \\, \" and \'"#;
                    return Err((
                        at..after + c.len_utf8(),
                        format!("`\\{}` is not an escape: {known}", c.escape_debug()),
                    ));
                }
                None => break,
            },
            _ => text.push(c),
        }
    }
    Err((0..1, "this quote is never closed".to_owned()))
}
