//! The operations of a provider, and which keys may call them.
//!
//! All teams share one account at each provider. An operation that reads or changes what belongs to
//! the account as a whole would therefore reach other teams' data.

pub mod name;
mod openai;

use http::Method;

pub use self::openai::OPENAI;
use crate::http::bytes::is_alphanumeric_or;
use crate::{Error, Team};

/// Which keys may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Runs the model that the request names, or shows models.
    Inference,
    /// Runs models that the request does not name: those of a batch's file, or of an assistant. It is
    /// closed to keys that are restricted to models, and to limited teams.
    UnnamedInference,
    /// Creates a thing, or reads, continues, cancels or deletes one by its id. The provider makes ids
    /// unguessable, so a client that knows one has created the thing or was given its id.
    ById,
    /// Concerns the whole account, or is unknown. It needs a key with `account`.
    Account,
}

/// One row of a provider's table of operations.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    class: Class,
    /// Methods, separated by spaces. `GET` includes `HEAD`.
    methods: &'static str,
    /// The whole path below the route. In a segment, `{}` stands for any name, and `{file}` for an id
    /// with this prefix, like `file-…` or `file_…`. A last segment `*` stands for one or more segments
    /// of letters, digits, `-`, `_` and `.`.
    path: &'static str,
}

/// Creates the row of an operation of the class [`Class::Inference`].
pub const fn inference(methods: &'static str, path: &'static str) -> Operation {
    Operation { class: Class::Inference, methods, path }
}

/// Creates the row of an operation of the class [`Class::UnnamedInference`].
pub const fn unnamed_inference(methods: &'static str, path: &'static str) -> Operation {
    Operation { class: Class::UnnamedInference, methods, path }
}

/// Creates the row of an operation of the class [`Class::ById`].
pub const fn by_id(methods: &'static str, path: &'static str) -> Operation {
    Operation { class: Class::ById, methods, path }
}

impl Class {
    /// Returns the class of the first row that matches. Without one the operation is unknown and counts
    /// as an account operation: a provider may add operations of any kind at any time.
    ///
    /// ```
    /// use gateway::operation::{Class, OPENAI};
    /// use http::Method;
    ///
    /// let class = |method, path| Class::find(OPENAI, &method, path);
    /// assert_eq!(class(Method::POST, "/chat/completions"), Class::Inference);
    /// assert_eq!(class(Method::GET, "/files/file-abc"), Class::ById);
    /// assert_eq!(class(Method::GET, "/files"), Class::Account);
    /// ```
    pub fn find(operations: &[Operation], method: &Method, path: &str) -> Self {
        let row = operations.iter().find(|row| row.has_method(method) && row.has_path(path));
        row.map_or(Self::Account, |row| row.class)
    }

    /// Checks whether a row is for `path`, with any method.
    pub fn has_path(operations: &[Operation], path: &str) -> bool {
        operations.iter().any(|row| row.has_path(path))
    }

    /// Checks whether a request must name its model for a policy that depends on the model.
    pub fn runs_models(self) -> bool {
        matches!(self, Self::Inference | Self::UnnamedInference)
    }

    /// Checks that `team`'s key may call operations of this class.
    ///
    /// # Errors
    /// [`Error::AccountOperation`] without the right to them.
    pub(crate) fn check(self, team: &Team) -> Result<(), Error> {
        if self == Self::Account && !team.account { Err(Error::AccountOperation) } else { Ok(()) }
    }
}

impl Operation {
    fn has_method(&self, method: &Method) -> bool {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        self.methods.split(' ').any(|name| name == method.as_str())
    }

    /// Checks whether all of `path` matches, never only its end: a longer path is another operation.
    fn has_path(&self, path: &str) -> bool {
        let mut segments = path.split('/');
        for pattern in self.path.split('/') {
            match segments.next() {
                Some(segment) if pattern == "*" => {
                    return is_plain(segment) && segments.all(is_plain);
                }
                Some(segment) if matches(pattern, segment) => {}
                _ => return false,
            }
        }
        segments.next().is_none()
    }
}

/// Checks whether a path's segment matches a row's.
fn matches(pattern: &str, segment: &str) -> bool {
    let Some((before, (prefix, after))) =
        pattern.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    else {
        return pattern == segment;
    };
    let id = segment.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    let has_prefix = |id: &str| {
        is_plain(id) && id.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(['-', '_']))
    };
    // `-` stands for all parents in Google's APIs.
    id.is_some_and(|id| !matches!(id, "" | "-") && (prefix.is_empty() || has_prefix(id)))
}

/// Checks whether a segment has one spelling only. An escaped letter would match a wider row than the
/// one that is meant for the operation.
fn is_plain(segment: &str) -> bool {
    !segment.is_empty() && is_alphanumeric_or(b"-_.", segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &[Operation] = &[
        inference("POST", "/run"),
        inference("GET", "/models/{}"),
        inference("POST", "/models/{}:generate"),
        unnamed_inference("POST", "/batches"),
        by_id("GET DELETE", "/files/{file}"),
        by_id("POST", "/files/{file}/*"),
    ];

    #[test]
    fn find_matches_method_and_whole_path() {
        use Class::{Account, ById, Inference, UnnamedInference};
        for (method, path, expected) in [
            ("POST", "/run", Inference),
            ("GET", "/run", Account),
            ("POST", "/run/", Account),
            ("POST", "/Run", Account),
            ("POST", "/other/run", Account),
            ("POST", "/run/other", Account),
            ("GET", "/models/a", Inference),
            ("HEAD", "/models/a", Inference),
            ("GET", "/models/", Account),
            ("POST", "/models/a:generate", Inference),
            ("POST", "/models/:generate", Account),
            ("POST", "/models/a:other", Account),
            ("POST", "/batches", UnnamedInference),
            ("GET", "/batches", Account),
            ("DELETE", "/files/file-1", ById),
            ("GET", "/files/file_1", ById),
            ("GET", "/files/filed", Account),
            ("GET", "/files/search", Account),
            ("GET", "/files/x-file-1", Account),
            ("POST", "/files/file-1", Account),
            ("POST", "/files/file-1/a/b", ById),
            ("POST", "/files/file-1/", Account),
            ("POST", "/files/file-1/a/", Account),
            ("POST", "/files/file-1/%61", Account),
            ("POST", "/files/file-1/a/%62", Account),
            ("GET", "/files/file-%61", Account),
            ("GET", "/models/-", Account),
            ("GET", "", Account),
        ] {
            let method: Method = method.parse().unwrap();
            assert_eq!(Class::find(ROWS, &method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn check_lets_only_keys_with_account_call_account_operations() {
        let mut team = crate::keys::team::tests::team("blue");
        for class in [Class::Inference, Class::UnnamedInference, Class::ById] {
            assert!(class.check(&team).is_ok(), "{class:?}");
        }
        assert!(matches!(Class::Account.check(&team), Err(Error::AccountOperation)));
        team.account = true;
        assert!(Class::Account.check(&team).is_ok());
    }
}
