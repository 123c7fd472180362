//! Inputs that get deep into a reader before something is wrong with them: seeds of known good and
//! bad forms, changed at random by the words of their grammar.
//!
//! A fuzz target is a property over [`Corpus::inputs`] or over what is made of [`Corpus::changes`].

mod change;

use std::ops::Deref;
use std::path::Path;
use std::{fmt, fs, io};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::change::Change;

/// Inputs that a reader knows, and the words of which such inputs are made.
#[derive(Clone, Debug)]
pub struct Corpus {
    seeds: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
}

/// An input. It prints as text does, escaped where it is none.
#[derive(Clone, PartialEq, Eq)]
pub struct Input(pub Vec<u8>);

/// Changes to make, one after another.
#[derive(Clone, Debug)]
pub struct Changes(Vec<Change>);

/// Words in a row that are an input of their own, and changes made to a seed, are at most so many.
const MOST_WORDS: usize = 24;
const MOST_CHANGES: usize = 3;

impl Corpus {
    /// A corpus of these seeds. The words have spaces between them, and a picture for each character
    /// that cannot be seen: `␣`, `␉`, `␊`, `␍` and `␀`. There must be some of both.
    pub fn new(seeds: Vec<Vec<u8>>, words: &str) -> Self {
        Self { seeds, words: words.split_whitespace().map(unpictured).collect() }
    }

    /// Every file of `folder` is a seed.
    ///
    /// # Errors
    /// As [`fs::read_dir`] and [`fs::read`].
    pub fn read_files(folder: impl AsRef<Path>, words: &str) -> io::Result<Self> {
        let paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
        let mut paths = paths.collect::<io::Result<Vec<_>>>()?;
        // A failure is found again by its seed of randomness only if the order is the same.
        paths.sort();
        Ok(Self::new(paths.into_iter().map(fs::read).collect::<io::Result<_>>()?, words))
    }

    /// Every line of `file` is a seed.
    ///
    /// # Errors
    /// As [`fs::read_to_string`].
    pub fn read_lines(file: impl AsRef<Path>, words: &str) -> io::Result<Self> {
        let text = fs::read_to_string(file)?;
        Ok(Self::new(text.lines().map(|line| line.as_bytes().to_vec()).collect(), words))
    }

    /// The seeds as they are.
    pub fn seeds(&self) -> &[Vec<u8>] {
        &self.seeds
    }

    /// Seeds with a few changes, some with none; and, less often, nothing but words in a row.
    pub fn inputs(&self) -> impl Strategy<Value = Input> + use<> {
        let seeds = select(self.seeds.clone());
        let changed = (seeds, self.changes()).prop_map(|(seed, changes)| changes.made_to(seed));
        prop_oneof![8 => changed.prop_map(Input), 1 => self.rows()]
    }

    /// Words in a row.
    pub fn rows(&self) -> impl Strategy<Value = Input> + use<> {
        let words = vec(select(self.words.clone()), 0..MOST_WORDS);
        words.prop_map(|words| Input(words.concat()))
    }

    /// A few changes, which may be made to anything.
    pub fn changes(&self) -> impl Strategy<Value = Changes> + use<> {
        vec(Change::any(&self.seeds, &self.words), 0..=MOST_CHANGES).prop_map(Changes)
    }
}

/// The word that `pictured` stands for.
fn unpictured(pictured: &str) -> Vec<u8> {
    let plain = |character| match character {
        '␣' => ' ',
        '␉' => '\t',
        '␊' => '\n',
        '␍' => '\r',
        '␀' => '\0',
        other => other,
    };
    pictured.chars().map(plain).collect::<String>().into_bytes()
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
    /// What becomes of `bytes`.
    pub fn made_to(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.0.iter().fold(bytes, |bytes, change| change.made_to(bytes))
    }
}

/// `bytes` cut into pieces, some of them perhaps empty.
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
    fn words_may_have_pictures() {
        let words = Corpus::new(Vec::new(), "a␣b\n  ␍␊␉ ␀").words;
        assert_eq!(words, [b"a b".to_vec(), b"\r\n\t".to_vec(), b"\0".to_vec()]);
    }

    #[test]
    fn an_input_prints_as_text() {
        assert_eq!(
            format!("{:?}", Input(b"a\r\n\xff".to_vec())),
            r#"b"a\r\n\xff"#.to_owned() + "\""
        );
    }

    #[test]
    fn inputs_are_seeds_changed_seeds_and_words() {
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
        fn pieces_are_the_whole(bytes: Vec<u8>, cuts in vec(any::<Index>(), 0..9)) {
            let pieces = pieces(&bytes, &cuts);
            prop_assert_eq!(pieces.len(), cuts.len() + 1);
            prop_assert_eq!(pieces.concat(), bytes);
        }
    }
}
