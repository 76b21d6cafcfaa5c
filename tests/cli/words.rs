//! The word list of `docs/style.md`, held over every text that a user reads.
//!
//! In: the list, as the page has it, and the texts that the page names: rules, docs, README, changelog, configuration, units,
//! packaging, help, man pages, messages in the source. Out: each forbidden word with its file and line, and the better word.
//! Must not: know a word of the list itself, or search code: what is between backquotes, code blocks, expressions.

mod source;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use fancy_regex::{Regex, RegexBuilder};
use toml::de::{DeTable, DeValue};

use super::run;

/// Fields of a TOML file whose values are not text: expressions, names, sources.
const CODE: [&str; 24] = [
    "accepted",
    "aliases",
    "bound",
    "counters",
    "default",
    "effect",
    "expect",
    "for_each",
    "given",
    "key",
    "kind",
    "known",
    "needs",
    "recommends",
    "references",
    "scope",
    "see",
    "severity",
    "since",
    "source",
    "typical",
    "unread",
    "value",
    "when",
];

struct Word {
    pattern: Regex,
    better: String,
}

/// A piece of text: where it is in its file, and the same number of bytes with what is code put out of sight.
struct Text {
    start: usize,
    shown: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn words() -> Vec<Word> {
    let page = std::fs::read_to_string(root().join("docs/style.md")).unwrap();
    let (_, list) = page.split_once("```text\n").unwrap();
    let (list, _) = list.split_once("\n```").unwrap();
    list.lines().map(word).collect()
}

fn word(line: &str) -> Word {
    let (pattern, better) = line.split_once("  ").unwrap();
    // Texts are wrapped: a space may be a line's end, but never an empty line.
    let wrapped = pattern.replace(' ', r"(?:[^\S\n]+|[^\S\n]*\n[^\S\n]*)");
    // The pages of keys and rules are longer than the steps that a search may take by default.
    let pattern = RegexBuilder::new(&format!("(?im){wrapped}")).backtrack_limit(usize::MAX).build().unwrap();
    Word { pattern, better: better.trim().to_owned() }
}

/// Every text, by the name under which it is reported.
fn places() -> Vec<(String, String, Vec<Text>)> {
    let mut all = ["README.md", "CHANGELOG.md", "SECURITY.md"].map(PathBuf::from).to_vec();
    for folder in ["rules", "lab", "docs", "config", "systemd", "deploy", "src"] {
        files(Path::new(folder), &mut all);
    }
    all.retain(|path| !path.starts_with("src") || is_shipped(path));
    let mut places: Vec<_> = all.iter().map(|path| file(path)).collect();
    help(&[], &mut places);
    man_pages(&mut places);
    places
}

/// A file of tests quotes messages of other files, and those of older versions.
fn is_shipped(source: &Path) -> bool {
    source.extension().is_some_and(|extension| extension == "rs" || extension == "toml")
        && !source.ends_with("tests.rs")
        && !source.iter().any(|folder| folder == "tests")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    for name in entries.map(|entry| entry.unwrap().file_name()).collect::<BTreeSet<_>>() {
        let path = folder.join(name);
        if root().join(&path).is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn file(path: &Path) -> (String, String, Vec<Text>) {
    let content = std::fs::read_to_string(root().join(path)).unwrap();
    let texts = match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => toml_texts(&content),
        Some("rs") => source::messages(&content),
        Some("md") => paragraphs(&without_code(&without_blocks(&content))),
        _ => vec![Text { start: 0, shown: without_code(&content.replace("\n#", "\n ")) }],
    };
    (path.to_str().unwrap().to_owned(), content, texts)
}

/// No pattern goes beyond an empty line, and a search in a whole page backtracks too often.
fn paragraphs(page: &str) -> Vec<Text> {
    let mut start = 0;
    let text = |paragraph: &str| {
        let text = Text { start, shown: paragraph.to_owned() };
        start += paragraph.len() + 2;
        text
    };
    page.split("\n\n").map(text).collect()
}

/// The help of a command and of all below it.
fn help(command: &[&str], places: &mut Vec<(String, String, Vec<Text>)>) {
    let mut arguments = command.to_vec();
    arguments.push("--help");
    let run = run(&arguments);
    assert_eq!(run.code, 0, "{run:?}");
    let below = run.out.split("\nCommands:\n").nth(1).unwrap_or_default();
    let names = below.lines().take_while(|line| !line.is_empty());
    let names = names.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    for name in names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
        help(&[command, &[name]].concat(), places);
    }
    let texts = vec![Text { start: 0, shown: without_code(&run.out) }];
    places.push((format!("sysctl-advisor {}", arguments.join(" ")), run.out, texts));
}

/// The man pages as the packages install them.
fn man_pages(places: &mut Vec<(String, String, Vec<Text>)>) {
    let folder = tempfile::tempdir().unwrap();
    let run = run(&["generate", folder.path().to_str().unwrap()]);
    assert_eq!(run.code, 0, "{run:?}");
    for entry in std::fs::read_dir(folder.path().join("man")).unwrap() {
        let path = entry.unwrap().path();
        let page = std::fs::read_to_string(&path).unwrap();
        let texts = vec![roff_text(&page)];
        places.push((path.file_name().unwrap().to_str().unwrap().to_owned(), page, texts));
    }
}

/// A page without its macros and with what is bold, the names, put out of sight.
fn roff_text(page: &str) -> Text {
    let code = Regex::new(r"(?m)^\..*$|\\fB.*?\\fR|\\f.|\\-").unwrap();
    let mut shown = without_code(page);
    for found in code.find_iter(page) {
        let found = found.unwrap();
        let with = match found.as_str() {
            r"\-" => '-',
            change if change.len() == 3 => ' ',
            _ => '_',
        };
        cover(&mut shown, found.range(), with);
    }
    Text { start: 0, shown }
}

/// The same number of bytes in each line, all of them `cover`.
fn covered(text: &str, cover: char) -> String {
    text.chars().flat_map(|c| std::iter::repeat_n(if c == '\n' { c } else { cover }, c.len_utf8())).collect()
}

fn cover(text: &mut String, range: Range<usize>, with: char) {
    let piece = covered(&text[range.clone()], with);
    text.replace_range(range, &piece);
}

/// Code between backquotes and placeholders count as a word that is on no list.
fn without_code(text: &str) -> String {
    let code = Regex::new(r"(`+)(?!`)(?:[^\n]|\n(?!\s*\n))*?(?<!`)\1(?!`)").unwrap();
    let mut shown = text.to_owned();
    for found in code.find_iter(text) {
        cover(&mut shown, found.unwrap().range(), '_');
    }
    shown
}

fn without_blocks(text: &str) -> String {
    let block = Regex::new(r"(?m)^[ ]*```[\s\S]*?^[ ]*```[ ]*$").unwrap();
    let mut shown = text.to_owned();
    for found in block.find_iter(text) {
        cover(&mut shown, found.unwrap().range(), '|');
    }
    shown
}

fn toml_texts(content: &str) -> Vec<Text> {
    let mut texts = comments(content);
    let table = DeTable::parse(content).unwrap();
    table_texts(content, table.get_ref(), &mut texts);
    texts
}

/// Lines of comments, those that follow each other as one text.
fn comments(content: &str) -> Vec<Text> {
    let block = Regex::new(r"(?m)(?:^[ ]*#.*\n?)+").unwrap();
    let found = block.find_iter(content).map(Result::unwrap);
    found.map(|found| Text { start: found.start(), shown: without_code(&found.as_str().replace('#', " ")) }).collect()
}

fn table_texts(content: &str, table: &DeTable<'_>, texts: &mut Vec<Text>) {
    for (name, value) in table {
        if name.get_ref() == "evidence" {
            evidence(content, value.get_ref(), texts);
        } else if !CODE.contains(&name.get_ref().as_ref()) {
            value_texts(content, value, texts);
        }
    }
}

fn value_texts(content: &str, value: &toml::Spanned<DeValue<'_>>, texts: &mut Vec<Text>) {
    match value.get_ref() {
        DeValue::String(_) => texts.push(text(content, value.span())),
        DeValue::Array(items) => items.iter().for_each(|item| value_texts(content, item, texts)),
        DeValue::Table(table) => table_texts(content, table, texts),
        _ => {}
    }
}

/// In `[evidence]` the names are what the user reads, and of the expressions the words between quotes.
fn evidence(content: &str, value: &DeValue<'_>, texts: &mut Vec<Text>) {
    let quoted = Regex::new(r#""[^"\n]*""#).unwrap();
    for (name, expression) in value.as_table().unwrap() {
        texts.push(text(content, name.span()));
        let start = expression.span().start;
        let found = quoted.find_iter(&content[expression.span()]).map(Result::unwrap);
        texts.extend(found.map(|found| text(content, start + found.start()..start + found.end())));
    }
}

/// A TOML string without its placeholders and with its lines joined.
fn text(content: &str, range: Range<usize>) -> Text {
    let start = range.start;
    let source = &content[range];
    let placeholder = Regex::new(r"\{[^{}]*\}").unwrap();
    let mut shown = without_code(&source.replace("\\\n", " \n"));
    for found in placeholder.find_iter(source) {
        cover(&mut shown, found.unwrap().range(), '_');
    }
    Text { start, shown }
}

#[test]
fn every_text_uses_the_words_of_the_style_page() {
    let words = words();
    assert!(words.len() >= 10, "{} patterns", words.len());
    let places = places();
    // Nothing of a kind would mean that it is not searched.
    let of_kind =
        |part: &str| places.iter().filter(|(name, ..)| name.contains(part)).map(|(.., texts)| texts.len()).sum();
    let kinds = ["rules/", "docs/", "config/", "systemd/", "deploy/", "--help", ".1", "src/", "lab/"];
    let found: [usize; 9] = kinds.map(of_kind);
    assert!(found.iter().all(|texts| *texts > 0) && found[7] > 500, "{kinds:?}: {found:?}");
    let mut failures = Vec::new();
    for (name, content, texts) in places {
        for (start, found, better) in texts.iter().flat_map(|text| matches(&words, text)) {
            let line = content[..start].matches('\n').count() + 1;
            failures.push(format!("{name}:{line}: \"{found}\": write \"{better}\""));
        }
    }
    assert!(failures.is_empty(), "{} texts do not follow docs/style.md:\n{}", failures.len(), failures.join("\n"));
}

/// Where, the words, and the better ones.
fn matches<'a>(words: &'a [Word], text: &'a Text) -> impl Iterator<Item = (usize, String, &'a str)> {
    words.iter().flat_map(move |word| {
        let found = word.pattern.find_iter(&text.shown).map(Result::unwrap);
        found.map(move |found| {
            let words = found.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
            let start = found.end() - found.as_str().trim_start().len();
            (text.start + start, words, word.better.as_str())
        })
    })
}

fn found(text: &Text) -> Vec<String> {
    matches(&words(), text).map(|(_, words, _)| words).collect()
}

#[test]
fn the_search_sees_text_and_not_code() {
    let markdown = |text: &str| found(&Text { start: 0, shown: without_code(&without_blocks(text)) });
    assert_eq!(markdown("He was\nTold so, and it was taken\n  back."), ["Told", "taken back"]);
    assert_eq!(markdown("`told`, ``a `told` b``, and\n```text\ntold\n```\nno more."), [""; 0]);
    assert_eq!(markdown("`x` is no `key`. It was taken\n\nback in 4.12. It is no longer there."), ["is no _____"]);
    let rule = "# Told 1\nwhen = 'told > 2'\nwhy = \"\"\"\nIt was {told} and \\\ntold.\"\"\"\n[evidence]\n\"told\" = 'told ? \"told\" : 0'\n";
    let lines: Vec<usize> = toml_texts(rule)
        .iter()
        .flat_map(|text| {
            matches(&words(), text).map(|(at, ..)| rule[..at].matches('\n').count() + 1).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(lines, [1, 7, 7, 5]);
    let page = ".TH told 1\n\\fBtold\\fR\nThe user is told\\-once.\n.PP\nIt was \\fItold\\fR.\n";
    assert_eq!(found(&roff_text(page)), ["told", "told"]);
}

#[test]
fn the_search_sees_messages_and_not_other_literals() {
    let seen = |source: &str| source::messages(source).iter().flat_map(found).collect::<Vec<_>>();
    assert_eq!(seen(r#"error("it was told {told} and \"told\"", "told")"#), ["told", "told"]);
    assert_eq!(
        seen("\"taken \\\n    back\", r#\"was \"told\"\"#, '\"', b'\"', \"it stands\""),
        ["taken back", "told", "stands"]
    );
    assert_eq!(seen("// \"it was told\"\n/* \"it was told\" */ #[expect(x, reason = \"it was told\")]"), [""; 0]);
    assert_eq!(seen("\"SELECT told FROM track\", \"{told} of them\", \"`told` it\""), [""; 0]);
    assert_eq!(seen("\"told it\"\n#[cfg(test)]\nmod tests {\n\"told it\"\n}\n"), ["told"]);
}
