//! One base URL for all providers: the prefix of a model's name, or an alias, leads to the component that
//! serves it. Its prefixes are in its stanza of `spin.toml`. It has no secrets, and calls nothing but the
//! other components.

struct V1;

impl gateway_spin::Routes for V1 {
    const SLUG: &'static str = "v1";
}

type Component = gateway_spin::RouterComponent<V1>;
gateway_spin::export!(Component);
