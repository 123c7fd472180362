//! Which component serves a path: the longest route that matches.
//! <https://spinframework.dev/v3/http-trigger#resolving-overlapping-routes>

use anyhow::{Result, ensure};

/// Routes and what serves them.
#[derive(Debug)]
pub(crate) struct Routes<T>(Vec<(Route, T)>);

/// One route: exact, or with a trailing wildcard.
#[derive(Debug)]
pub(crate) struct Route {
    pattern: String,
    base: String,
    has_wildcard: bool,
}

impl<T> Routes<T> {
    pub(crate) fn new(routes: impl IntoIterator<Item = Result<(String, T)>>) -> Result<Self> {
        let mut list = Vec::new();
        for entry in routes {
            let (pattern, target) = entry?;
            list.push((Route::parse(pattern)?, target));
        }
        list.sort_by_key(|(route, _)| std::cmp::Reverse((route.base.len(), !route.has_wildcard)));
        Ok(Self(list))
    }

    /// The route that serves `path`, and what serves it.
    pub(crate) fn find(&self, path: &str) -> Option<(&Route, &T)> {
        self.0.iter().find(|(route, _)| route.matches(path)).map(|(route, target)| (route, target))
    }

    pub(crate) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(route, _)| route.pattern.as_str())
    }
}

impl Route {
    fn parse(pattern: String) -> Result<Self> {
        ensure!(pattern.starts_with('/'), "route {pattern:?} must start with /");
        let (base, has_wildcard) = match pattern.strip_suffix("/...") {
            Some(base) => (base, true),
            None => (pattern.as_str(), false),
        };
        ensure!(!base.contains(':'), "named wildcards are not understood: {pattern:?}");
        Ok(Self { base: base.to_owned(), has_wildcard, pattern })
    }

    fn matches(&self, path: &str) -> bool {
        match path.strip_prefix(&self.base) {
            Some("") => true,
            Some(rest) => rest == "/" || (self.has_wildcard && rest.starts_with('/')),
            None => false,
        }
    }

    /// The route as the manifest gives it.
    pub(crate) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The route without its wildcard.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_match_serves() {
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
    fn no_route_no_component() {
        let routes = Routes::new([Ok(("/a/...".to_owned(), ()))]).unwrap();
        assert!(routes.find("/b").is_none());
    }
}
