//! The model that a team gets for a name.

use gateway::Error;
use gateway::models::aliases::{Aliases, Target};
use gateway::models::limited;
use gateway::translator::Context;

use crate::catalog::SLUG;
use crate::catalog::model::Model;

/// Returns the model that the team of `context` gets for `name`.
///
/// # Errors
/// The errors of [`find_for`].
pub(crate) fn resolve_for(
    aliases: &Aliases,
    name: &str,
    context: &Context<'_>,
) -> Result<Model, Error> {
    find_for(aliases, name, context, |target| Ok(model(target)))
}

/// Finds the model that the team of `context` gets for `name`, and applies `read` to it.
///
/// # Errors
/// The errors of [`Aliases::find`] and of `read`, but [`Error::Configuration`] if the operator
/// chose the model, because the client cannot fix that.
pub(crate) fn find_for<'a, T>(
    aliases: &'a Aliases,
    name: &'a str,
    context: &Context<'a>,
    read: impl FnOnce(Target<'a>) -> Result<T, Error>,
) -> Result<T, Error> {
    let Context { team, operator, .. } = context;
    team.scope.check_model(SLUG, &aliases.names(name))?;
    match aliases.substitute(name, team, SLUG, operator.limited_models) {
        None => aliases.find(name).and_then(read),
        Some(chosen) => aliases
            .find(chosen)
            .and_then(read)
            .map_err(|error| Error::Configuration(format!("{}: {error}", limited::SETTING))),
    }
}

/// Describes the model: its own id, with the capabilities of its base.
fn model(target: Target<'_>) -> Model {
    Model { id: target.id.to_owned(), ..Model::of(target.base) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::capabilities::Family;

    const PROFILE: &str = "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc";

    #[test]
    fn model_with_a_base_knows_the_model_of_an_arn() {
        let setting =
            format!(r#"{{"claude":{{"model":"{PROFILE}","base":"anthropic.claude-opus-5"}}}}"#);
        let aliases = Aliases::parse(&setting).unwrap();
        let plain = Model::of("anthropic.claude-opus-5");
        let expected = Model { id: PROFILE.to_owned(), ..plain };
        assert_eq!(model(aliases.find("claude").unwrap()), expected);
        assert_eq!(model(aliases.find(PROFILE).unwrap()).family, Family::Other);
    }
}
