//! Whole screens, as a terminal of that size shows them.

use std::rc::Rc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;

use super::*;
use crate::apply::verdict::Verdict;
use crate::audit::guard::Said;
use crate::watch::keys::Action;
use crate::watch::seen::Seen;
use crate::watch::waiting::Waiting;
use crate::watch::{example, explain};

fn model() -> Model {
    let mut model = Model::default();
    example::looks().into_iter().for_each(|seen| model.add(Rc::new(seen)));
    model
}

fn status() -> Status {
    Status { pace: "every 2 s".to_owned(), ..Status::default() }
}

fn drawn(model: &Model, screen: &Screen, status: &Status, theme: &Theme) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(screen.size.0, screen.size.1)).unwrap();
    terminal.draw(|frame| draw(frame, model, screen, status, theme)).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let rows = buffer.content().chunks(usize::from(buffer.area.width).max(1));
    let row = |row: &[ratatui::buffer::Cell]| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>();
    rows.map(|cells| row(cells).trim_end().to_owned() + "\n").collect()
}

fn plain(size: (u16, u16)) -> String {
    text(&drawn(&model(), &Screen::new(size), &status(), &Theme::plain()))
}

#[test]
fn eighty_columns_show_every_panel() {
    insta::assert_snapshot!(plain((80, 24)), @r"
    web-1  00:00:10Z  1 critical, 1 warning, 1 notice, 1 waived  every 2 s
    ─[Findings: 3]─────────────────────────────────────────────────────────────────
    >CRITICAL 10.0.0.5:5432 takes 92 % of the ephemeral ports                    new
     WARNING  evil�]0;owned��[31m �2J�name (pid 12) leaves 320 sockets in CLOSE_W…
     NOTICE   TCP timestamps are off
     WARNING  The accept queue of [2001:db8:aaaa:bbbb:cccc:dddd:eeee:…  gone 2 s ago
    ─ TCP sockets by state ───────────────   ─ Listeners ─────────────── queue/limit
     LISTEN           2  ██████               0.0.0.0:8080  uid 0    ██████  129/128
     SYN_RECV         2  ▁█▁█▁█               0.0.0.0:22  uid 0                0/128
     ESTABLISHED  1,203  ██████
     TIME_WAIT   50,000  ▁▃▄▆▇█
     CLOSE_WAIT     320  ██████



    ─ Counters that grow ─────────────────   ─ Destinations ─────────── ports in use
     TcpExt.ListenOverflows            20/s   10.0.0.5:5432           █████▌    92 %
     Tcp.RetransSegs                  1.5/s   10.0.0.9:443            ▏        3.5 %





    Up/Down row  Tab panel  Enter explain  p pause  ? help  q quit
    ");
}

#[test]
fn sixty_columns_are_enough() {
    insta::assert_snapshot!(plain((60, 20)), @r"
    web-1  00:00:10Z  1 critical, 1 warning, 1 notice, 1 waived
    ─[Findings: 3]─────────────────────────────────────────────
    >CRITICAL 10.0.0.5:5432 takes 92 % of the ephemeral po…  new
     WARNING  evil�]0;owned��[31m �2J�name (pid 12) leaves 32…
     NOTICE   TCP timestamps are off
     WARNING  The accept queue of [2001:db8:aaaa:…  gone 2 s ago
    ─ TCP sockets by state ─────   ─ Listeners ───── queue/limit
     LISTEN           2  ██████     0.0.0.0:8080    ███  129/128
     SYN_RECV         2  ▁█▁█▁█     0.0.0.0:22             0/128
     ESTABLISHED  1,203  ██████
     TIME_WAIT   50,000  ▁▃▄▆▇█
     CLOSE_WAIT     320  ██████

    ─ Counters that grow ───────   ─ Destinations ─────────────
     ListenOverflows         20/s   10.0.0.5:5432    ██▊    92 %
     Tcp.RetransSegs        1.5/s   10.0.0.9:443     ▏     3.5 %



    Tab panel  Enter explain  p pause  ? help  q quit
    ");
}

#[test]
fn a_large_terminal_has_all_side_by_side() {
    insta::assert_snapshot!(plain((200, 50)), @r"
    web-1  2026-01-01T00:00:10Z  1 critical, 1 warning, 1 notice, 1 waived  every 2 s
    ─[Findings: 3]─────────────────────────────────────────────────────────────────   ─ TCP sockets by state ──────────────────────────────────   ─ Listeners ────────────────────────────────── queue/limit
    >CRITICAL 10.0.0.5:5432 takes 92 % of the ephemeral ports                    new   LISTEN           2  ██████                                  0.0.0.0:8080  40 dropped  uid 0     ████████████  129/128
     WARNING  evil�]0;owned��[31m �2J�name (pid 12) leaves 320 sockets in CLOSE_W…     SYN_RECV         2  ▁█▁█▁█                                  0.0.0.0:22  uid 0                                   0/128
     NOTICE   TCP timestamps are off                                                   ESTABLISHED  1,203  ██████
     WARNING  The accept queue of [2001:db8:aaaa:bbbb:cccc:dddd:eeee:…  gone 2 s ago   TIME_WAIT   50,000  ▁▃▄▆▇█
                                                                                       CLOSE_WAIT     320  ██████







                                                                                      ─ Counters that grow ────────────────────────────────────
                                                                                       TcpExt.ListenOverflows                     +40       20/s
                                                                                       Tcp.RetransSegs                             +3      1.5/s








                                                                                                                                                  ─ Destinations ────────────────────────────── ports in use
                                                                                                                                                   10.0.0.5:5432  26,012 ports          ███████████     92 %
                                                                                                                                                   10.0.0.9:443  1,000 ports            ▍              3.5 %





















    Up/Down row  Tab panel  Enter explain  p pause  ? help  q quit
    ");
}

#[test]
fn a_terminal_that_is_too_small_is_asked_for_more() {
    insta::assert_snapshot!(plain((59, 20)), @r"
    watch needs a terminal of 60 columns and 15 lines; this one
    has 59 and 20.
    ");
    for size in [(0, 0), (1, 1), (10, 3), (60, 14)] {
        let _ = plain(size);
    }
}

#[test]
fn a_change_that_waits_has_its_guards_and_the_time_that_is_left() {
    let verdict = |said| Verdict {
        rule: "accept-queue-overflow".to_owned(),
        worse_if: String::new(),
        said,
        seconds_before: 2.0,
        seconds_after: 45.0,
    };
    let at = model().now.unwrap().at;
    let waiting = Waiting {
        id: 3,
        keys: vec!["net.core.somaxconn".to_owned(), "net.ipv4.tcp_max_syn_backlog".to_owned()],
        deadline: Some(at + 42),
        verdicts: vec![verdict(Said::NotWorse(Vec::new())), verdict(Said::Worse(Vec::new()))],
    };
    let mut model = model();
    model.waiting = vec![waiting];
    insta::assert_snapshot!(text(&drawn(&model, &Screen::new((80, 24)), &status(), &Theme::plain())), @r"
    web-1  00:00:10Z  1 critical, 1 warning, 1 notice, 1 waived  every 2 s
    ─[Findings: 3]─────────────────────────────────────────────────────────────────
    >CRITICAL 10.0.0.5:5432 takes 92 % of the ephemeral ports                    new
     WARNING  evil�]0;owned��[31m �2J�name (pid 12) leaves 320 sockets in CLOSE_W…
     NOTICE   TCP timestamps are off
     WARNING  The accept queue of [2001:db8:aaaa:bbbb:cccc:dddd:eeee:…  gone 2 s ago
    ─ Changes that wait for confirmation ──────────────────────────────────────────
     change 3: net.core.somaxconn, net.ipv4.tcp_max_syn_backlog  rolled back in 42 s
       guard of accept-queue-overflow: not worse than before
       guard of accept-queue-overflow: worse than before
    ─ TCP sockets by state ───────────────   ─ Listeners ─────────────── queue/limit
     LISTEN           2  ██████               0.0.0.0:8080  uid 0    ██████  129/128
     SYN_RECV         2  ▁█▁█▁█               0.0.0.0:22  uid 0                0/128
     ESTABLISHED  1,203  ██████
     TIME_WAIT   50,000  ▁▃▄▆▇█
     CLOSE_WAIT     320  ██████

    ─ Counters that grow ─────────────────   ─ Destinations ─────────── ports in use
     TcpExt.ListenOverflows            20/s   10.0.0.5:5432           █████▌    92 %
     Tcp.RetransSegs                  1.5/s   10.0.0.9:443            ▏        3.5 %



    Up/Down row  Tab panel  Enter explain  p pause  ? help  q quit
    ");
}

#[test]
fn before_the_first_look_and_with_nothing_wrong_the_panels_say_so() {
    let first = example::looks().swap_remove(0);
    let quiet = Seen { findings: Vec::new(), destinations: Vec::new(), waived: 0, ..first };
    let mut model = Model::default();
    model.add(Rc::new(quiet));
    let status = Status { paused: true, note: "recording to looks.jsonl".to_owned(), ..status() };
    insta::assert_snapshot!(text(&drawn(&model, &Screen::new((80, 24)), &status, &Theme::plain())), @r"
    web-1  00:00:00Z  paused  no findings from 35 rules, no rates yet  every 2 s
    ─[Findings: 0]─────────────────────────────────────────────────────────────────
      none


    ─ TCP sockets by state ───────────────   ─ Listeners ─────────────── queue/limit
     LISTEN          2  █                     0.0.0.0:22  uid 0                0/128
     ESTABLISHED 1,203  █                     0.0.0.0:8080  uid 0              0/128
     CLOSE_WAIT    320  █





    ─ Counters that grow ─────────────────   ─ Destinations ─────────── ports in use
      shown from the second look on            no outgoing connections







    recording to looks.jsonl
    ");
    let empty = text(&drawn(&Model::default(), &Screen::new((80, 24)), &status, &Theme::plain()));
    assert!(empty.contains("no look yet"), "{empty}");
}

#[test]
fn the_explanation_lies_over_the_screen() {
    let (model, theme) = (model(), Theme::coloured());
    let mut screen = Screen::new((80, 24));
    let (title, content) = explain::row(Panel::Findings, 0, &model, None, theme).unwrap();
    screen.open(title, content);
    screen.act(Action::Down, &model);
    insta::assert_snapshot!(text(&drawn(&model, &screen, &status(), &theme)), @r"
    ephemeral-ports                                              lines 1 to 22 of 22
    CRITICAL  10.0.0.5:5432 takes 92 % of the ephemeral ports
      where     host: 10.0.0.1 -> 10.0.0.5:5432
      why       Every outgoing connection to one address and port needs a local port
                of its own. When none is left, connect() fails with EADDRNOTAVAIL.
                A second paragraph that the short form leaves to `explain`.
      evidence  ports in use        26,012 ports  destination.ports_blocked
                share of the range          92 %  destination.port_use
                range                32768 60999  net.ipv4.ip_local_port_range
                reuse could help             yes  net.ipv4.tcp_tw_reuse != 1
                nonsense                 unknown  0.0 / 0.0
      change    net.ipv4.ip_local_port_range  32768 60999 -> 16384 65535
                  Tried in a scratch namespace: the kernel accepts it.
                  Risk medium. New connections use it at once.
                  Side effects: A service that listens on a port from 16384 up can
                  find it taken when it starts.
      do        application: Keep connections open: a pool, or HTTP keep-alive,
                  needs a handful of ports.
                operator: More source addresses multiply the ports.
      do not    net.ipv4.tcp_fin_timeout: it ends orphaned FIN_WAIT2 sockets;
                  TIME_WAIT lasts 60 s whatever it says
      source    https://docs.kernel.org/networking/ip-sysctl.html
      rule      ephemeral-ports (capacity)
    Up/Down, PageUp/PageDown scroll  Esc close  q quit
    ");
}

#[test]
fn colour_adds_nothing_but_colour() {
    let coloured = drawn(&model(), &Screen::new((80, 24)), &status(), &Theme::coloured());
    assert_eq!(text(&coloured), plain((80, 24)));
    let of = |color| {
        coloured.content().iter().filter(|cell| cell.fg == color).map(ratatui::buffer::Cell::symbol).collect::<String>()
    };
    assert!(of(Color::Red).starts_with("1 critical") && of(Color::Red).contains("CRITICAL"), "{}", of(Color::Red));
    let plain = drawn(&model(), &Screen::new((80, 24)), &status(), &Theme::plain());
    assert!(plain.content().iter().all(|cell| cell.fg == Color::Reset && cell.modifier.is_empty()));
}

#[test]
fn the_names_of_strangers_do_nothing() {
    for size in [(60, 15), (80, 24), (200, 50)] {
        let mut model = model();
        let mut seen = Seen::clone(model.now.as_ref().unwrap());
        let name = "evil\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}\u{200b}\r\nname";
        for text in [&mut seen.host, &mut seen.namespace, &mut seen.taken_at] {
            *text = name.to_owned();
        }
        seen.listeners[0].owner = name.to_owned();
        seen.destinations[0].remote = name.to_owned();
        seen.findings[0].title = name.to_owned();
        model.add(Rc::new(seen));
        let mut screen = Screen::new(size);
        for pane in [false, true] {
            if pane {
                let (title, text) = explain::row(Panel::Findings, 0, &model, None, Theme::coloured()).unwrap();
                screen.open(format!("{title}{name}"), text + name);
            }
            let shown = text(&drawn(&model, &screen, &status(), &Theme::plain()));
            let bad = shown.chars().find(|c| *c != '\n' && crate::text::is_dangerous(*c));
            assert_eq!(bad, None, "{shown}");
            assert!(shown.contains("evil\u{fffd}]0;owned\u{fffd}"), "{shown}");
        }
    }
}
