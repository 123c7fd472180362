//! One base URL for all providers: which component serves a request, by the name of its model.

pub mod aliases;
pub mod list;
pub mod prefixes;

use http::StatusCode;

use crate::limits::period::Moment;
use crate::router::aliases::ModelAliases;
use crate::router::prefixes::{Prefixes, Served};
use crate::{Error, Headers, Settings};

/// The header with which a component is asked for a model that an alias has led to.
pub const ALIAS_HEADER: &str = "x-gateway-alias";

/// The header of a response that names the model that has responded.
pub const MODEL_HEADER: &str = "x-gateway-model";

/// The header of a response to an attempt, for the component that made it: when the request was counted, in
/// milliseconds since 1970, or [`REFUSED`]. A client that names an alias itself gets it too, and can do nothing with it.
pub const COUNTED_HEADER: &str = "x-gateway-counted";

/// What the header says if a limit of the key has refused the request.
pub const REFUSED: &str = "refused";

/// The setting that names the component for requests without a model.
const DEFAULT: &str = "v1_default";

/// The most components that one request is sent to.
const MAX_ATTEMPTS: usize = 3;

/// The name by which clients ask for the AI Gateway's own choice of a model, and the AI Gateway's name for
/// it. <https://developers.cloudflare.com/ai-gateway/features/auto-router/>
const AUTO: (&str, &str) = ("auto", "cloudflare/auto");

/// What decides where requests go.
#[derive(Debug)]
pub struct Router {
    prefixes: Prefixes,
    aliases: ModelAliases,
    default: Option<String>,
    list_timeout: u64,
}

/// Where one request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The alias that the client named.
    pub alias: Option<String>,
    /// The components to send it to, one after the other.
    pub attempts: Vec<Served>,
}

impl Router {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`Error::Configuration`] naming the one that is wrong.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let prefixes = Prefixes::parse(settings.require(prefixes::SETTING)?)?;
        let aliases = ModelAliases::parse(settings.get(aliases::SETTING).unwrap_or_default())?;
        let default = settings.get(DEFAULT).map(ToOwned::to_owned);
        if let Some(name) = default.iter().find(|name| !prefixes.has_component(name)) {
            return Err(Error::Configuration(format!("{DEFAULT}: there is no component {name}")));
        }
        let list_timeout = settings.number(list::TIMEOUT_SETTING, list::TIMEOUT_MS)?;
        Ok(Self { prefixes, aliases, default, list_timeout })
    }

    /// Returns the most milliseconds that a list of models is waited for.
    pub fn list_timeout(&self) -> u64 {
        self.list_timeout
    }

    /// Returns the prefixes of models.
    pub fn prefixes(&self) -> &Prefixes {
        &self.prefixes
    }

    /// Returns the aliases.
    pub fn aliases(&self) -> &ModelAliases {
        &self.aliases
    }

    /// Decides where a request for `model` goes. `random` chooses among the weighted targets of an alias.
    ///
    /// # Errors
    /// [`Error::ModelNotFound`] for a model that no component serves, and [`Error::InvalidBody`] without
    /// a model, unless the operator has named a component for that.
    pub fn plan(&self, model: Option<&str>, random: u64) -> Result<Plan, Error> {
        let Some(model) = model else {
            let component = self.default.clone().ok_or_else(|| self.unnamed())?;
            let served = Served { name: component.clone(), component, model: None };
            return Ok(Plan { alias: None, attempts: vec![served] });
        };
        let Some(targets) = self.aliases.targets(model, random) else {
            let model = if model == AUTO.0 { AUTO.1 } else { model };
            return Ok(Plan { alias: None, attempts: vec![self.serve(model)?] });
        };
        let attempts = targets.into_iter().take(MAX_ATTEMPTS).map(|target| {
            self.serve(target).map_err(|_| {
                let setting = aliases::SETTING;
                Error::Configuration(format!("{setting}: no component serves {target}"))
            })
        });
        Ok(Plan { alias: Some(model.to_owned()), attempts: attempts.collect::<Result<_, _>>()? })
    }

    fn serve(&self, model: &str) -> Result<Served, Error> {
        self.prefixes.find(model).ok_or_else(|| {
            let model: String = model.chars().take(64).collect();
            let known = self.prefixes.names();
            Error::ModelNotFound(format!(
                "no provider serves the model {model}: write it as provider/model, with one of {known}"
            ))
        })
    }

    fn unnamed(&self) -> Error {
        let known = self.prefixes.components().collect::<Vec<_>>().join(", /");
        let message = format!(
            "`model` is missing: name it as provider/model, or use the base URL of one provider: /{known}"
        );
        Error::invalid_param("model", message)
    }
}

/// Checks whether the next component may be asked after a response with this head: the one before could not
/// serve the request, but would have accepted it.
pub fn may_fall_back(status: StatusCode, headers: &Headers) -> bool {
    let is_failure = status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
    // A limit of the key is reached everywhere.
    let is_refused = headers.get_str(COUNTED_HEADER) == Some(REFUSED);
    is_failure && !is_refused && headers.get("x-should-retry").is_none_or(|value| value != b"false")
}

/// Returns what the response to an attempt says about its counting, if there is something to say.
pub fn counted_value(is_refused: bool, counted_at: Option<Moment>) -> Option<String> {
    if is_refused {
        return Some(REFUSED.to_owned());
    }
    counted_at.map(|at| at.millis.to_string())
}

/// Returns when the attempt with these headers was counted, if it was.
pub fn counted_at(headers: &Headers) -> Option<Moment> {
    let millis = headers.get_str(COUNTED_HEADER)?.parse().ok()?;
    Some(Moment { millis })
}

/// Checks whether a client's header is sent to another component.
pub fn passes_to_component(name: &str) -> bool {
    !crate::http::headers::is_hop_by_hop(name)
        && !name.starts_with("spin-")
        && !matches!(name, "content-length" | ALIAS_HEADER)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "v1_prefixes=one two two-cloud:two @x/:two any/:three cloudflare/:three\n\
        model_aliases={\"fast\":[\"one/a\",\"two/b/c\",\"any/d\",\"one/e\"],\"bad\":\"none/x\"}";

    fn router() -> Router {
        Router::new(&Settings::from_lines(LINES.to_owned())).unwrap()
    }

    fn served(component: &str, model: &str, name: &str) -> Served {
        Served {
            component: component.to_owned(),
            model: Some(model.to_owned()),
            name: name.to_owned(),
        }
    }

    #[test]
    fn plan_splits_the_model_at_its_prefix() {
        for (model, expected) in [
            ("one/a", served("one", "a", "one/a")),
            ("one/a/b", served("one", "a/b", "one/a/b")),
            ("two-cloud/a", served("two", "a", "two-cloud/a")),
            ("@x/a", served("two", "@x/a", "@x/a")),
            ("two/@x/a", served("two", "@x/a", "two/@x/a")),
            ("any/a", served("three", "any/a", "any/a")),
            ("auto", served("three", "cloudflare/auto", "cloudflare/auto")),
        ] {
            let plan = router().plan(Some(model), 0).unwrap();
            assert_eq!(plan, Plan { alias: None, attempts: vec![expected] }, "{model}");
        }
        for model in ["a", "One/a", "one", "one/", "/one/a", "onetwo/a", "", "three/a"] {
            let error = router().plan(Some(model), 0).unwrap_err();
            assert!(matches!(error, Error::ModelNotFound(_)), "{model}: {error}");
        }
    }

    #[test]
    fn plan_of_an_alias_has_three_attempts_at_most() {
        let plan = router().plan(Some("fast"), 0).unwrap();
        let expected = [
            served("one", "a", "one/a"),
            served("two", "b/c", "two/b/c"),
            served("three", "any/d", "any/d"),
        ];
        assert_eq!(
            (plan.alias.as_deref(), plan.attempts.as_slice()),
            (Some("fast"), &expected[..])
        );
        let error = router().plan(Some("bad"), 0).unwrap_err();
        assert!(matches!(error, Error::Configuration(_)), "{error}");
    }

    #[test]
    fn plan_without_a_model_needs_a_default() {
        let error = router().plan(None, 0).unwrap_err().to_string();
        assert!(error.ends_with("one provider: /one, /two, /three"), "{error}");
        let with =
            |name: &str| Router::new(&Settings::from_lines(format!("{LINES}\nv1_default={name}")));
        let plan = with("two").unwrap().plan(None, 0).unwrap();
        assert_eq!((plan.attempts[0].component.as_str(), &plan.attempts[0].model), ("two", &None));
        assert!(matches!(with("four"), Err(Error::Configuration(_))));
        assert!(matches!(with("two\nv1_list_timeout_ms=soon"), Err(Error::Configuration(_))));
    }

    #[test]
    fn may_fall_back_only_where_another_may_serve() {
        for (status, expected) in [
            (200, false),
            (400, false),
            (401, false),
            (403, false),
            (404, false),
            (408, true),
            (422, false),
            (429, true),
            (500, true),
            (504, true),
            (529, true),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(may_fall_back(status, &Headers::default()), expected, "{status}");
        }
        for header in [("x-should-retry", "false"), (COUNTED_HEADER, REFUSED)] {
            let headers = [header].into_iter().collect();
            assert!(!may_fall_back(StatusCode::TOO_MANY_REQUESTS, &headers), "{header:?}");
        }
    }
}
