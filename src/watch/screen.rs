//! Where the cursor is and what lies over the screen.
//!
//! In: actions, the model, the size of the terminal. Out: [`Screen`], and what the caller has to do. Must not: draw, or
//! change the model.

use std::collections::BTreeMap;

use super::keys::Action;
use super::lines::text_lines;
use super::model::{Model, Panel};

/// Rows of the screen that a text over it cannot use.
const FRAME: usize = 2;

/// What the person looks at.
#[derive(Debug, Clone)]
pub struct Screen {
    pub focus: Panel,
    cursors: BTreeMap<Panel, Cursor>,
    pub pane: Option<Pane>,
    /// Width and height of the terminal.
    pub size: (u16, u16),
}

/// The row of a panel that the cursor is on.
#[derive(Debug, Clone, Default)]
struct Cursor {
    row: usize,
    /// It follows this row when the order changes.
    key: Option<String>,
}

/// A text over the screen.
#[derive(Debug, Clone)]
pub struct Pane {
    pub title: String,
    /// As the reports have it, with the escape sequences of a theme.
    pub text: String,
    /// Lines above the first one that is seen.
    pub scroll: usize,
}

/// What the caller has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    None,
    /// Open a pane that explains the row under the cursor.
    Explain,
    Help,
    Pause,
    Step(isize),
    Redraw,
    Suspend,
    Quit,
}

impl Screen {
    pub fn new(size: (u16, u16)) -> Self {
        Self { focus: Panel::Findings, cursors: BTreeMap::new(), pane: None, size }
    }

    /// The row of a panel that the cursor is on, or would be on.
    pub fn row(&self, panel: Panel) -> usize {
        self.cursors.get(&panel).map_or(0, |cursor| cursor.row)
    }

    /// Opens a text over the screen.
    pub fn open(&mut self, title: String, text: String) {
        self.pane = Some(Pane { title, text, scroll: 0 });
    }

    /// Does what can be done here, and returns what is left for the caller.
    pub fn act(&mut self, action: Action, model: &Model) -> Effect {
        match action {
            Action::Quit => return Effect::Quit,
            Action::Suspend => return Effect::Suspend,
            Action::Redraw => return Effect::Redraw,
            Action::Pause => return Effect::Pause,
            Action::Back => return Effect::Step(-1),
            Action::Forward => return Effect::Step(1),
            Action::Close => self.pane = None,
            Action::Help if self.pane.is_none() => return Effect::Help,
            Action::Explain if self.pane.is_none() => return Effect::Explain,
            // The key that opens it closes it too.
            Action::Help | Action::Explain => self.pane = None,
            Action::NextPanel => self.change_panel(model, 1),
            Action::PreviousPanel => self.change_panel(model, Panel::ALL.len() - 1),
            Action::Up => self.step(model, -1),
            Action::Down => self.step(model, 1),
            Action::PageUp => self.step(model, -self.page()),
            Action::PageDown => self.step(model, self.page()),
            Action::Top => self.step(model, isize::MIN),
            Action::Bottom => self.step(model, isize::MAX),
        }
        Effect::None
    }

    /// Puts the cursors on the rows that they were on before the model changed.
    pub fn follow(&mut self, model: &Model) {
        for (panel, cursor) in &mut self.cursors {
            let rows = model.len(*panel);
            let same = (0..rows).find(|row| cursor.key.is_some() && model.row_key(*panel, *row) == cursor.key);
            cursor.row = same.unwrap_or_else(|| cursor.row.min(rows.saturating_sub(1)));
            cursor.key = model.row_key(*panel, cursor.row);
        }
        if model.len(self.focus) == 0 && self.focus == Panel::Changes {
            self.focus = Panel::Findings;
        }
    }

    fn page(&self) -> isize {
        let rows = if self.pane.is_some() { usize::from(self.size.1).saturating_sub(FRAME) } else { 5 };
        isize::try_from(rows.max(1)).unwrap_or(1)
    }

    fn change_panel(&mut self, model: &Model, by: usize) {
        if self.pane.is_some() {
            return;
        }
        let place = Panel::ALL.iter().position(|panel| *panel == self.focus).unwrap_or(0);
        let next = (1..=Panel::ALL.len()).map(|step| Panel::ALL[(place + step * by) % Panel::ALL.len()]);
        // Changes have a panel only while one waits.
        let shown = |panel: &Panel| *panel != Panel::Changes || model.len(Panel::Changes) > 0;
        self.focus = next.into_iter().find(shown).unwrap_or(self.focus);
    }

    fn step(&mut self, model: &Model, by: isize) {
        if let Some(pane) = &mut self.pane {
            let page = usize::from(self.size.1).saturating_sub(FRAME);
            let last = text_lines(&pane.text, usize::from(self.size.0)).len().saturating_sub(page);
            pane.scroll = pane.scroll.saturating_add_signed(by).min(last);
            return;
        }
        let last = model.len(self.focus).saturating_sub(1);
        let row = self.row(self.focus).saturating_add_signed(by).min(last);
        self.cursors.insert(self.focus, Cursor { row, key: model.row_key(self.focus, row) });
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::watch::example;

    fn model(looks: usize) -> Model {
        let mut model = Model::default();
        example::looks().into_iter().take(looks).for_each(|seen| model.add(Rc::new(seen)));
        model
    }

    #[test]
    fn the_cursor_stays_on_its_row_when_the_order_changes() {
        let mut screen = Screen::new((80, 24));
        while screen.focus != Panel::Listeners {
            screen.act(Action::NextPanel, &model(1));
        }
        screen.act(Action::Down, &model(1));
        assert_eq!(model(1).row_key(Panel::Listeners, 1).as_deref(), Some("0.0.0.0:8080 8080"));
        screen.follow(&model(6));
        assert_eq!(model(6).row_key(Panel::Listeners, 0).as_deref(), Some("0.0.0.0:8080 8080"));
        assert_eq!(screen.row(Panel::Listeners), 0);
    }

    #[test]
    fn the_cursor_stops_at_the_ends_and_tab_leaves_out_the_changes_if_none_waits() {
        let mut screen = Screen::new((80, 24));
        let model = model(6);
        screen.act(Action::Up, &model);
        assert_eq!(screen.row(Panel::Findings), 0);
        screen.act(Action::Bottom, &model);
        assert_eq!(screen.row(Panel::Findings), model.findings.len() - 1);
        screen.act(Action::Down, &model);
        assert_eq!(screen.row(Panel::Findings), model.findings.len() - 1);
        screen.act(Action::NextPanel, &model);
        assert_eq!(screen.focus, Panel::States);
        screen.act(Action::PreviousPanel, &model);
        screen.act(Action::PreviousPanel, &model);
        assert_eq!(screen.focus, Panel::Destinations);
    }

    #[test]
    fn keys_move_the_text_while_one_is_open_and_no_further_than_its_end() {
        let mut screen = Screen::new((80, 24));
        let model = model(6);
        assert_eq!(screen.act(Action::Explain, &model), Effect::Explain);
        screen.open("title".to_owned(), "line\n".repeat(30));
        screen.act(Action::Bottom, &model);
        screen.act(Action::Down, &model);
        assert_eq!(screen.pane.as_ref().unwrap().scroll, 30 - (24 - 2));
        screen.act(Action::Up, &model);
        assert_eq!(screen.pane.as_ref().unwrap().scroll, 7);
        assert_eq!(screen.row(Panel::Findings), 0, "the cursor below did not move");
        assert_eq!(screen.act(Action::Close, &model), Effect::None);
        assert!(screen.pane.is_none());
    }
}
