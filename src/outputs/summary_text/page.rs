//! The page of `summary.txt`: lines that fit its width, cells below one another, lists that wrap.

/// Characters to a line.
const WIDTH: usize = 100;

/// The lines so far.
#[derive(Default)]
pub struct Page {
    pub text: String,
}

impl Page {
    /// A line, cut to the page's width.
    pub fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(cut(line.as_ref()).trim_end());
        self.text.push('\n');
    }

    /// A label and a right-aligned cell per currency.
    pub fn cells(&mut self, label: &str, cells: impl Iterator<Item = String>) {
        let cells: String = cells.map(|cell| format!("{cell:>24}")).collect();
        self.line(format!("{label:<26}{cells}"));
    }
}

/// The line, cut to the page's width.
pub fn cut(line: &str) -> String {
    let clean = line.chars().map(|c| if c.is_control() { ' ' } else { c });
    if line.chars().count() <= WIDTH {
        return clean.collect();
    }
    let mut short: String = clean.take(WIDTH.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// The words parted by commas, on so many lines as they need, each set in below the title; what
/// would go beyond `most` lines is counted.
pub fn wrapped(page: &mut Page, title: &str, words: &[String], most: usize) {
    let (mut line, mut lines) = (title.to_owned(), 1_usize);
    for (place, word) in words.iter().enumerate() {
        let comma = if place.saturating_add(1) < words.len() {
            ","
        } else {
            ""
        };
        // The last line keeps room to say how many more there are.
        let room = if lines >= most { 14 } else { 2 };
        let needs = line.len().saturating_add(word.len()).saturating_add(room);
        if needs > WIDTH && lines >= most {
            let more = words.len().saturating_sub(place);
            line.push_str(&format!(" and {more} more"));
            break;
        }
        if needs > WIDTH {
            page.line(&line);
            line = " ".repeat(title.len());
            lines = lines.saturating_add(1);
        }
        line.push(' ');
        line.push_str(word);
        line.push_str(comma);
    }
    page.line(&line);
}

/// The word for so many.
pub fn plural<N: PartialEq + From<u8>>(
    count: N,
    one: &'static str,
    many: &'static str,
) -> &'static str {
    if count == N::from(1) { one } else { many }
}
