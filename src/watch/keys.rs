//! What a key asks for.
//!
//! In: a key as the terminal reports it. Out: an [`Action`]. Must not: know what is on the screen.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What the person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    NextPanel,
    PreviousPanel,
    Explain,
    /// Leave what lies over the screen.
    Close,
    Pause,
    Help,
    /// One look back or forward, in a recording.
    Back,
    Forward,
    Redraw,
    Suspend,
    Quit,
}

/// What the help says, and the footer in short. The text of a key comes first.
pub const HELP: &[(&str, &str)] = &[
    ("Up, Down, k, j", "move the cursor to another row"),
    ("Tab, Shift-Tab", "move the cursor to another panel"),
    ("PageUp, PageDown, g, G", "move the cursor further"),
    ("Enter, e", "explain what is under the cursor"),
    ("Esc", "close the explanation or this help"),
    ("p, Space", "pause and continue"),
    ("Left, Right", "one look back or forward, in a recording"),
    ("Ctrl-L", "draw the screen again"),
    ("Ctrl-Z", "suspend; `fg` continues"),
    ("q, Ctrl-C", "quit"),
];

/// The action of a key; `None` for a key that has none.
pub fn action(key: KeyEvent) -> Option<Action> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Some(Action::Quit),
            KeyCode::Char('z') => Some(Action::Suspend),
            KeyCode::Char('l') => Some(Action::Redraw),
            _ => None,
        };
    }
    Some(match key.code {
        KeyCode::Up | KeyCode::Char('k') => Action::Up,
        KeyCode::Down | KeyCode::Char('j') => Action::Down,
        KeyCode::PageUp => Action::PageUp,
        KeyCode::PageDown => Action::PageDown,
        KeyCode::Home | KeyCode::Char('g') => Action::Top,
        KeyCode::End | KeyCode::Char('G') => Action::Bottom,
        KeyCode::Tab => Action::NextPanel,
        KeyCode::BackTab => Action::PreviousPanel,
        KeyCode::Enter | KeyCode::Char('e') => Action::Explain,
        KeyCode::Esc => Action::Close,
        KeyCode::Char('p' | ' ') => Action::Pause,
        KeyCode::Char('?' | 'h') => Action::Help,
        KeyCode::Left => Action::Back,
        KeyCode::Right => Action::Forward,
        KeyCode::Char('q') => Action::Quit,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_what_the_help_says() {
        let plain = |code| action(KeyEvent::new(code, KeyModifiers::NONE));
        let control = |c| action(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL));
        assert_eq!((plain(KeyCode::Char('j')), plain(KeyCode::Down)), (Some(Action::Down), Some(Action::Down)));
        assert_eq!((plain(KeyCode::Enter), plain(KeyCode::Char('e'))), (Some(Action::Explain), Some(Action::Explain)));
        assert_eq!((plain(KeyCode::Char('q')), control('c')), (Some(Action::Quit), Some(Action::Quit)));
        assert_eq!((control('z'), control('q')), (Some(Action::Suspend), None));
        assert_eq!((plain(KeyCode::Char('x')), plain(KeyCode::Char('c'))), (None, None));
        let shifted = action(KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT));
        assert_eq!(shifted, Some(Action::Bottom));
    }

    #[test]
    fn a_key_that_is_let_loose_does_nothing() {
        let release = KeyEvent { kind: KeyEventKind::Release, ..KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE) };
        assert_eq!(action(release), None);
    }
}
