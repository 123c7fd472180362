//! Values of variables on the command line, in the forms of `spin up --variable`.
//! <https://spinframework.dev/v3/variables#application-variables>

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, Result, anyhow};

/// Values of one or more variables.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a value may be a secret")]
pub enum VariableSource {
    /// The value of a variable.
    Literal(String, String),
    /// A file with the value of a variable.
    FileContent(String, PathBuf),
    /// A file of TOML, with the values of several variables.
    TomlFile(PathBuf),
}

const NOT_TOML: &str = "a file of several variables must have a name that ends in .toml";

impl FromStr for VariableSource {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(file) = text.strip_prefix('@') {
            let is_toml = Path::new(file).extension().is_some_and(|extension| extension == "toml");
            return if is_toml { Ok(Self::TomlFile(file.into())) } else { Err(NOT_TOML) };
        }
        let (name, value) = text.split_once('=').ok_or("expected name=value or @file.toml")?;
        Ok(match value.strip_prefix('@') {
            Some(file) => Self::FileContent(name.to_owned(), file.into()),
            None => Self::Literal(name.to_owned(), value.to_owned()),
        })
    }
}

impl VariableSource {
    /// Returns the values by the names of the variables.
    ///
    /// # Errors
    /// The file cannot be read, or does not consist of strings.
    pub fn read(&self) -> Result<BTreeMap<String, String>> {
        match self {
            Self::Literal(name, value) => Ok([(name.clone(), value.clone())].into()),
            Self::FileContent(name, path) => Ok([(name.clone(), text(path)?)].into()),
            // Without the line that is wrong, which may have a secret.
            Self::TomlFile(path) => toml::from_str(&text(path)?).map_err(|error| {
                anyhow!("{} is not a TOML file of strings: {}", path.display(), error.message())
            }),
        }
    }
}

/// Reads a file.
fn text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_returns_the_values_of_every_form() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let one = file("one", "a=b\n");
        let several = file("several.toml", "a = '1'\nb = \"x=1\\ny=2\\n\"");
        for (argument, expected) in [
            ("a=1".to_owned(), &[("a", "1")][..]),
            ("a=b=c".to_owned(), &[("a", "b=c")]),
            ("a=".to_owned(), &[("a", "")]),
            (format!("a=@{one}"), &[("a", "a=b\n")]),
            (format!("@{several}"), &[("a", "1"), ("b", "x=1\ny=2\n")]),
        ] {
            let given: VariableSource = argument.parse().unwrap();
            let expected = expected.iter().map(|(name, value)| ((*name).into(), (*value).into()));
            assert_eq!(given.read().unwrap(), expected.collect(), "{argument}");
        }
    }

    #[test]
    fn other_forms_are_errors() {
        for argument in ["", "a", "@file", "@file.json"] {
            assert!(argument.parse::<VariableSource>().is_err(), "{argument}");
        }
        let missing: VariableSource = "@missing.toml".parse().unwrap();
        assert!(missing.read().is_err());
    }
}
