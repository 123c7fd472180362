//! Inputs for fuzz targets that get deep into a parser before it rejects them: valid and invalid
//! seeds, mutated at random with the words of their grammar.
//!
//! A fuzz target is a property over [`Corpus::inputs`], or over values mutated with
//! [`Corpus::changes`].

mod change;

use std::ops::Deref;
use std::path::Path;
use std::{fmt, fs, io};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::change::Change;

/// Seed inputs of one format, and the words of its grammar.
#[derive(Clone, Debug)]
pub struct Corpus {
    seeds: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
}

/// An input. `Debug` prints it as text, with all other bytes escaped.
#[derive(Clone, PartialEq, Eq)]
pub struct Input(pub Vec<u8>);

/// Changes, to be made one after another.
#[derive(Clone, Debug)]
pub struct Changes(Vec<Change>);

/// Maximum number of words in an input made of words only.
const MAX_WORDS: usize = 24;

/// Maximum number of changes to a seed. With more, a parser rejects most inputs at their start.
const MAX_CHANGES: usize = 3;

impl Corpus {
    /// Creates a corpus; neither `seeds` nor `words` may be empty.
    ///
    /// The words are separated by whitespace. The symbols `␣`, `␉`, `␊`, `␍` and `␀` stand for the
    /// invisible characters.
    pub fn new(seeds: Vec<Vec<u8>>, words: &str) -> Self {
        Self { seeds, words: words.split_whitespace().map(unescape).collect() }
    }

    /// Creates a corpus with every file of `folder` as a seed.
    ///
    /// # Errors
    /// Those of [`fs::read_dir`] and [`fs::read`].
    pub fn read_files(folder: impl AsRef<Path>, words: &str) -> io::Result<Self> {
        let paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
        let mut paths = paths.collect::<io::Result<Vec<_>>>()?;
        // proptest reproduces a failure from its random seed only if the order of the files is fixed.
        paths.sort();
        Ok(Self::new(paths.into_iter().map(fs::read).collect::<io::Result<_>>()?, words))
    }

    /// Creates a corpus with every line of `file` as a seed.
    ///
    /// # Errors
    /// Those of [`fs::read_to_string`].
    pub fn read_lines(file: impl AsRef<Path>, words: &str) -> io::Result<Self> {
        let text = fs::read_to_string(file)?;
        Ok(Self::new(text.lines().map(|line| line.as_bytes().to_vec()).collect(), words))
    }

    /// Returns the seeds, unchanged.
    pub fn seeds(&self) -> &[Vec<u8>] {
        &self.seeds
    }

    /// Generates seeds with up to three changes and, less often, sequences of words.
    pub fn inputs(&self) -> impl Strategy<Value = Input> + use<> {
        let seeds = select(self.seeds.clone());
        let changed = (seeds, self.changes()).prop_map(|(seed, changes)| changes.made_to(seed));
        prop_oneof![8 => changed.prop_map(Input), 1 => self.rows()]
    }

    /// Generates sequences of words.
    pub fn rows(&self) -> impl Strategy<Value = Input> + use<> {
        let words = vec(select(self.words.clone()), 0..MAX_WORDS);
        words.prop_map(|words| Input(words.concat()))
    }

    /// Generates up to three changes, which apply to any input.
    pub fn changes(&self) -> impl Strategy<Value = Changes> + use<> {
        vec(Change::any(&self.seeds, &self.words), 0..=MAX_CHANGES).prop_map(Changes)
    }
}

/// Returns `word` with its symbols replaced by the characters they stand for.
fn unescape(word: &str) -> Vec<u8> {
    let plain = |character| match character {
        '␣' => ' ',
        '␉' => '\t',
        '␊' => '\n',
        '␍' => '\r',
        '␀' => '\0',
        other => other,
    };
    word.chars().map(plain).collect::<String>().into_bytes()
}

impl Deref for Input {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "b\"{}\"", self.0.escape_ascii())
    }
}

impl Changes {
    /// Returns `bytes` with the changes made, one after another.
    pub fn made_to(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.0.iter().fold(bytes, |bytes, change| change.made_to(bytes))
    }
}

/// Cuts `bytes` into pieces, some of which may be empty.
pub fn pieces<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.sort_unstable();
    let mut rest = bytes;
    let mut done = 0;
    let mut pieces = Vec::new();
    for cut in cuts {
        let (piece, after) = rest.split_at(cut - done);
        pieces.push(piece);
        (rest, done) = (after, cut);
    }
    pieces.push(rest);
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    use super::*;

    fn corpus() -> Corpus {
        Corpus::new(vec![b"first seed".to_vec(), b"second seed".to_vec()], "one two")
    }

    #[test]
    fn new_replaces_symbols_in_words() {
        let words = Corpus::new(Vec::new(), "a␣b\n  ␍␊␉ ␀").words;
        assert_eq!(words, [b"a b".to_vec(), b"\r\n\t".to_vec(), b"\0".to_vec()]);
    }

    #[test]
    fn debug_prints_an_input_as_text() {
        assert_eq!(
            format!("{:?}", Input(b"a\r\n\xff".to_vec())),
            r#"b"a\r\n\xff"#.to_owned() + "\""
        );
    }

    #[test]
    fn inputs_generates_seeds_changed_seeds_and_words() {
        let mut runner = TestRunner::deterministic();
        let corpus = corpus();
        let inputs = corpus.inputs();
        let mut draw = || inputs.new_tree(&mut runner).unwrap().current();
        let drawn: Vec<Input> = (0..400).map(|_| draw()).collect();
        let count = |is: &dyn Fn(&[u8]) -> bool| drawn.iter().filter(|bytes| is(bytes)).count();
        let is_seed = |bytes: &[u8]| corpus.seeds().iter().any(|seed| seed == bytes);
        let is_row = |bytes: &[u8]| bytes.chunks(3).all(|word| word == b"one" || word == b"two");
        let (seeds, rows) = (count(&is_seed), count(&is_row));
        assert!(seeds > 20 && rows > 20 && seeds + rows < 200, "{seeds} {rows}");
    }

    proptest! {
        #[test]
        fn pieces_concatenate_to_the_input(bytes: Vec<u8>, cuts in vec(any::<Index>(), 0..9)) {
            let pieces = pieces(&bytes, &cuts);
            prop_assert_eq!(pieces.len(), cuts.len() + 1);
            prop_assert_eq!(pieces.concat(), bytes);
        }
    }
}
