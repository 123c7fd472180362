//! Selects the component that serves a path: the one with the longest matching route.
//! <https://spinframework.dev/v3/http-trigger#resolving-overlapping-routes>

use anyhow::{Result, ensure};

/// Routes and their targets, the longest route first.
#[derive(Debug)]
pub(crate) struct Routes<T>(Vec<(Route, T)>);

/// A route: an exact path, or a prefix with a trailing wildcard.
#[derive(Debug)]
pub(crate) struct Route {
    pattern: String,
    base: String,
    has_wildcard: bool,
}

impl<T> Routes<T> {
    /// Parses the routes and sorts them by precedence.
    pub(crate) fn new(routes: impl IntoIterator<Item = Result<(String, T)>>) -> Result<Self> {
        let mut list = Vec::new();
        for entry in routes {
            let (pattern, target) = entry?;
            list.push((Route::parse(pattern)?, target));
        }
        // The first match is used, so longer routes come first, and an exact route comes before a
        // wildcard of the same length.
        list.sort_by_key(|(route, _)| std::cmp::Reverse((route.base.len(), !route.has_wildcard)));
        Ok(Self(list))
    }

    /// Finds the route that serves `path`, and its target.
    pub(crate) fn find(&self, path: &str) -> Option<(&Route, &T)> {
        self.0.iter().find(|(route, _)| route.matches(path)).map(|(route, target)| (route, target))
    }

    /// Lists the routes as the manifest declares them.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(route, _)| route.pattern.as_str())
    }
}

impl Route {
    /// Parses `/path` or `/path/...`.
    fn parse(pattern: String) -> Result<Self> {
        ensure!(pattern.starts_with('/'), "route {pattern:?} must start with /");
        let (base, has_wildcard) = match pattern.strip_suffix("/...") {
            Some(base) => (base, true),
            None => (pattern.as_str(), false),
        };
        ensure!(
            !base.contains(':'),
            "route {pattern:?} has a named wildcard, which this host does not support"
        );
        Ok(Self { base: base.to_owned(), has_wildcard, pattern })
    }

    /// Checks whether the route serves `path`. A trailing slash makes no difference.
    fn matches(&self, path: &str) -> bool {
        match path.strip_prefix(&self.base) {
            Some("") => true,
            Some(rest) => rest == "/" || (self.has_wildcard && rest.starts_with('/')),
            None => false,
        }
    }

    /// Returns the route as the manifest declares it.
    pub(crate) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Returns the route without its wildcard.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn find_path_returns_longest_match() {
        let patterns = ["/...", "/a/...", "/a/b", "/healthz"];
        let routes = Routes::new(patterns.map(|pattern| Ok((pattern.to_owned(), ())))).unwrap();
        for (path, expected) in [
            ("/", "/..."),
            ("/x", "/..."),
            ("/a", "/a/..."),
            ("/a/", "/a/..."),
            ("/a/b", "/a/b"),
            ("/a/b/c", "/a/..."),
            ("/ab", "/..."),
            ("/healthz", "/healthz"),
            ("/healthz/x", "/..."),
        ] {
            let found = routes.find(path).map(|(route, ())| route.pattern());
            assert_eq!(found, Some(expected), "{path}");
        }
    }

    #[test]
    fn find_path_without_route_is_none() {
        let routes = Routes::new([Ok(("/a/...".to_owned(), ()))]).unwrap();
        assert!(routes.find("/b").is_none());
    }
}
