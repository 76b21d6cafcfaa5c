//! The picture of the HTML report for README: the page itself inside of an SVG, as the browser understood it.

use super::*;
use crate::picture::assert_is_current;

/// Wide as README, and high enough for the verdict, the first finding and what to do about it.
const SIZE: (u32, u32) = (900, 1100);

/// The body of a page as XML: a browser reads the page and writes down what it understood, without the script.
fn body(page: &str) -> String {
    let quoted = serde_json::to_string(page).unwrap().replace("</", "<\\/");
    let script = format!(
        "const page = new DOMParser().parseFromString({quoted}, 'text/html');
        page.querySelectorAll('script').forEach(script => script.remove());
        document.getElementById('body').textContent = new XMLSerializer().serializeToString(page.body);"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reader.html");
    std::fs::write(&file, format!("<!DOCTYPE html><pre id=body></pre><script>{script}</script>")).unwrap();
    let dom = open(&file).dom;
    let (_, rest) = dom.split_once("<pre id=\"body\">").unwrap();
    let text = rest.split_once("</pre>").unwrap().0;
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", "\u{a0}").replace("&amp;", "&")
}

#[test]
fn the_picture_of_the_page_is_the_page() {
    let page = PAGES.text("ports");
    let (_, rest) = page.split_once("<style>").unwrap();
    let style = rest.split_once("</style>").unwrap().0;
    let (width, height) = SIZE;
    let picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <title>The beginning of a report as HTML</title>\n<style>{style}</style>\n\
         <foreignObject width=\"{width}\" height=\"{height}\">{}</foreignObject>\n</svg>\n",
        body(&page)
    );
    // What is no XML a browser shows as an error and not as a picture.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("html.svg");
    std::fs::write(&file, &picture).unwrap();
    let shown = open(&file).dom;
    assert!(shown.contains("195 of 200 ephemeral ports") && !shown.contains("parsererror"), "{shown}");
    assert_is_current("html.svg", &picture);
}
