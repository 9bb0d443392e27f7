//! Lines of a trip file, counted as an editor counts them, and given back where need be.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};

/// The longest line that is read; what is longer is skipped and rejected.
pub(super) const LINE_BYTES: usize = 1 << 20;
/// How much of a line that is too long is kept, to show where it stood.
const KEPT_BYTES: usize = 4096;

/// One line without its end.
pub(super) struct Line {
    /// Its number, from 1.
    pub number: u64,
    pub bytes: Vec<u8>,
    /// Only its beginning was kept.
    pub too_long: bool,
}

impl Line {
    pub fn is_blank(&self) -> bool {
        !self.too_long && self.bytes.iter().all(u8::is_ascii_whitespace)
    }
}

pub(super) struct Lines<R> {
    reader: BufReader<R>,
    number: u64,
    given_back: VecDeque<Line>,
}

impl<R: Read> Lines<R> {
    pub fn new(reader: R) -> Self {
        Self {
            reader: BufReader::new(reader),
            number: 0,
            given_back: VecDeque::new(),
        }
    }

    /// The next line; none at the end of the file.
    pub fn take(&mut self) -> io::Result<Option<Line>> {
        match self.given_back.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.read(),
        }
    }

    /// The next line that says something.
    pub fn take_filled(&mut self) -> io::Result<Option<Line>> {
        while let Some(line) = self.take()? {
            if !line.is_blank() {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    /// Puts lines back before those that are still to come.
    pub fn give_back(&mut self, lines: Vec<Line>) {
        for line in lines.into_iter().rev() {
            self.given_back.push_front(line);
        }
    }

    fn read(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        // Room for the longest line and its end.
        let most = u64::try_from(LINE_BYTES).unwrap_or(u64::MAX);
        let mut part = (&mut self.reader).take(most.saturating_add(2));
        if part.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        let ended = bytes.pop_if(|last| *last == b'\n').is_some();
        bytes.pop_if(|last| *last == b'\r');
        let too_long = bytes.len() > LINE_BYTES;
        if too_long {
            bytes.truncate(KEPT_BYTES);
            if !ended {
                self.reader.skip_until(b'\n')?;
            }
        }
        self.number = self.number.saturating_add(1);
        if self.number == 1 && bytes.starts_with("\u{feff}".as_bytes()) {
            bytes.drain(.."\u{feff}".len());
        }
        let number = self.number;
        Ok(Some(Line {
            number,
            bytes,
            too_long,
        }))
    }
}
