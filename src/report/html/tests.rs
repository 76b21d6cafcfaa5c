//! Tests of the frame: what may run, how it looks, and that a text stays one.

use std::collections::BTreeMap;

use super::*;

fn page(text: &str) -> String {
    let mut output = Vec::new();
    let mut page = Page::begin(&mut output, text, &html! { h1 id=(text) { (text) } }).unwrap();
    let drawn = [Bar { label: text.to_owned(), value: text.to_owned(), from: 0.0, share: 0.5 }];
    let caption = Caption { id: "plot", title: text, about: text };
    let pieces = [prose(text), bars(&caption, &drawn, Whole::Limit, &[]), html! { p title=(text) { code { (text) } } }];
    page.section(text, "", pieces).unwrap();
    page.section("Nothing", "", None).unwrap();
    page.end(&html! { (text) }).unwrap();
    String::from_utf8(output).unwrap()
}

#[test]
fn a_text_stays_a_text_wherever_it_is() {
    let tags = |text: &str| text.matches('<').count();
    let harmless = page("text");
    for text in [
        "<script>alert(1)</script>",
        "\"><script>alert(1)</script>",
        "' onload='alert(1)",
        "\" onload=\"alert(1)",
        "]]><script>alert(1)</script>",
        "</title></style></script><script>alert(1)</script>",
        "<!-- <!DOCTYPE <![CDATA[ &#60;script&#62; &lt &unknown; &#x1F;",
        "\0\u{1b}[31m\u{202e}\u{2028}\u{feff}",
    ] {
        let written = page(text);
        assert_eq!(tags(&written), tags(&harmless), "{written}");
        assert_eq!(written.matches('"').count(), harmless.matches('"').count(), "{written}");
        assert!(!written.contains(|c| c != '\n' && crate::text::is_dangerous(c)), "{written}");
    }
}

#[test]
fn an_empty_section_is_not_there() {
    assert!(!page("text").contains("Nothing"));
}

#[test]
fn backquotes_mark_code_and_one_alone_is_a_backquote() {
    assert_eq!(prose("a `b < c` d").0, "a <code>b &lt; c</code> d");
    assert_eq!(prose("a ` b").0, "a ` b");
    assert_eq!(prose("`a` `b").0, "<code>a</code> `b");
}

/// The examples of RFC 4648 are too short for a digest; this one is from the CSP of W3C.
#[test]
fn a_policy_names_a_script_by_its_hash() {
    assert_eq!(hash("alert('Hello, world.');"), "qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=");
}

#[test]
fn the_page_asks_the_network_for_nothing() {
    let written = page("text");
    for word in ["http:", "https:", "src=", "url(", "@import", "<link", "<iframe", "<img", "fetch(", "XMLHttp"] {
        assert!(!written.contains(word), "{word}");
    }
}

/// The custom properties of the first block of the style sheet that `begins` so.
fn colours(begins: &str) -> BTreeMap<&'static str, [f64; 3]> {
    let (_, block) = STYLE.split_once(begins).unwrap();
    let (block, _) = block.split_once('}').unwrap();
    let properties = block.split(';').filter_map(|line| line.trim().strip_prefix("--")?.split_once(": #"));
    let part = |hex: &str, place: usize| f64::from(u8::from_str_radix(&hex[2 * place..2 * place + 2], 16).unwrap());
    properties.map(|(name, hex)| (name, [0, 1, 2].map(|place| part(hex, place) / 255.0))).collect()
}

/// As WCAG 2.2 defines it.
fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let linear = |part: f64| if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) };
    let luminance = |[r, g, b]: [f64; 3]| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn text_can_be_read_in_both_schemes() {
    assert!((contrast([0.0; 3], [1.0; 3]) - 21.0).abs() < 0.01);
    let (light, dark) = (colours("\n:root {"), colours("dark) {\n  :root {"));
    assert_eq!(light.keys().collect::<Vec<_>>(), dark.keys().collect::<Vec<_>>());
    for scheme in [light, dark] {
        for text in ["ink", "dim", "link", "critical", "warning", "notice", "ok"] {
            for ground in ["paper", "panel"] {
                let contrast = contrast(scheme[text], scheme[ground]);
                assert!(contrast >= 4.5, "{text} on {ground}: {contrast:.2}");
            }
        }
        // Of what is drawn, 3 is enough.
        for drawn in ["bar", "critical"] {
            assert!(contrast(scheme[drawn], scheme["track"]) >= 3.0, "{drawn}");
        }
    }
}

#[test]
fn colours_are_only_in_the_two_schemes() {
    let (_, rest) = STYLE.split_once("color-scheme: dark;").unwrap();
    assert!(!rest.contains('#'), "{rest}");
}
